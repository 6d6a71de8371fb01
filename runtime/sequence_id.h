// The name of a sequence in a session.
#pragma once

#include <cstdint>

namespace ingot::runtime {

// Never reused within a session: the low half is the slot, the high half counts its uses. So an id that was
// freed is an error and not another caller's sequence.
enum class SequenceId : std::uint64_t {};

} // namespace ingot::runtime
