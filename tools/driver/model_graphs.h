// A model file → its graphs, in any phase up to `planned`.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "frontend/gguf/reader.h"
#include "frontend/import.h"
#include "tools/driver/compile_settings.h"

namespace ingot::tools {

struct ImportedModel {
    std::shared_ptr<const frontend::gguf::File> file;
    frontend::Model model; // its weights are views into the file
};

// Throws ir::Error for whatever the file or the family finds wrong.
ImportedModel import_file(const std::filesystem::path& path, const CompileSettings& settings);

// One pass over all graphs.
struct PassTime {
    std::string name;
    double seconds = 0;
    bool changed = false; // any of them
};

// Runs the pipeline on all graphs as the settings want it; `times`, where it is given, gets one entry a pass.
void run_passes(ImportedModel& imported, ir::Phase stop_after, const CompileSettings& settings,
                std::vector<PassTime>* times = nullptr);

} // namespace ingot::tools
