// Where attention's finished rows go. An output names the granule of channels that it wants whole, `block`;
// it is called as out(token, channel, values, count) with multiples of that, each channel of a token once.
#pragma once

#include "quantize.h"

namespace ingot_host {

// f32 [tokens][Channels].
template <int Channels>
struct F32Rows {
    static constexpr int block = 1;
    float* rows;

    void operator()(int token, int channel, const float* values, int count) const {
        float* to = rows + u64(u32(token)) * Channels + channel;
        for (int i = 0; i < count; ++i)
            to[i] = values[i];
    }
};

// Q8Row<Channels> [tokens] (activation.h): quantised where it is made, so that its readers don't.
template <int Channels>
struct Q8Rows {
    static constexpr int block = 32;
    u8* rows;

    void operator()(int token, int channel, const float* values, int count) const {
        u8* to = rows + u64(u32(token)) * Q8Row<Channels>::bytes;
        for (int i = 0; i < count; i += block)
            quantize_block<Channels>(load<f32x16>(values + i), load<f32x16>(values + i + lanes), to,
                                     (channel + i) / block);
    }
};

} // namespace ingot_host
