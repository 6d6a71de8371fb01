// Kernels of the conformance suite for stand-ins of GPU drivers. Vectors have 1000 elements of i32.
#include "tests/standin/code.h"

#include <algorithm>
#include <cstdint>

using ingot::standin::Launch;

namespace {

constexpr std::size_t count = 1000;

std::int32_t* vector(void** arguments, std::size_t i) {
    return *static_cast<std::int32_t**>(arguments[i]);
}

std::int32_t number(void** arguments, std::size_t i) {
    return *static_cast<std::int32_t*>(arguments[i]);
}

} // namespace

extern "C" {

// The suite's lists have one symbol as a rule: it follows the operands, and kernels that don't want it leave
// it.
char conformance_fill_arguments[] = "pi";
void conformance_fill(void** arguments, const Launch&) {
    for (std::size_t i = 0; i < count; ++i)
        vector(arguments, 0)[i] = 1000 * number(arguments, 1) + static_cast<std::int32_t>(i);
}

char conformance_add_arguments[] = "ppp";
void conformance_add(void** arguments, const Launch&) {
    for (std::size_t i = 0; i < count; ++i)
        vector(arguments, 2)[i] = vector(arguments, 0)[i] + vector(arguments, 1)[i];
}

char conformance_rotate_arguments[] = "pp";
void conformance_rotate(void** arguments, const Launch&) {
    for (std::size_t i = 0; i < count; ++i)
        vector(arguments, 1)[i] = vector(arguments, 0)[(i + 1) % count] + 1;
}

char conformance_rotate_in_place_arguments[] = "p";
void conformance_rotate_in_place(void** arguments, const Launch&) {
    std::int32_t* const values = vector(arguments, 0);
    std::rotate(values, values + 1, values + count);
    std::for_each(values, values + count, [](std::int32_t& v) { ++v; });
}

char conformance_second_arguments[] = "pii";
void conformance_second(void** arguments, const Launch&) {
    std::fill_n(vector(arguments, 0), count, number(arguments, 2));
}
}
