// Memory of a GPU, and code on it, with owners.
#pragma once

#include "runtime/device.h"
#include "runtime/gpu/api.h"

#include <atomic>
#include <memory>
#include <string>

namespace ingot::runtime {

// Counts that outlive the device they belong to.
struct GpuAllocations {
    std::atomic<std::size_t> live = 0;
    std::atomic<std::size_t> total = 0;
};

class GpuMemory final : public Memory {
  public:
    // Not yet zeroed. Throws Error{out_of_memory}.
    GpuMemory(std::shared_ptr<GpuApi> api, std::uint64_t bytes, std::shared_ptr<GpuAllocations> count);
    ~GpuMemory() override;
    std::uint64_t bytes() const override { return bytes_; }
    std::byte* host_view() override { return nullptr; }
    // Address on the device. Throws Error{invalid_argument} for a range past the end.
    std::byte* at(std::uint64_t offset, std::uint64_t bytes) const;

  private:
    std::shared_ptr<GpuApi> api_;
    std::shared_ptr<GpuAllocations> count_;
    std::uint64_t bytes_ = 0;
    void* data_ = nullptr;
};

// Host memory that the card reads and writes by itself.
class PinnedMemory {
  public:
    // Throws Error{out_of_memory}.
    PinnedMemory(std::shared_ptr<GpuApi> api, std::uint64_t bytes);
    ~PinnedMemory();
    PinnedMemory(const PinnedMemory&) = delete;
    PinnedMemory& operator=(const PinnedMemory&) = delete;
    std::span<std::byte> bytes() const { return {static_cast<std::byte*>(data_), bytes_}; }

  private:
    std::shared_ptr<GpuApi> api_;
    std::uint64_t bytes_ = 0;
    void* data_ = nullptr;
};

class GpuModule final : public Module {
  public:
    GpuModule(std::shared_ptr<GpuApi> api, std::span<const std::byte> object, const std::string& name);
    ~GpuModule() override;
    GpuApi::Handle handle() const { return handle_; }

  private:
    std::shared_ptr<GpuApi> api_;
    GpuApi::Handle handle_ = nullptr;
};

// A stream and an event, with owners.
class GpuStream {
  public:
    explicit GpuStream(std::shared_ptr<GpuApi> api) : api_(std::move(api)), handle_(api_->create_stream()) {}
    ~GpuStream() { api_->destroy_stream(handle_); }
    GpuStream(const GpuStream&) = delete;
    GpuStream& operator=(const GpuStream&) = delete;
    GpuApi::Handle get() const { return handle_; }

  private:
    std::shared_ptr<GpuApi> api_;
    GpuApi::Handle handle_;
};

class GpuEvent {
  public:
    explicit GpuEvent(std::shared_ptr<GpuApi> api) : api_(std::move(api)), handle_(api_->create_event()) {}
    ~GpuEvent() { api_->destroy_event(handle_); }
    GpuEvent(const GpuEvent&) = delete;
    GpuEvent& operator=(const GpuEvent&) = delete;
    GpuApi::Handle get() const { return handle_; }

  private:
    std::shared_ptr<GpuApi> api_;
    GpuApi::Handle handle_;
};

} // namespace ingot::runtime
