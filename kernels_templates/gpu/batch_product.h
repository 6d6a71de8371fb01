// A matrix product with 2 to 16 rows of quantised activations on NVIDIA's matrix instructions: bound by
// reading the weights once, which arrive as in stream_product.h.
//
// The waves share the columns of the matrix, 128 (a slab) at a time in turn, so each keeps its part of
// the activations in registers for all rows of the weights. In a slab lane l has block l % 4 of tokens l / 4
// and l / 4 + 8, and of row l / 4 of eight rows of weights; both become f16, and the order in which columns
// are summed is that of warpgroup_product.h. A wave scales its part of a token by a power of two that brings
// the greatest number near 1, and its sums back before the waves' sums meet.
#pragma once

#include "gpu/half_blocks.h"
#include "gpu/matrix/mma.h"
#include "gpu/stream_product.h"

namespace ingot_gpu {

// As StreamProduct's.
template <class F, int Halves, int N, int K, int Height, int TileBytes, int Granule, int Rows, int Stages>
struct BatchProduct : StreamProduct<F, Halves, N, K, Height, TileBytes, Granule, Rows, Stages, 384> {
    using Stream = StreamProduct<F, Halves, N, K, Height, TileBytes, Granule, Rows, Stages, 384>;
    static_assert(Rows <= 16 && K % 32 == 0 && has_bulk_copy);
    static constexpr int blocks = K / 32, slabs = (blocks + 3) / 4;
    static constexpr int waves = Stream::consumers / 32, wave_slabs = (slabs + waves - 1) / waves;
    static constexpr bool whole = blocks % (4 * waves) == 0;                          // slabs of all waves
    static constexpr int step_rows = Height < 8 ? 8 : Height, groups = step_rows / 8; // of rows
    static constexpr int step_tiles = step_rows / Height * Halves, steps = Granule / step_rows;
    static_assert(Granule % step_rows == 0 && Stages > step_tiles);
    // A wave's sums of a token: columns of the halves, one behind the other. The padding keeps tokens apart
    // in the banks.
    static constexpr int token_sums = Halves * Granule + 8, sums = waves * Rows * token_sums;
    static constexpr int shared_bytes = Stream::ring_bytes + Stream::barrier_bytes + 2 * sums * 4;
    // Sums that do not wait for each other, of each row.
    static constexpr int chains = 2;
    // Activations as numbers take sixteen registers a slab, as codes nine.
    static constexpr int sets = Rows > 8 ? 2 : 1; // of eight tokens
    static constexpr bool holds_numbers = wave_slabs * sets <= 4, holds_codes = sets == 1 && wave_slabs <= 5;

    struct Numbers {
        Half16 half[2];
    };

