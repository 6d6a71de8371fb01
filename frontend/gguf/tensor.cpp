#include "frontend/gguf/tensor.h"

#include "frontend/gguf/text.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace ingot::frontend::gguf {
namespace {

constexpr uint64_t max_name = 63; // ggml keeps names in 64 bytes, the last of them NUL
constexpr uint32_t max_dims = 4;
constexpr uint64_t smallest_entry = 8 + 1 + 4 + 8 + 4 + 8; // name of one byte, one dim

std::string_view read_name(Cursor& cursor, uint64_t index) {
    const auto length = cursor.read<uint64_t>("the name of tensor {}", index);
    if (length == 0) cursor.fail(fmt::format("tensor {} has an empty name", index));
    if (length > max_name)
        cursor.fail(fmt::format("the name of tensor {} is {} bytes long; at most {} are allowed", index,
                                length, max_name));
    const std::string_view name = as_text(cursor.take(length, "the name of tensor {}", index));
    if (name.find('\0') != name.npos)
        cursor.fail(fmt::format("the name of tensor {}, {}, has a NUL in it", index, quoted(name)));
    if (!valid_utf8(name))
        cursor.fail(fmt::format("the name of tensor {}, {}, is not UTF-8", index, quoted(name)));
    return name;
}

// Sets `bytes`, checking each product where it is made.
void measure(TensorInfo& tensor, const Cursor& cursor) {
    const auto fail = [&](std::string_view why) {
        cursor.fail(fmt::format("tensor {}: {}", quoted(tensor.name), why));
    };
    const ir::ElementInfo& element = ir::info(tensor.element);
    uint64_t elements = 1;
    for (const uint64_t dim : tensor.dims) {
        if (dim == 0) fail(fmt::format("a dimension is 0 in {}", dims_text(tensor.dims)));
        if (__builtin_mul_overflow(elements, dim, &elements) || elements > INT64_MAX)
            fail(fmt::format("{} elements are more than 63 bits can count", dims_text(tensor.dims)));
    }
    if (tensor.row_length() % element.block_elements != 0)
        fail(fmt::format("a row of {} elements is not whole blocks of {}, as {} needs", tensor.row_length(),
                         element.block_elements, element.gguf));
    const auto row = ir::row_bytes(tensor.element, tensor.row_length());
    if (!row || __builtin_mul_overflow(*row, tensor.rows(), &tensor.bytes) || tensor.bytes > INT64_MAX)
        fail(fmt::format("{} of {} are more bytes than 63 bits can count", dims_text(tensor.dims),
                         element.gguf));
}

TensorInfo read_entry(Cursor& cursor, uint64_t index) {
    TensorInfo tensor{.name = read_name(cursor, index), .dims = {}, .element = ir::Element::f32, .data = {}};
    const Quoted name{tensor.name};
    const auto dims = cursor.read<uint32_t>("tensor {}", name);
    if (dims == 0 || dims > max_dims)
        cursor.fail(fmt::format("tensor {} has {} dimensions; 1 to {} are allowed", name, dims, max_dims));
    for (uint32_t i = 0; i < dims; ++i)
        tensor.dims.push_back(cursor.read<uint64_t>("tensor {}", name));

    const auto type = cursor.read<uint32_t>("tensor {}", name);
    const auto element = ir::element_from_gguf(type);
    if (!element)
        cursor.fail(
            fmt::format("tensor {} has the unknown element type {}: the file is damaged, or newer than "
                        "this build; this build computes with {}",
                        name, type, runnable_types()));
    tensor.element = *element;
    tensor.offset = cursor.read<uint64_t>("tensor {}", name);
    measure(tensor, cursor);
    return tensor;
}

} // namespace

uint64_t TensorInfo::rows() const {
    // Cannot wrap: the product of all dims was checked when the table was read.
    return std::accumulate(dims.begin() + 1, dims.end(), uint64_t{1}, std::multiplies<>());
}

std::string dims_text(std::span<const uint64_t> dims) {
    return fmt::format("[{}]", fmt::join(dims, ", "));
}

std::vector<TensorInfo> read_tensor_table(Cursor& cursor, uint64_t count) {
    if (count > cursor.left() / smallest_entry)
        cursor.fail(fmt::format("the header speaks of {} tensors, but {} bytes are left in the file: it is "
                                "truncated or damaged; fetch or convert it again",
                                count, cursor.left()));
    std::vector<TensorInfo> tensors;
    for (uint64_t i = 0; i < count; ++i)
        tensors.push_back(read_entry(cursor, i));
    return tensors;
}

void place_tensors(std::vector<TensorInfo>& tensors, std::span<const std::byte> section, uint64_t alignment,
                   const Cursor& cursor) {
    for (TensorInfo& tensor : tensors) {
        if (tensor.offset % alignment != 0)
            cursor.fail(fmt::format("tensor {} starts at offset {}, not a multiple of the alignment {}",
                                    quoted(tensor.name), tensor.offset, alignment));
        if (tensor.offset > section.size() || tensor.bytes > section.size() - tensor.offset)
            cursor.fail(fmt::format("tensor {} ({} bytes at offset {}) ends past the {} bytes of data in the "
                                    "file: it is truncated or damaged; fetch or convert it again",
                                    quoted(tensor.name), tensor.bytes, tensor.offset, section.size()));
        tensor.data = section.subspan(tensor.offset, tensor.bytes);
    }
    std::vector<const TensorInfo*> order;
    for (const TensorInfo& tensor : tensors)
        order.push_back(&tensor);
    std::ranges::sort(order, {}, &TensorInfo::offset);
    for (size_t i = 1; i < order.size(); ++i) {
        const TensorInfo& before = *order[i - 1];
        const TensorInfo& after = *order[i];
        if (before.offset + before.bytes > after.offset)
            cursor.fail(fmt::format("tensors {} and {} overlap: {} bytes at offset {} reach past offset {}",
                                    quoted(before.name), quoted(after.name), before.bytes, before.offset,
                                    after.offset));
    }
}

std::string runnable_types() {
    std::vector<std::string_view> names;
    for (const ir::ElementInfo& element : ir::all_elements())
        if (element.runs && element.gguf_id >= 0) names.push_back(element.gguf);
    return fmt::format("{}", fmt::join(names, ", "));
}

} // namespace ingot::frontend::gguf
