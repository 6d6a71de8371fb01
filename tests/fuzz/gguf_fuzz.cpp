// libFuzzer target: any bytes as a GGUF file, its vocabulary and its model. Only ir::Error may come out.
#include "frontend/families/llama_params.h"
#include "frontend/gguf/reader.h"
#include "frontend/vocabulary.h"
#include "ir/error.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

using namespace ingot;

namespace {

// Touches what the reader promises, so that a sanitizer sees a view that leaves the file.
void touch(const frontend::gguf::File& file) {
    size_t sum = 0;
    for (const auto& [key, value] : file.metadata()) {
        sum += frontend::gguf::describe(value).size() + frontend::gguf::to_text(value, 100).size();
        if (file.find(key) != &value) std::abort();
    }
    for (const frontend::gguf::TensorInfo& tensor : file.tensors()) {
        if (tensor.data.size() != tensor.bytes || tensor.bytes == 0 ||
            file.find_tensor(tensor.name) != &tensor)
            std::abort();
        sum += static_cast<size_t>(tensor.data.front()) + static_cast<size_t>(tensor.data.back());
    }
    if (sum == SIZE_MAX) std::abort(); // uses the sum, so that no read is optimised away
}

template <class Read>
void may_fail(Read read) {
    try {
        read();
    } catch (const ir::Error&) {
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    may_fail([&] {
        const auto file = frontend::gguf::File::parse(std::as_bytes(std::span(data, size)), "fuzz");
        touch(file);
        may_fail([&] { frontend::read_vocabulary(file); });
        may_fail([&] { frontend::read_llama_params(file); });
    });
    return 0;
}
