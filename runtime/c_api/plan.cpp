// Plans, devices and models of ingot.h.
#include "runtime/c_api/objects.h"

#include "plan_generated.h"
#include "runtime/external_weights.h"
#include "runtime/open_device.h"
#include "runtime/required.h"

#include <filesystem>

namespace ingot::runtime::c_api {
namespace {

LoadOptions load_options(const ingot_load_options* given_options) {
    const ingot_load_options options =
        options_or<ingot_load_options>(given_options, INGOT_LOAD_OPTIONS_INIT, "ingot_load_options");
    LoadOptions result{.verify_weights = options.verify != 0};
    const std::string path = options.model_path == nullptr ? "" : options.model_path;
    result.produce_weights = [path, verify = result.verify_weights](const PlanFile& plan,
                                                                    std::span<std::byte> arena) {
        const std::filesystem::path model =
            path.empty() ? required(plan.description().model_path()).str() : path;
        if (verify) verify_external_model(plan, model);
        pack_external_weights(plan, model, arena);
    };
    return result;
}

} // namespace
} // namespace ingot::runtime::c_api

using namespace ingot::runtime;
using namespace ingot::runtime::c_api;

extern "C" {

ingot_code ingot_plan_open(const char* path, ingot_plan** plan, ingot_error* error) {
    return guarded(error, [&] {
        ingot_plan*& out = given(plan, "plan");
        out = new ingot_plan{PlanFile::open(&given(path, "path"))};
    });
}

void ingot_plan_free(ingot_plan* plan) {
    delete plan;
}

ingot_code ingot_plan_get_info(const ingot_plan* plan, ingot_plan_info* info, ingot_error* error) {
    return guarded(error, [&] {
        const ingot::plan::Plan& p = given(plan, "plan").file->description();
        ingot_plan_info& out = sized(info, "info");
        const ingot::plan::Vocabulary* vocabulary = p.vocabulary();
        const bool has_template = vocabulary != nullptr && vocabulary->chat_template() != nullptr;
        out.model_name = required(p.model_name()).c_str();
        out.architecture = required(p.architecture()).c_str();
        out.target = required(p.target()).c_str();
        out.precision = required(p.precision()).c_str();
        out.chat_template = has_template ? vocabulary->chat_template()->c_str() : "";
        out.context = p.context();
        out.vocabulary_size = p.vocabulary_size();
        out.layers = p.layers();
        out.embedding = p.embedding();
        out.max_sequences = p.cache() == nullptr ? 0 : p.cache()->max_sequences();
        out.external_weights = p.external() == nullptr ? 0 : 1;
        out.weights_bytes = p.weights_bytes();
        out.session_bytes = p.state_bytes() + p.transient_bytes() + p.io_bytes();
    });
}

ingot_code ingot_device_open(const char* name, ingot_device** device, ingot_error* error) {
    return guarded(error, [&] {
        ingot_device*& out = given(device, "device");
        out = new ingot_device{open_device(name != nullptr ? name : available_devices().front().name)};
    });
}

void ingot_device_free(ingot_device* device) {
    delete device;
}

ingot_code ingot_device_get_info(const ingot_device* device, ingot_device_info* info, ingot_error* error) {
    return guarded(error, [&] {
        const Device& d = *given(device, "device").device;
        ingot_device_info& out = sized(info, "info");
        out.name = d.info().name.c_str();
        out.model = d.info().model.c_str();
        out.target = d.info().target.c_str();
        out.cores = d.info().cores;
        out.memory_bytes = d.info().memory_bytes;
        out.live_allocations = d.allocations().live;
    });
}

ingot_code ingot_model_load(const ingot_plan* plan, const ingot_device* device,
                            const ingot_load_options* options, ingot_model** model, ingot_error* error) {
    return guarded(error, [&] {
        ingot_model*& out = given(model, "model");
        out = new ingot_model{LoadedPlan::load(given(plan, "plan").file, given(device, "device").device,
                                               load_options(options))};
    });
}

void ingot_model_free(ingot_model* model) {
    delete model;
}
}
