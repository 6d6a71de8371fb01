// The tensor table of a GGUF file.
#pragma once

#include "frontend/gguf/cursor.h"
#include "ir/element.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::frontend::gguf {

struct TensorInfo {
    std::string_view name;      // into the file
    std::vector<uint64_t> dims; // 1 to 4, none 0; ggml's order: dims[0] varies fastest and is a row's length
    ir::Element element;        // any type that the format knows; see require_runnable
    uint64_t offset = 0;        // from the start of the data section
    uint64_t bytes = 0;         // exact, without padding
    std::span<const std::byte> data; // into the file, `bytes` long

    uint64_t row_length() const { return dims[0]; }
    uint64_t rows() const; // the product of the other dims
};

// "[576, 49152]"
std::string dims_text(std::span<const uint64_t> dims);

// Reads `count` entries of the table; data stays empty. ir::Error for a name that is empty, 64 bytes or
// longer, has a NUL or is not UTF-8; for other than 1 to 4 dims; for a dim of 0; for an unknown element type;
// for rows that are not whole blocks; for a size that does not fit 63 bits.
std::vector<TensorInfo> read_tensor_table(Cursor& cursor, uint64_t count);

// Fills in `data` from the bytes of the data section. ir::Error for an offset that is not a multiple of
// `alignment`, for a tensor that ends past the section, and for two tensors that share bytes. Gaps and any
// order are fine.
void place_tensors(std::vector<TensorInfo>& tensors, std::span<const std::byte> section, uint64_t alignment,
                   const Cursor& cursor);

// The names of the element types that this build computes with: "F32, F16, ...".
std::string runnable_types();

} // namespace ingot::frontend::gguf
