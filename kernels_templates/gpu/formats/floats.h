// Weights that are numbers, with activations in f32.
#pragma once

#include "gpu/formats/blocks.h"

namespace ingot_gpu {

template <int N>
struct F32Chunk {
    f32 x[N];
};

// Activations of K columns in f32; a chunk past the end of a row is padded with zeros.
template <int K, int N>
struct F32Rows {
    const f32* base;
    INGOT_MEMBER F32Chunk<N> load(int row, int chunk) const {
        F32Chunk<N> c;
#pragma unroll
        for (int i = 0; i < N; ++i)
            c.x[i] = K % N == 0 || chunk * N + i < K ? base[u64(u32(row)) * K + chunk * N + i] : 0.0f;
        return c;
    }
};

// Size is the bytes of a number, `Convert::number(words, i)` number i of a chunk.
template <class Convert, int Size>
struct FloatFormat {
    static constexpr int chunk = 16 / Size;
    struct Chunk {
        Words4 words;
    };
    template <int K, int H>
    static INGOT_MEMBER Chunk load(const u8* tile, int row, int at) {
        return {load_words(tile + row * padded16(K * Size) + at * 16)};
    }
    static INGOT_MEMBER f32 dot(const Chunk& w, const F32Chunk<chunk>& a) {
        const u32 words[4] = {w.words.x, w.words.y, w.words.z, w.words.w};
        f32 s = 0;
#pragma unroll
        for (int i = 0; i < chunk; ++i)
            s += Convert::number(words, i) * a.x[i];
        return s;
    }
    // Sixteen numbers of a row, for products of many rows.
    struct HalfBlock {
        Words4 words[Size];
    };
    template <int K, int H>
    static INGOT_MEMBER HalfBlock load_half(const u8* tile, int row, int at) {
        HalfBlock out;
#pragma unroll
        for (int i = 0; i < Size; ++i)
            out.words[i] = load_words(tile + row * padded16(K * Size) + at * (16 * Size) + i * 16);
        return out;
    }
    static INGOT_MEMBER Half16 numbers(const HalfBlock& w, int) {
        return pairs(w, [](f32 first, f32 second) { return pair_f16(first, second); });
    }
    // What numbers() leaves of them, in f16.
    static INGOT_MEMBER Half16 rest(const HalfBlock& w) {
        return pairs(w, [](f32 first, f32 second) { return rest_of_pair(first, second); });
    }
    template <int K, int H>
    static INGOT_MEMBER f32 element(const u8* tile, int row, int k) {
        const Words4 four = load_words(tile + row * padded16(K * Size) + k / chunk * 16);
        const u32 words[4] = {four.x, four.y, four.z, four.w};
        return Convert::number(words, k % chunk);
    }

  private:
    template <class Pair>
    static INGOT_MEMBER Half16 pairs(const HalfBlock& w, Pair pair) {
        Half16 out;
#pragma unroll
        for (int i = 0; i < 8; ++i) {
            const Words4& four = w.words[i * 2 / chunk];
            const u32 words[4] = {four.x, four.y, four.z, four.w};
            out.words[i] =
                pair(Convert::number(words, i * 2 % chunk), Convert::number(words, i * 2 % chunk + 1));
        }
        return out;
    }
};

struct ConvertF32 {
    static INGOT_MEMBER f32 number(const u32 (&w)[4], int i) { return float_of(w[i]); }
};
struct ConvertF16 {
    static INGOT_MEMBER f32 number(const u32 (&w)[4], int i) {
        return f16_to_f32(u16(w[i / 2] >> (i % 2 * 16)));
    }
};
struct ConvertBF16 {
    static INGOT_MEMBER f32 number(const u32 (&w)[4], int i) {
        return float_of(i % 2 == 0 ? w[i / 2] << 16 : w[i / 2] & 0xffff0000u);
    }
};

} // namespace ingot_gpu
