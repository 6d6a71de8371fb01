#include "runtime/loaded_plan.h"

#include "plan_generated.h"
#include "runtime/error.h"
#include "runtime/required.h"

#include <map>
#include <utility>

#include <fmt/format.h>

namespace ingot::runtime {
namespace {

// Weights that are made from the model file are made in host memory, which is the device's own where the two
// share it.
void produce(const PlanFile& plan, Device& device, Memory& weights, const LoadOptions& options) {
    if (!options.produce_weights) {
        throw Error(
            Code::unsupported, plan.path().string(),
            fmt::format("its weights stayed in the model file {}, and nothing reads them; compile with "
                        "--weights embedded for a plan that stands alone",
                        required(plan.description().model_path()).string_view()));
    }
    if (std::byte* view = weights.host_view()) {
        options.produce_weights(plan, {view, weights.bytes()});
        return;
    }
    std::vector<std::byte> staging(weights.bytes());
    options.produce_weights(plan, staging);
    const std::unique_ptr<Queue> queue = device.open_queue({.threads = 1});
    queue->write(weights, 0, staging);
    queue->synchronize();
}

} // namespace

std::shared_ptr<const LoadedPlan> LoadedPlan::load(std::shared_ptr<const PlanFile> plan,
                                                   std::shared_ptr<Device> device,
                                                   const LoadOptions& options) {
    const plan::Plan& description = plan->description();
    device->check_target(required(description.target()).string_view(), description.abi());
    if (options.verify_weights && description.external() == nullptr) plan->verify_weights();

    std::shared_ptr<LoadedPlan> loaded(new LoadedPlan);
    if (description.weights_bytes() > 0) {
        loaded->weights_ = device->allocate(Pool::weights, description.weights_bytes());
        if (description.external() != nullptr) {
            produce(*plan, *device, *loaded->weights_, options);
        } else {
            device->load(*loaded->weights_, {.descriptor = plan->descriptor(),
                                             .offset = plan->header().weights.offset,
                                             .bytes = plan->header().weights.bytes,
                                             .name = plan->path().string()});
        }
    }
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::size_t> known; // by range of the code
    const auto& kernels = required(description.kernels());
    for (std::uint32_t i = 0; i < kernels.size(); ++i) {
        const plan::Kernel& kernel = *kernels.Get(i);
        const auto [at, is_new] =
            known.try_emplace({kernel.code_offset(), kernel.code_bytes()}, loaded->modules_.size());
        if (is_new)
            loaded->modules_.push_back(device->load_code(plan->code_of(i), required(kernel.name()).str()));
        loaded->module_index_.push_back(at->second);
    }
    loaded->plan_ = std::move(plan);
    loaded->device_ = std::move(device);
    return loaded;
}

} // namespace ingot::runtime