    // As StreamProduct's, by a warpgroup that leaves its registers to the others.
    static INGOT_MEMBER void produce(const u8* weights, u8* workspace) {
        give_registers<32>();
        Stream::produce(weights, workspace);
    }
    template <class Ahead, class Read, class Epilogue>
    static INGOT_MEMBER void consume(const u8*, Q8Rows<Rows, K> x, int rows, Read read, Epilogue epilogue) {
        take_registers<160>();
        const int thread = thread_index(), wave = thread / 32, lane = thread % 32;
        const int group = lane / 4;
        f32* const meeting =
            reinterpret_cast<f32*>(shared_memory() + Stream::ring_bytes + Stream::barrier_bytes);
        const auto load = [&](int set, int i) {
            const int block = (wave + i * waves) * 4 + lane % 4, t = group + 8 * set;
            return whole || block < blocks ? x.load(t < rows ? t : rows - 1, block) : Q8Block{};
        };
        Q8Block codes[sets][holds_codes && !holds_numbers ? wave_slabs : 1];
        Numbers numbers[sets][holds_numbers ? wave_slabs : 1];
        f32 factor[sets];
#pragma unroll
        for (int set = 0; set < sets; ++set) {
            f32 largest = 0;
            if constexpr (holds_numbers) {
                Q8Block raw[wave_slabs];
#pragma unroll
                for (int i = 0; i < wave_slabs; ++i)
                    raw[i] = load(set, i);
#pragma unroll
                for (int i = 0; i < wave_slabs; ++i)
                    largest = max(largest, raw[i].scale);
                factor[set] = factor_of_token(largest);
#pragma unroll
                for (int i = 0; i < wave_slabs; ++i)
                    numbers[set][i] = convert(raw[i], factor[set]);
            } else if constexpr (holds_codes) {
#pragma unroll
                for (int i = 0; i < wave_slabs; ++i)
                    codes[set][i] = load(set, i);
#pragma unroll
                for (int i = 0; i < wave_slabs; ++i)
                    largest = max(largest, codes[set][i].scale);
                factor[set] = factor_of_token(largest);
            } else {
                for (int i = 0; i < wave_slabs; ++i)
                    largest = max(largest, load(set, i).scale);
                factor[set] = factor_of_token(largest);
            }
        }

        int n = 0;
        for (int turn = 0;; ++turn) {
            const int g = Stream::next_granule(turn, n);
            if (g < 0) break;
            f32* const out = meeting + (turn & 1) * sums;
            const bool valid = lane < Granule && g * Granule + lane < N;
            constexpr int turns = (Rows + waves - 1) / waves;
            Ahead ahead[turns];
#pragma unroll
            for (int i = 0; i < turns; ++i)
                if (wave + i * waves < rows) read(g * Granule + lane, valid, wave + i * waves, ahead[i]);
            for (int step = 0; step < steps; ++step, n += step_tiles) {
#pragma unroll
                for (int i = 0; i < step_tiles; ++i)
                    mbarrier_wait(Stream::full((n + i) % Stages), u32((n + i) / Stages) & 1);
                f32 s[Halves][groups][chains][4] = {};
#pragma unroll(holds_numbers || holds_codes ? wave_slabs : 2)
                for (int i = 0; i < wave_slabs; ++i) {
                    const int block = (wave + i * waves) * 4 + lane % 4;
                    Numbers a[2] = {};
#pragma unroll
                    for (int set = 0; set < sets; ++set)
                        if constexpr (holds_numbers)
                            a[set] = numbers[set][i];
                        else
                            a[set] = convert(holds_codes ? codes[set][i] : load(set, i), factor[set]);
#pragma unroll
                    for (int h = 0; h < Halves; ++h)
#pragma unroll
                        for (int r = 0; r < groups; ++r) {
                            const int row = r * 8 + group, tile = row / Height * Halves + h;
                            const u8* const at = shared_memory() + (n + tile) % Stages * TileBytes;
                            typename F::Chunk w = {};
                            if (whole || block < blocks)
                                w = F::template load<K, Height>(at, row % Height, block);
#pragma unroll
                            for (int half = 0; half < 2; ++half) {
                                const Half16 b = F::numbers(w, half);
#pragma unroll
                                for (int p = 0; p < 8; p += 2)
                                    multiply(s[h][r][half], a[0].half[half].words[p],
                                             a[1].half[half].words[p], a[0].half[half].words[p + 1],
                                             a[1].half[half].words[p + 1], b.words[p], b.words[p + 1]);
                            }
                        }
                }
#pragma unroll
                for (int i = 0; i < step_tiles; ++i)
                    mbarrier_arrive(Stream::empty((n + i) % Stages));
#pragma unroll
                for (int set = 0; set < sets; ++set) {
                    if (group + 8 * set >= rows) continue;
                    const f32 back = 1.0f / factor[set];
#pragma unroll
                    for (int h = 0; h < Halves; ++h)
#pragma unroll
                        for (int r = 0; r < groups; ++r)
#pragma unroll
                            for (int c = 0; c < 2; ++c) {
                                const int column = step * step_rows + r * 8 + lane % 4 * 2 + c,
                                          e = 2 * set + c;
                                const f32(&sum)[chains][4] = s[h][r];
                                out[sum_at(wave, group + 8 * set, h * Granule + column)] =
                                    (sum[0][e] + sum[1][e]) * back;
                            }
                }
            }
            part_barrier<Stream::consumers>();
            // As in StreamProduct: the next granule's sums go elsewhere.
#pragma unroll
            for (int i = 0; i < turns; ++i) {
                const int t = wave + i * waves;
                if (t >= rows) break;
                f32 y[Halves] = {};
                if (lane < Granule) {
#pragma unroll
                    for (int h = 0; h < Halves; ++h)
#pragma unroll
                        for (int p = 0; p < waves; ++p)
                            y[h] += out[sum_at(p, t, h * Granule + lane)];
                }
                epilogue(g * Granule + lane, valid, t, i, y, ahead[i]);
            }
        }
    }

  private:
    static INGOT_MEMBER int sum_at(int wave, int token, int column) {
        return (wave * Rows + token) * token_sums + column;
    }
    // Of the greatest scale among the four lanes that have a token.
    static INGOT_MEMBER f32 factor_of_token(f32 scale) {
        scale = max(scale, shuffle_xor(scale, 1));
        return factor_for(max(scale, shuffle_xor(scale, 2)) * 127.0f);
    }
    static INGOT_MEMBER Numbers convert(const Q8Block& b, f32 factor) {
        Numbers out;
#pragma unroll
        for (int half = 0; half < 2; ++half)
            out.half[half] = Q8HalfBlocks<Rows, K>::numbers(
                {{b.codes[half * 4], b.codes[half * 4 + 1], b.codes[half * 4 + 2], b.codes[half * 4 + 3]},
                 b.scale},
                factor);
        return out;
    }
};

} // namespace ingot_gpu
