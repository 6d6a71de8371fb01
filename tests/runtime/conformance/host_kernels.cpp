// Kernels of the conformance suite for the host device. Vectors have 1000 elements of i32; every thread does
// every threads-th element.
#include "runtime/host_abi.h"

using ingot_host::Call;

namespace {

constexpr int32_t count = 1000;

template <class F>
void each(const Call* call, F&& f) {
    for (uint32_t i = call->thread; i < count; i += call->threads)
        f(static_cast<int32_t>(i));
}

int32_t* operand(const Call* call, int index) {
    return static_cast<int32_t*>(call->operand[index]);
}

} // namespace

extern "C" {

// (out): out[i] = 1000 * first symbol + i
void conformance_fill(const Call* call) {
    each(call, [&](int32_t i) { operand(call, 0)[i] = 1000 * call->dims[0] + i; });
}

// (a, b, out): out[i] = a[i] + b[i]
void conformance_add(const Call* call) {
    each(call, [&](int32_t i) { operand(call, 2)[i] = operand(call, 0)[i] + operand(call, 1)[i]; });
}

// (in, out): out[i] = in[i + 1] + 1, around the end: reads what other threads wrote.
void conformance_rotate(const Call* call) {
    each(call, [&](int32_t i) { operand(call, 1)[i] = operand(call, 0)[(i + 1) % count] + 1; });
}

// (inout): the same in place, as two steps within one kernel.
void conformance_rotate_in_place(const Call* call) {
    int32_t next[count];
    each(call, [&](int32_t i) { next[i] = operand(call, 0)[(i + 1) % count] + 1; });
    ingot_host::barrier(call->team);
    each(call, [&](int32_t i) { operand(call, 0)[i] = next[i]; });
}

// (out): out[i] = second symbol
void conformance_second(const Call* call) {
    each(call, [&](int32_t i) { operand(call, 0)[i] = call->dims[1]; });
}
}
