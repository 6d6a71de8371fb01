// Renders a parsed template.
#pragma once

#include "runtime/text/jinja/syntax.h"
#include "runtime/text/jinja/value.h"

#include <cstdint>
#include <ctime>
#include <optional>

namespace ingot::runtime::jinja {

struct RenderLimits {
    std::uint64_t steps = 10'000'000;             // each of the order of 100 ns
    std::uint64_t bytes = std::uint64_t{1} << 29; // of everything that is made on the way
    std::uint64_t output_bytes = std::uint64_t{1} << 26;
};

// `variables` are what the template's names mean at its start. Throws Error at a place in the template:
// invalid_argument where the template or Python refuses these variables, unsupported where a limit is reached
// or only this interpreter refuses.
MarkedText render(const Template& source, const Entries& variables, const std::optional<std::tm>& now,
                  const RenderLimits& limits);

} // namespace ingot::runtime::jinja
