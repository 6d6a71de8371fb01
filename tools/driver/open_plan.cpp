#include "tools/driver/open_plan.h"

#include <fmt/format.h>

#include "plan_generated.h"
#include "runtime/error.h"
#include "runtime/external_weights.h"
#include "runtime/open_device.h"
#include "tools/driver/failure.h"
#include "tools/driver/gguf_vocabulary.h"
#include "tools/driver/input_file.h"
#include "tools/driver/plan_cache.h"

namespace ingot::tools {

namespace fs = std::filesystem;

namespace {

// The first option that only a compilation can follow, or null.
const char* option_of_compilation(const CompileSettings& s) {
    if (!s.target.empty()) return "--target";
    if (!s.compiler.empty()) return "--compiler";
    if (s.context != 0) return "--context";
    if (!s.precision.empty()) return "--precision";
    if (!s.weights.empty()) return "--weights";
    if (!s.disabled_passes.empty()) return "--disable-pass";
    return nullptr;
}

// Null where there is none that can be used.
std::shared_ptr<const runtime::PlanFile> open_cached(const fs::path& path) {
    std::error_code error;
    if (!fs::exists(path, error)) return nullptr;
    try {
        return runtime::PlanFile::open(path);
    } catch (const runtime::Error& e) {
        if (e.code() == runtime::Code::out_of_memory) throw;
        return nullptr;
    }
}

} // namespace

void require_no_compilation(const CompileSettings& settings, const fs::path& plan) {
    if (const char* option = option_of_compilation(settings))
        throw Failure(ExitCode::bad_input, option,
                      fmt::format("{} is a plan, for which that is settled; give its model", plan.string()));
}

OpenedPlan open_plan(const fs::path& model_or_plan, const CompileSettings& settings, bool quiet) {
    if (kind_of(model_or_plan) == FileKind::plan) {
        require_no_compilation(settings, model_or_plan);
        return {.file = runtime::PlanFile::open(model_or_plan), .model = {}, .compiled = {}};
    }
    // What is no model shall leave nothing in the cache, so a new file is read before it is remembered.
    if (!knows_sha256(model_or_plan, cache_directory(settings)))
        gguf_vocabulary(import_file(model_or_plan, settings).file);
    OpenedPlan out{
        .file = open_cached(cached_plan(model_or_plan, settings)), .model = model_or_plan, .compiled = {}};
    if (out.file == nullptr) {
        out.compiled = compile_model(
            {.model = model_or_plan, .plan = {}, .settings = settings, .quiet = quiet, .times = nullptr});
        out.file = runtime::PlanFile::open(out.compiled->plan);
    }
    return out;
}

std::shared_ptr<const runtime::LoadedPlan>
load_plan(const OpenedPlan& plan, std::shared_ptr<runtime::Device> device, const CompileSettings& settings) {
    const auto produce = [&](const runtime::PlanFile& file, std::span<std::byte> arena) {
        const plan::Plan& d = file.description();
        fs::path model = plan.model;
        if (model.empty() && d.model_path() != nullptr) model = d.model_path()->str();
        std::error_code error;
        if (!fs::exists(model, error))
            throw Failure(ExitCode::bad_input, file.path().string(),
                          fmt::format("its weights lie in the model {}, which is not there; give --model",
                                      model.string()));
        if (file_sha256(model, cache_directory(settings)) != d.model_sha256()->string_view())
            throw Failure(
                ExitCode::bad_input, file.path().string(),
                fmt::format("was made from another model than {} (their SHA-256 differ)", model.string()));
        runtime::pack_external_weights(file, model, arena);
    };
    return runtime::LoadedPlan::load(plan.file, std::move(device), {.produce_weights = produce});
}

std::unique_ptr<runtime::Session> open_session(const OpenedPlan& plan, const SessionSettings& session,
                                               const CompileSettings& settings) {
    OpenedPlan with_model = plan;
    if (!session.model.empty()) with_model.model = session.model;
    return runtime::Session::open(
        load_plan(with_model, runtime::open_device(session.device), settings),
        {.queue = {.threads = session.threads, .check_launches = session.check_launches}});
}

} // namespace ingot::tools
