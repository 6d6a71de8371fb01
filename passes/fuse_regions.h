#pragma once

#include "passes/context.h"

namespace ingot::passes {

// Cuts the graph into kernels: each becomes one `fused` node whose body holds the ops.
//
// Why: at decode a kernel boundary costs a barrier on the host and 1 to 4 µs on a GPU, and what crosses it
// goes through memory. A kernel has one kind of *anchor*, the op that reads much: products, attention,
// embedding. Around it:
// - what computes an anchor's input cheaply enough to be repeated by every thread or workgroup (norm,
//   quantize, gather) is its prologue, as long as no other kernel needs it;
// - what is computed from its output tile by tile (bias, scale, RoPE, KV append, activation, residual,
//   quantize, argmax) is its epilogue. Attention has none but quantize, and no prologue.
// One decoder layer becomes: norm + Q/K/V + RoPE + KV append; attention; output + residual; norm + gate/up +
// activation; down + residual. Products that share their input share a kernel. Weights ops and constants stay
// outside: they are done when the plan is written.
void fuse_regions(ir::Graph& g, const PassContext& context);

} // namespace ingot::passes
