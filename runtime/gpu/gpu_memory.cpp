#include "runtime/gpu/gpu_memory.h"

#include "runtime/error.h"

#include <fmt/format.h>

namespace ingot::runtime {

GpuMemory::GpuMemory(std::shared_ptr<GpuApi> api, std::uint64_t bytes, std::shared_ptr<GpuAllocations> count)
    : api_(std::move(api)), count_(std::move(count)), bytes_(bytes), data_(api_->allocate(bytes)) {
    if (data_ == nullptr) {
        throw Error(
            Code::out_of_memory, api_->facts().device,
            fmt::format(
                "{:.1f} MiB don't fit beside what is there; compile with a smaller --context, or take "
                "a smaller model",
                static_cast<double>(bytes) / (1 << 20)));
    }
    ++count_->live;
    ++count_->total;
}

GpuMemory::~GpuMemory() {
    api_->release(data_);
    --count_->live;
}

std::byte* GpuMemory::at(std::uint64_t offset, std::uint64_t bytes) const {
    if (offset > bytes_ || bytes > bytes_ - offset) {
        throw Error(Code::invalid_argument, api_->facts().device,
                    fmt::format("{} bytes at {} of {} bytes of memory", bytes, offset, bytes_));
    }
    return static_cast<std::byte*>(data_) + offset;
}

PinnedMemory::PinnedMemory(std::shared_ptr<GpuApi> api, std::uint64_t bytes)
    : api_(std::move(api)), bytes_(bytes), data_(api_->allocate_pinned(bytes)) {
    if (data_ == nullptr)
        throw Error(Code::out_of_memory, api_->facts().device,
                    fmt::format("no {} bytes of pinned memory", bytes));
}

PinnedMemory::~PinnedMemory() {
    api_->release_pinned(data_);
}

GpuModule::GpuModule(std::shared_ptr<GpuApi> api, std::span<const std::byte> object, const std::string& name)
    : api_(std::move(api)), handle_(api_->load_module(object, name)) {}

GpuModule::~GpuModule() {
    api_->unload_module(handle_);
}

} // namespace ingot::runtime
