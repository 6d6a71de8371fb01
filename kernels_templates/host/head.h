// Greedy choice of a token: the index of the largest logit. The lowest index wins a tie; a row with a NaN
// anywhere has no best one, which is reported as -1.
#pragma once

#include "math.h"
#include "runtime/host_abi.h"
#include "share.h"

namespace ingot_host {

struct Best {
    float value;
    i32 id; // -1: there was a NaN
};

inline Best better(Best a, Best b) {
    if (a.id < 0 || b.id < 0) return {0.0f, -1};
    if (a.value != b.value) return a.value > b.value ? a : b;
    return a.id < b.id ? a : b;
}

// The best by lanes, fed with vectors in ascending order; a matrix product's epilogue can keep one of these
// and never store the logits.
struct BestLanes {
    f32x16 value = broadcast(-__builtin_inff());
    // Beyond every id, so that a row of nothing but -infinity still ends with its lowest id (see `fold`).
    i32x16 id = i32x16{} + 0x7fffffff;
    i32x16 nan = {};

    // y is the logits first .. first+15, of which those from `valid` on don't exist.
    void fold(f32x16 y, i32 first, int valid = lanes) {
        const i32x16 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
        i32x16 take = (y > value) | ((y == value) & (id == 0x7fffffff));
        if (valid < lanes) {
            take &= lane < valid;
            nan |= (y != y) & (lane < valid);
        } else {
            nan |= y != y;
        }
        value = take ? y : value;
        id = take ? lane + first : id;
    }

    Best best() const {
        Best b = {value[0], nan[0] != 0 ? -1 : id[0]};
        for (int i = 1; i < lanes; ++i)
            b = better(b, {value[i], nan[i] != 0 ? -1 : id[i]});
        return b;
    }
};

// Bytes of the workspace of `argmax`; zero before the first call, and its counter is zero after every call.
constexpr u64 argmax_workspace_bytes(u32 threads, int rows) {
    return 64 + u64(threads) * u64(rows) * sizeof(Best);
}

// Where a thread leaves its best of a row.
inline Best* argmax_slot(void* workspace, const Call* c, int row) {
    return reinterpret_cast<Best*>(static_cast<u8*>(workspace) + 64) + u64(u32(row)) * c->threads + c->thread;
}

// Every thread calls this once its slots of all rows are filled; the last one writes ids[row].
inline void argmax_combine(const Call* c, int rows, void* workspace, i32* ids) {
    u32* counter = static_cast<u32*>(workspace);
    if (__atomic_add_fetch(counter, 1, __ATOMIC_ACQ_REL) != c->threads) return;
    __atomic_store_n(counter, 0, __ATOMIC_RELAXED);
    for (int row = 0; row < rows; ++row) {
        const Best* slots = argmax_slot(workspace, c, row) - c->thread;
        Best b = slots[0];
        for (u32 i = 1; i < c->threads; ++i)
            b = better(b, slots[i]);
        ids[row] = b.id;
    }
}

// logits: f32 [rows][V], complete before the call; ids: i32 [rows]. Every row is shared among all threads.
template <int V>
inline void argmax(const Call* c, const float* logits, int rows, void* workspace, i32* ids) {
    constexpr int vectors = (V + lanes - 1) / lanes;
    const Share mine = share(vectors, int(c->thread), int(c->threads));
    for (int row = 0; row < rows; ++row) {
        const float* x = logits + u64(u32(row)) * V;
        BestLanes best;
        const int whole = mine.end < V / lanes ? mine.end : V / lanes;
        for (int i = mine.begin; i < whole; ++i)
            best.fold(load<f32x16>(x + i * lanes), i * lanes);
        if (V % lanes != 0 && mine.begin < mine.end && mine.end == vectors) {
            f32x16 y = {};
            for (int i = 0; i < V % lanes; ++i)
                y[i] = x[V / lanes * lanes + i];
            best.fold(y, V / lanes * lanes, V % lanes);
        }
        *argmax_slot(workspace, c, row) = best.best();
    }
    argmax_combine(c, rows, workspace, ids);
}

} // namespace ingot_host
