#include "runtime/gpu/gpu_device.h"

#include "runtime/error.h"
#include "runtime/gpu/gpu_memory.h"
#include "runtime/gpu/gpu_queue.h"
#include "runtime/gpu/upload.h"

#include <fmt/format.h>

namespace ingot::runtime {
namespace {

class GpuDevice final : public Device {
  public:
    explicit GpuDevice(std::shared_ptr<GpuApi> api) : api_(std::move(api)) {
        const GpuFacts& facts = api_->facts();
        info_ = {.name = facts.device,
                 .model = facts.name,
                 .target = facts.target,
                 .cores = facts.units,
                 .memory_bytes = facts.memory_bytes};
    }

    const DeviceInfo& info() const override { return info_; }

    void check_target(std::string_view target, std::uint32_t abi) const override {
        if (target == info_.target && abi == gpu_abi_version) return;
        throw Error(
            Code::target, info_.name,
            fmt::format("the plan is for {} (ABI {}), and this is a {} with {} (ABI {}); compile the model "
                        "with --target {}",
                        target, abi, info_.model, info_.target, gpu_abi_version, info_.target));
    }

    std::unique_ptr<Memory> allocate(Pool, std::uint64_t bytes) override {
        if (bytes == 0) throw Error(Code::invalid_argument, info_.name, "an allocation of no bytes");
        auto memory = std::make_unique<GpuMemory>(api_, bytes, count_);
        const GpuStream stream(api_);
        api_->set_zero(memory->at(0, bytes), bytes, stream.get());
        api_->synchronize(stream.get(), info_.name);
        return memory;
    }

    void load(Memory& to, const FileRange& range) override {
        const auto* memory = dynamic_cast<const GpuMemory*>(&to);
        if (memory == nullptr) throw Error(Code::invalid_argument, range.name, "memory of another device");
        upload(api_, *memory, range);
    }

    std::unique_ptr<Module> load_code(std::span<const std::byte> object, const std::string& name) override {
        return std::make_unique<GpuModule>(api_, object, name);
    }

    std::unique_ptr<Queue> open_queue(const QueueOptions& options) override {
        return std::make_unique<GpuQueue>(api_, options.check_launches);
    }

    AllocationCount allocations() const override {
        return {.live = count_->live.load(), .total = count_->total.load()};
    }

  private:
    std::shared_ptr<GpuApi> api_;
    std::shared_ptr<GpuAllocations> count_ = std::make_shared<GpuAllocations>();
    DeviceInfo info_;
};

} // namespace

std::shared_ptr<Device> make_gpu_device(std::shared_ptr<GpuApi> api) {
    return std::make_shared<GpuDevice>(std::move(api));
}

} // namespace ingot::runtime
