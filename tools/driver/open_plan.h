// MODEL or PLAN → an open plan, compiled on first use; and that plan on a device.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "runtime/loaded_plan.h"
#include "runtime/plan_file.h"
#include "runtime/session.h"
#include "tools/driver/compile_model.h"
#include "tools/driver/compile_settings.h"

namespace ingot::tools {

struct OpenedPlan {
    std::shared_ptr<const runtime::PlanFile> file;
    std::filesystem::path model;           // where the user gave a model
    std::optional<CompileReport> compiled; // unless the plan was there
};

// Throws Failure{bad_input} where the settings hold what only a compilation can follow.
void require_no_compilation(const CompileSettings& settings, const std::filesystem::path& plan);

// Opens a plan; or the cached plan of a model, which is compiled (again) where it is not there or is damaged.
// Throws Failure{bad_input} for settings that a finished plan can't follow.
OpenedPlan open_plan(const std::filesystem::path& model_or_plan, const CompileSettings& settings, bool quiet);

// The plan on a device. External weights come from the model that the user gave, else from where the plan
// says; that must be the model that the plan was made from, by its SHA-256: Failure{bad_input}.
std::shared_ptr<const runtime::LoadedPlan>
load_plan(const OpenedPlan& plan, std::shared_ptr<runtime::Device> device, const CompileSettings& settings);

// Where and how a plan runs.
struct SessionSettings {
    std::string device = "host";
    unsigned threads = 0;        // 0: one a core
    bool check_launches = false; // as runtime::QueueOptions
    std::filesystem::path model; // for external weights; empty: where the plan says
};
std::unique_ptr<runtime::Session> open_session(const OpenedPlan& plan, const SessionSettings& session,
                                               const CompileSettings& settings);

} // namespace ingot::tools
