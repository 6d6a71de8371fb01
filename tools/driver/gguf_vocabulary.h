// The vocabulary of a GGUF file in the form that the runtime takes.
#pragma once

#include <memory>

#include "frontend/gguf/reader.h"
#include "runtime/text/vocabulary.h"

namespace ingot::tools {

// Its texts point into the file, which it keeps alive. Model `none` where the file has no tokenizer that this
// build knows. Throws ir::Error or runtime::Error for one that contradicts itself or has an unknown
// pre-tokenizer.
runtime::Vocabulary gguf_vocabulary(const std::shared_ptr<const frontend::gguf::File>& file);

} // namespace ingot::tools
