// Small models of the llama family with random weights, in any shape and weight format.
#pragma once

#include "tests/frontend/gguf_builder.h"

#include <cstdint>
#include <filesystem>

namespace ingot::tests {

struct RandomLlama {
    frontend::test::TinyLlama shape;
    bool biases = false; // of q, k and v
    std::uint64_t seed = 1;
};

// The vocabulary is SentencePiece's: all bytes, then single letters and a few words. It needs 320 tokens or
// more.
frontend::test::GgufBuilder random_llama(const RandomLlama& model);

// A file in a folder of its own, both gone with this object.
class TemporaryFile {
  public:
    TemporaryFile(const std::string& name, const frontend::test::Bytes& bytes);
    ~TemporaryFile();
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

} // namespace ingot::tests
