#include "runtime/null/null_device.h"

#include "runtime/error.h"
#include "runtime/host/cpu_features.h"
#include "runtime/host/host_memory.h"

#include <fmt/format.h>

namespace ingot::runtime {
namespace {

// As of a device of its own: only a queue can reach it.
class NullMemory final : public Memory {
  public:
    explicit NullMemory(std::unique_ptr<Memory> memory) : memory_(std::move(memory)) {}
    std::uint64_t bytes() const override { return memory_->bytes(); }
    std::byte* host_view() override { return nullptr; }
    Memory& real() { return *memory_; }

  private:
    std::unique_ptr<Memory> memory_;
};

Memory& real(Memory& memory) {
    auto* const found = dynamic_cast<NullMemory*>(&memory);
    if (found == nullptr) throw Error(Code::invalid_argument, "null", "memory of another device");
    return found->real();
}

class NullModule final : public Module {};

class NullList final : public CommandList {
  public:
    const Queue* queue = nullptr;
    std::size_t dims = 0;
};

class NullQueue final : public Queue {
  public:
    std::unique_ptr<CommandList> prepare(const ProgramSpec& program) override {
        for (const LaunchSpec& launch : program.launches) {
            const std::string where = fmt::format("{}, {}", program.name, launch.name);
            if (dynamic_cast<const NullModule*>(launch.module) == nullptr)
                throw Error(Code::invalid_argument, where, "its module is not of this device");
            for (const OperandRef& operand : launch.operands) {
                const Memory* const memory = program.arenas[static_cast<std::size_t>(operand.pool)];
                if (memory == nullptr || operand.offset > memory->bytes()) {
                    throw Error(Code::invalid_argument, where,
                                fmt::format("offset {} of {}", operand.offset, name_of(operand.pool)));
                }
            }
        }
        auto list = std::make_unique<NullList>();
        list->queue = this;
        list->dims = program.dims;
        return list;
    }
    void run(CommandList& list, std::span<const std::int32_t> dims) override {
        const auto& null_list = static_cast<const NullList&>(list);
        if (null_list.queue != this || null_list.dims != dims.size()) {
            throw Error(Code::invalid_argument, "null",
                        "a list of another queue, or another number of symbols");
        }
    }
    void write(Memory& to, std::uint64_t offset, std::span<const std::byte> data) override {
        write_memory(real(to), offset, data);
    }
    void read(Memory& from, std::uint64_t offset, std::span<std::byte> data) override {
        read_memory(real(from), offset, data);
    }
    void copy(Memory& memory, std::uint64_t to, std::uint64_t from, std::uint64_t bytes) override {
        copy_memory(real(memory), to, from, bytes);
    }
    void synchronize() override {}
    unsigned threads() const override { return 1; }
};

class NullDevice final : public Device {
  public:
    const DeviceInfo& info() const override { return info_; }
    void check_target(std::string_view, std::uint32_t) const override {}
    std::unique_ptr<Memory> allocate(Pool pool, std::uint64_t bytes) override {
        if (bytes == 0) throw Error(Code::invalid_argument, "null", "an allocation of no bytes");
        return std::make_unique<NullMemory>(allocate_host_memory(pool, bytes, count_));
    }
    void load(Memory& to, const FileRange& range) override {
        if (range.bytes > to.bytes()) {
            throw Error(Code::invalid_argument, range.name,
                        fmt::format("{} bytes into memory of {}", range.bytes, to.bytes()));
        }
        read_in_parallel({real(to).host_view(), to.bytes()}, range, 1);
    }
    std::unique_ptr<Module> load_code(std::span<const std::byte> object, const std::string& name) override {
        if (object.empty()) throw Error(Code::bad_file, name, "the code object is empty");
        return std::make_unique<NullModule>();
    }
    std::unique_ptr<Queue> open_queue(const QueueOptions&) override { return std::make_unique<NullQueue>(); }
    AllocationCount allocations() const override {
        return {.live = count_->live.load(), .total = count_->total.load()};
    }

  private:
    std::shared_ptr<HostAllocations> count_ = std::make_shared<HostAllocations>();
    DeviceInfo info_{.name = "null",
                     .model = "runs no kernel",
                     .target = best_host_target(),
                     .cores = 1,
                     .memory_bytes = std::uint64_t{1} << 47};
};

} // namespace

std::shared_ptr<Device> open_null_device() {
    return std::make_shared<NullDevice>();
}

} // namespace ingot::runtime
