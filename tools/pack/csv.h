// Memory planning problems as MiniMalloc's CSV (github.com/google/minimalloc).
//
// The first line names the columns, in any order: `id` (also `buffer`, `buffer_id`), `lower` (`begin`,
// `start`), `upper` or `end`, `size`, and where wanted `alignment`. A buffer lives in [lower, upper); an
// `end` is the last time itself, so upper = end + 1. Other columns, `hint` and a former `offset` among them,
// say nothing to us, but `gaps` must be empty.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "passes/memory/problem.h"

namespace ingot::tools {

struct PackProblem {
    std::vector<std::string> ids; // of the buffers, as they stand in the file
    passes::memory::Problem problem;
};

// Any bytes give a problem or a Failure{bad_input} "NAME:LINE: message". Numbers are decimal and of 63 bits,
// with sign for times; sizes are at least 0, alignments at least 1, and no life ends before it begins.
PackProblem parse_pack_csv(std::string_view text, const std::string& name);

// id,lower,upper,size[,alignment],offset: MiniMalloc's own order. Alignments are left out where all are 1.
std::string format_pack_csv(const PackProblem& problem, const std::vector<uint64_t>& offsets);

} // namespace ingot::tools
