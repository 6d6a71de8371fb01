// A plan on a device: its weights and code. Any number of sessions share one.
#pragma once

#include "runtime/device.h"
#include "runtime/plan_file.h"

#include <functional>
#include <memory>
#include <vector>

namespace ingot::runtime {

struct LoadOptions {
    bool verify_weights = false; // compare the weights' checksum first, which reads the file once more
    // Fills the weights of a plan that was made with `--weights external`: is given the whole arena, zeroed.
    std::function<void(const PlanFile&, std::span<std::byte>)> produce_weights = {};
};

class LoadedPlan {
  public:
    // Throws Error: target (the device can't run it), out_of_memory, bad_file (code that doesn't load), io,
    // and unsupported for external weights that nothing produces.
    static std::shared_ptr<const LoadedPlan> load(std::shared_ptr<const PlanFile> plan,
                                                  std::shared_ptr<Device> device,
                                                  const LoadOptions& options = {});

    const PlanFile& file() const { return *plan_; }
    const std::shared_ptr<const PlanFile>& shared_file() const { return plan_; }
    Device& device() const { return *device_; }
    Memory* weights() const { return weights_.get(); } // null for a plan without weights
    Module& module_of(std::size_t kernel) const { return *modules_[module_index_[kernel]]; }

  private:
    LoadedPlan() = default;

    std::shared_ptr<const PlanFile> plan_;
    std::shared_ptr<Device> device_;
    std::unique_ptr<Memory> weights_;
    std::vector<std::unique_ptr<Module>> modules_;
    std::vector<std::size_t> module_index_; // by kernel; kernels of one code object share a module
};

} // namespace ingot::runtime
