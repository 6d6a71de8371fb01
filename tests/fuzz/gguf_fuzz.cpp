// libFuzzer target: any bytes as a GGUF file, its vocabulary and its model. The first byte says as what: a
// whole file, or a tiny model in whose header bytes are changed. Only ir::Error may come out.
#include "frontend/families/llama_params.h"
#include "frontend/gguf/reader.h"
#include "frontend/vocabulary.h"
#include "ir/error.h"
#include "tests/frontend/gguf_builder.h"
#include "tests/fuzz/changed.h"

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

void read(std::span<const std::byte> bytes) {
    may_fail([&] {
        const auto file = frontend::gguf::File::parse(bytes, "fuzz");
        touch(file);
        may_fail([&] { frontend::read_vocabulary(file); });
        may_fail([&] { frontend::read_llama_params(file); });
    });
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const auto rest = std::as_bytes(std::span(data + 1, size - 1));
    if (data[0] % 2 == 0) {
        read(rest);
    } else {
        static const frontend::test::GgufBuilder model = frontend::test::tiny_llama();
        static const frontend::test::Bytes header = model.header(), whole = model.bytes();
        frontend::test::Bytes bytes = fuzz::changed(header, rest);
        bytes.insert(bytes.end(), whole.begin() + static_cast<std::ptrdiff_t>(header.size()), whole.end());
        read(bytes);
    }
    return 0;
}
