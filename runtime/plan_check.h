// The checks of a plan's description: everything that a device and a session rely on without looking again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace ingot::plan {
struct Plan;
}

namespace ingot::runtime {

struct CheckedSizes {
    std::uint64_t code_bytes = 0;    // of the code segment
    std::uint64_t weights_bytes = 0; // of the weights segment; 0 where the weights are external
};

// Verifies the FlatBuffer (bounds, depth at most 16, at most 2^20 tables), then its meaning:
// - arena sizes are below 2^46; every operand, binding, weight share, tensor, external piece and cache plane
// lies inside
//   its arena and is aligned as plan.fbs says;
// - every launch names a kernel, every kernel a range of the code segment;
// - symbols have bounds 0 <= min <= max, names are unique; a binding's dims are constants or symbols of its
// program, and
//   with all symbols at their maximum it fills no more than its buffer;
// - bindings of one name share their offset and element in all programs, others don't overlap within the io
// arena;
// - the cache's planes don't overlap, its page table binding has the cache's shape;
// - the vocabulary's lists have plausible lengths (its meaning is checked by `validate` of
// text/vocabulary.h). Throws Error{bad_file} naming the part at fault, `where` in front. The reference lives
// as long as `description`.
const plan::Plan& check_description(std::span<const std::byte> description, const CheckedSizes& sizes,
                                    const std::string& where);

} // namespace ingot::runtime
