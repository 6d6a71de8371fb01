// From a GGUF file to graphs.
#pragma once

#include <string>
#include <vector>

#include "frontend/gguf/reader.h"
#include "ir/graph.h"
#include "ir/tensor.h"

namespace ingot::frontend {

// Sizes of a plan that the model does not decide.
struct ImportOptions {
    int64_t context = 0;      // positions of one sequence at most; 0: the model's, at most 4096
    int64_t max_tokens = 512; // tokens of one prefill step
    int64_t batch_tokens =
        0;                 // tokens of one step of the batch graph, for several sequences; 0: no such graph
    int64_t max_rows = 16; // rows of one step of the head
    int64_t max_sequences = 8;
    int64_t page_positions = 64; // positions of a KV page
    ir::Element cache = ir::Element::f16;
};

// What the rest of the project needs to know of a model beside its graphs.
struct ModelFacts {
    std::string name, architecture;
    int64_t layers = 0, embedding = 0, vocabulary_size = 0;
    int64_t context = 0, training_context = 0;
    int64_t pages = 0, pages_per_sequence = 0;
};

struct Model {
    ModelFacts facts;
    // "decode": one token to logits. "prefill": T tokens to the hidden state before the last norm.
    // "batch", where asked for: as prefill, for few tokens.
    // "head": rows of the hidden state to logits. All in the imported phase.
    std::vector<ir::Graph> graphs;
    ir::Weights weights; // views into the file
};

// Throws ir::Error for an architecture that no family reads, or whatever the family finds wrong.
Model import_model(const gguf::File& file, const ImportOptions& options = {});

} // namespace ingot::frontend
