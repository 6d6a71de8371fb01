// A small decoder layer built by hand, for tests of passes: every op that a model's layer has.
#pragma once

#include "ir/graph.h"

namespace ingot::tests {

struct DecoderShape {
    int64_t embedding = 64, heads = 4, kv_heads = 2, head_dim = 16, ffn = 96, pages = 3, page = 16;
    int64_t max_tokens = 1; // more than one: T is a symbol
    ir::Element weights = ir::Element::q4_1;
};

ir::Graph decoder_layer(const DecoderShape& shape);

} // namespace ingot::tests
