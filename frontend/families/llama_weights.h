// Finds and checks the tensors of a llama model; a part of read_llama_params.
#pragma once

#include "frontend/families/llama_params.h"
#include "frontend/gguf/reader.h"

namespace ingot::frontend {

// Fills in every TensorInfo pointer, `tied` and the warnings about unknown tensors; all sizes are set
// already.
void find_llama_weights(const gguf::File& file, LlamaParams& params);

} // namespace ingot::frontend
