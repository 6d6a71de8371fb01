// Reading fields of a checked description.
#pragma once

#include <cstdlib>

namespace ingot::runtime {

// A field that check_description has proved to be there. FlatBuffers hands every table and vector out as a
// pointer that may be null; this states, once and for the compiler too, that the invariant holds.
template <class T>
const T& required(const T* field) {
    if (field == nullptr) std::abort();
    return *field;
}

} // namespace ingot::runtime
