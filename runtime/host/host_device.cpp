#include "runtime/host/host_device.h"

#include "runtime/error.h"
#include "runtime/host/cpu_features.h"
#include "runtime/host/host_memory.h"
#include "runtime/host/host_queue.h"
#include "runtime/host/shared_object.h"
#include "runtime/host/topology.h"

#include <algorithm>
#include <mutex>
#include <numeric>

#include <fmt/format.h>
#include <unistd.h>

namespace ingot::runtime {
namespace {

constexpr unsigned most_threads = 1024;

// How many queues use each core, so that two sessions side by side get cores of their own while there are
// enough.
class CoreUse {
  public:
    explicit CoreUse(std::size_t cores) : users_(cores, 0) {}

    std::vector<std::size_t> take(std::size_t count) {
        const std::lock_guard lock(mutex_);
        std::vector<std::size_t> order(users_.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return users_[a] < users_[b]; });
        order.resize(count);
        std::sort(order.begin(), order.end());
        for (const std::size_t core : order)
            ++users_[core];
        return order;
    }

    void give_back(const std::vector<std::size_t>& cores) {
        const std::lock_guard lock(mutex_);
        for (const std::size_t core : cores)
            --users_[core];
    }

  private:
    std::mutex mutex_;
    std::vector<unsigned> users_;
};

class HostDevice final : public Device {
  public:
    HostDevice() : topology_(discover_topology()), use_(std::make_shared<CoreUse>(topology_.cores.size())) {
        info_.name = "host";
        info_.model = processor_name();
        info_.target = best_host_target();
        info_.cores = static_cast<unsigned>(topology_.cores.size());
        info_.memory_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                             static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    }

    const DeviceInfo& info() const override { return info_; }

    void check_target(std::string_view target, std::uint32_t abi) const override {
        check_host_target(target, abi);
    }

    std::unique_ptr<Memory> allocate(Pool pool, std::uint64_t bytes) override {
        if (bytes == 0) throw Error(Code::invalid_argument, "host", "an allocation of no bytes");
        return allocate_host_memory(pool, bytes, count_);
    }

    void load(Memory& to, const FileRange& range) override {
        if (range.bytes > to.bytes()) {
            throw Error(Code::invalid_argument, range.name,
                        fmt::format("{} bytes into memory of {}", range.bytes, to.bytes()));
        }
        read_in_parallel({to.host_view(), to.bytes()}, range, topology_.granted);
    }

    std::unique_ptr<Module> load_code(std::span<const std::byte> object, const std::string& name) override {
        return std::make_unique<SharedObject>(object, name);
    }

    std::unique_ptr<Queue> open_queue(const QueueOptions& options) override {
        const unsigned threads = options.threads == 0 ? topology_.granted : options.threads;
        if (threads > most_threads) {
            throw Error(Code::invalid_argument, "host",
                        fmt::format("{} threads, and at most {} work", threads, most_threads));
        }
        // A single thread is the caller's own, and more threads than cores are the system's to place.
        if (threads == 1 || threads > topology_.cores.size())
            return std::make_unique<HostQueue>(std::vector<Core>(threads), options, std::function<void()>());
        const std::vector<std::size_t> taken = use_->take(threads);
        const auto release = [use = use_, taken] { use->give_back(taken); };
        std::vector<Core> cores;
        for (const std::size_t core : taken)
            cores.push_back(topology_.cores[core]);
        try {
            return std::make_unique<HostQueue>(std::move(cores), options, release);
        } catch (...) {
            release();
            throw;
        }
    }

    AllocationCount allocations() const override {
        return {.live = count_->live.load(), .total = count_->total.load()};
    }

  private:
    Topology topology_;
    std::shared_ptr<CoreUse> use_;
    std::shared_ptr<HostAllocations> count_ = std::make_shared<HostAllocations>();
    DeviceInfo info_;
};

} // namespace

std::shared_ptr<Device> open_host_device() {
    return std::make_shared<HostDevice>();
}

} // namespace ingot::runtime
