// Lists of kernels on a team of threads.
#pragma once

#include "runtime/device.h"
#include "runtime/host/team.h"

#include <functional>
#include <memory>
#include <vector>

namespace ingot::runtime {

// Work is done when a call returns; there is nothing to wait for.
class HostQueue final : public Queue {
  public:
    // `release` is called with `cores` when the queue goes.
    HostQueue(std::vector<Core> cores, const QueueOptions& options, std::function<void()> release);
    ~HostQueue() override;

    std::unique_ptr<CommandList> prepare(const ProgramSpec& program) override;
    void run(CommandList& list, std::span<const std::int32_t> dims) override;
    void write(Memory& to, std::uint64_t offset, std::span<const std::byte> data) override;
    void read(Memory& from, std::uint64_t offset, std::span<std::byte> data) override;
    void copy(Memory& memory, std::uint64_t to, std::uint64_t from, std::uint64_t bytes) override;
    void synchronize() override {}
    unsigned threads() const override { return team_.size(); }

  private:
    std::function<void()> release_;
    ThreadTeam team_;
};

} // namespace ingot::runtime
