// The llama family: RMS norm, grouped-query attention with rotary positions, gated SiLU feed-forward.
#pragma once

#include "frontend/import.h"

namespace ingot::frontend {

// Accepts architecture "llama". Throws what read_llama_params throws.
Model import_llama(const gguf::File& file, const ImportOptions& options);

} // namespace ingot::frontend
