// Rotary embedding where heads or slices don't begin at a panel's border.
#pragma once

#include "rope.h"

namespace ingot_host {

// Turns the pairs of channels `channel` .. channel+15 of a row of heads of D channels; `channel` is even.
template <int D>
inline f32x16 rotate_channels(f32x16 y, const float* angles, int channel) {
    if constexpr (D % lanes == 0) {
        if (channel % lanes == 0) return rotate_pairs(y, angles + channel % D);
    }
    float across[lanes];
    for (int i = 0; i < lanes; ++i)
        across[i] = angles[(channel + i) % D];
    return rotate_pairs(y, across);
}

} // namespace ingot_host
