// Plans that were compiled before, by key.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tools/driver/compile_settings.h"

namespace ingot::tools {

// SHA-256 of a file in hex, remembered for as long as the file does not change.
std::string file_sha256(const std::filesystem::path& file, const std::filesystem::path& cache);
// Whether it is known without reading the file.
bool knows_sha256(const std::filesystem::path& file, const std::filesystem::path& cache);

// SHA-256, in hex, over everything that a plan depends on, each part preceded by its length (u64, little
// endian):
//   "ingot plan key 1", the model's SHA-256, the target's row, the context as given (decimal, 0: the
//   model's), the precision, the weights mode, the number of disabled passes, their names (sorted), the build
//   ids of the compiler and of ingot itself, the host ABI number in decimal.
// Throws ir::Error for an unknown target, Failure{failed} where there is no compiler.
std::string plan_key(const std::string& model_sha256, const CompileSettings& settings);

// `cache`/plans/KEY.ingot: where the plan of a model lies, or would.
std::filesystem::path cached_plan(const std::filesystem::path& model, const CompileSettings& settings);

struct CachedPlan {
    std::filesystem::path path;
    uint64_t bytes = 0;
};
// Sorted by path.
std::vector<CachedPlan> list_plans(const std::filesystem::path& cache);
// Removes all plans, leftovers of writers that died, and what is remembered of files; returns the bytes set
// free.
uint64_t clear_plans(const std::filesystem::path& cache);

} // namespace ingot::tools
