// A stream of work on a GPU.
#pragma once

#include "runtime/device.h"
#include "runtime/gpu/gpu_memory.h"

#include <memory>
#include <string>

namespace ingot::runtime {

class GpuQueue final : public Queue {
  public:
    GpuQueue(std::shared_ptr<GpuApi> api, bool check_launches);
    ~GpuQueue() override;

    std::unique_ptr<CommandList> prepare(const ProgramSpec& program) override;
    void run(CommandList& list, std::span<const std::int32_t> dims) override;
    void write(Memory& to, std::uint64_t offset, std::span<const std::byte> data) override;
    void read(Memory& from, std::uint64_t offset, std::span<std::byte> data) override;
    void copy(Memory& memory, std::uint64_t to, std::uint64_t from, std::uint64_t bytes) override;
    void synchronize() override;
    unsigned threads() const override { return 1; }

  private:
    std::shared_ptr<GpuApi> api_;
    bool check_launches_ = false;
    GpuStream stream_;
    PinnedMemory to_device_, to_host_; // staging
    std::uint64_t staged_ = 0;         // bytes of to_device_ that are on their way
    std::string pending_;              // lists that may be running, for faults that show late
};

} // namespace ingot::runtime
