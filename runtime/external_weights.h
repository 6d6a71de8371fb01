// Weights of a plan that was made with `--weights external`: packed from the model file while the plan is
// loaded.
#pragma once

#include "runtime/plan_file.h"

#include <cstddef>
#include <filesystem>
#include <span>

namespace ingot::runtime {

// Fills the plan's weights arena (Plan.weights_bytes, zeroed) from the whole model file, on `threads` threads
// (0: one a core). Throws Error{bad_file} where the file has another size than the plan says, or a piece
// doesn't fit its sources. That it is the same model, and not only of the same size, is for the caller to
// check (Plan.model_sha256).
void pack_external_weights(const PlanFile& plan, std::span<const std::byte> model, std::span<std::byte> arena,
                           unsigned threads = 0);

// The same with the file's path; also Error{io}.
void pack_external_weights(const PlanFile& plan, const std::filesystem::path& model,
                           std::span<std::byte> arena, unsigned threads = 0);

// Throws Error{bad_file} where the file is not the model that the plan was made from, by its SHA-256;
// Error{io}.
void verify_external_model(const PlanFile& plan, const std::filesystem::path& model);

} // namespace ingot::runtime
