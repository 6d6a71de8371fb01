#include "ir/tensor.h"

#include <bit>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/float16.h"
#include "ir/invariant.h"

static_assert(std::endian::native == std::endian::little, "block formats are read as they lie in the file");

namespace ingot::ir {
namespace {

constexpr size_t block = 32; // elements of every block format that runs

template <class T>
T load(const std::byte* at) {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

float load_f16(const std::byte* at) {
    return f16_to_f32(load<uint16_t>(at));
}

// Codes of 4 bits: byte i holds element i in its low half and element i + 16 in its high half.
int code4(const std::byte* codes, size_t i) {
    const auto byte = std::to_integer<int>(codes[i % 16]);
    return i < 16 ? byte & 15 : byte >> 4;
}

int code5(const std::byte* codes, uint32_t high_bits, size_t i) {
    return code4(codes, i) | static_cast<int>(high_bits >> i & 1u) << 4;
}

void dequantize_block(Element element, const std::byte* b, float* out) {
    switch (element) {
    case Element::q4_0: { // f16 scale, 16 bytes of codes
        const float scale = load_f16(b);
        for (size_t i = 0; i < block; ++i)
            out[i] = static_cast<float>(code4(b + 2, i) - 8) * scale;
        return;
    }
    case Element::q4_1: { // f16 scale, f16 minimum, 16 bytes of codes
        const float scale = load_f16(b), min = load_f16(b + 2);
        for (size_t i = 0; i < block; ++i)
            out[i] = static_cast<float>(code4(b + 4, i)) * scale + min;
        return;
    }
    case Element::q5_0: { // f16 scale, 32 fifth bits, 16 bytes of codes
        const float scale = load_f16(b);
        const auto high = load<uint32_t>(b + 2);
        for (size_t i = 0; i < block; ++i)
            out[i] = static_cast<float>(code5(b + 6, high, i) - 16) * scale;
        return;
    }
    case Element::q5_1: { // f16 scale, f16 minimum, 32 fifth bits, 16 bytes of codes
        const float scale = load_f16(b), min = load_f16(b + 2);
        const auto high = load<uint32_t>(b + 4);
        for (size_t i = 0; i < block; ++i)
            out[i] = static_cast<float>(code5(b + 8, high, i)) * scale + min;
        return;
    }
    case Element::q8_0: { // f16 scale, 32 signed bytes
        const float scale = load_f16(b);
        for (size_t i = 0; i < block; ++i)
            out[i] = static_cast<float>(load<int8_t>(b + 2 + i)) * scale;
        return;
    }
    case Element::q8a: {
        const auto scale = load<float>(b + block);
        for (size_t i = 0; i < block; ++i)
            out[i] = static_cast<float>(load<int8_t>(b + i)) * scale;
        return;
    }
    default:
        throw Error(std::string(info(element).text), "this build does not compute with this element type");
    }
}

size_t tensor_bytes(Element element, std::span<const int64_t> dims) {
    Type type{.element = element, .dims = {}, .layout = Layout::rows, .pool = Pool::io};
    type.dims.assign(dims.begin(), dims.end());
    return max_bytes(type, {});
}

// 32 codes, their scale, their sum, the scaled sum.
void quantize_q8a_block(const float* x, std::byte* to) {
    double largest = 0.0;
    bool finite = true;
    for (size_t i = 0; i < block; ++i) {
        finite = finite && std::isfinite(x[i]);
        largest = std::max(largest, std::fabs(static_cast<double>(x[i])));
    }
    // A block with an infinity or a NaN has no scale: NaN, so that it can't pass for a result.
    const float scale = finite ? static_cast<float>(largest / 127.0) : std::nanf("");
    int32_t sum = 0;
    for (size_t i = 0; i < block; ++i) {
        const bool zero = !finite || largest == 0.0;
        const auto code = zero ? int8_t{0} : static_cast<int8_t>(std::nearbyint(x[i] * (127.0 / largest)));
        std::memcpy(to + i, &code, 1);
        sum += code;
    }
    const float scaled = scale * static_cast<float>(sum);
    std::memcpy(to + block, &scale, 4);
    std::memcpy(to + block + 4, &sum, 4);
    std::memcpy(to + block + 8, &scaled, 4);
}

} // namespace

Tensor Tensor::zeros(Element element, std::vector<int64_t> dims) {
    Tensor t;
    t.element = element;
    t.owned = std::make_shared<std::vector<std::byte>>(tensor_bytes(element, dims));
    t.data = *t.owned;
    t.dims = std::move(dims);
    return t;
}

Tensor Tensor::view(Element element, std::vector<int64_t> dims, std::span<const std::byte> data) {
    const size_t needed = tensor_bytes(element, dims);
    if (data.size() < needed)
        throw Error("tensor", fmt::format("{} bytes are given, {} are needed", data.size(), needed));
    Tensor t;
    t.element = element;
    t.dims = std::move(dims);
    t.data = data.first(needed);
    return t;
}

Tensor Tensor::from_floats(std::vector<int64_t> dims, std::span<const float> values) {
    Tensor t = zeros(Element::f32, std::move(dims));
    invariant(t.data.size() == values.size_bytes(), "from_floats gets as many values as the dims say");
    std::memcpy(t.owned->data(), values.data(), values.size_bytes());
    return t;
}

Tensor Tensor::from_ints(std::vector<int64_t> dims, std::span<const int32_t> values) {
    Tensor t = zeros(Element::i32, std::move(dims));
    invariant(t.data.size() == values.size_bytes(), "from_ints gets as many values as the dims say");
    std::memcpy(t.owned->data(), values.data(), values.size_bytes());
    return t;
}

std::span<std::byte> Tensor::mutable_data() {
    if (!owned || owned.use_count() > 1) {
        owned = std::make_shared<std::vector<std::byte>>(data.begin(), data.end());
        data = *owned;
    }
    return *owned;
}

int64_t Tensor::count() const {
    int64_t product = 1;
    for (const int64_t d : dims)
        product *= d;
    return product;
}

std::vector<float> Tensor::to_floats() const {
    std::vector<float> out(static_cast<size_t>(count()));
    if (element != Element::q8a) {
        dequantize(element, data, out);
        return out;
    }
    const auto columns = static_cast<size_t>(dims.back());
    const size_t stride = *row_bytes(element, columns);
    for (size_t row = 0; row * columns < out.size(); ++row)
        dequantize(element, data.subspan(row * stride, stride),
                   std::span(out).subspan(row * columns, columns));
    return out;
}

void dequantize(Element element, std::span<const std::byte> blocks, std::span<float> out) {
    const std::optional<uint64_t> needed = row_bytes(element, out.size());
    if (!needed || *needed > blocks.size())
        throw Error(std::string(info(element).text),
                    fmt::format("{} bytes do not hold {} elements", blocks.size(), out.size()));
    const std::byte* at = blocks.data();
    switch (element) {
    case Element::f32:
        std::memcpy(out.data(), at, out.size_bytes());
        return;
    case Element::f16:
        for (size_t i = 0; i < out.size(); ++i)
            out[i] = load_f16(at + 2 * i);
        return;
    case Element::bf16:
        for (size_t i = 0; i < out.size(); ++i)
            out[i] = bf16_to_f32(load<uint16_t>(at + 2 * i));
        return;
    case Element::i32:
        for (size_t i = 0; i < out.size(); ++i)
            out[i] = static_cast<float>(load<int32_t>(at + 4 * i));
        return;
    default:
        for (size_t i = 0; i < out.size(); i += block, at += info(element).block_bytes)
            dequantize_block(element, at, out.data() + i);
    }
}

std::vector<std::byte> quantize_q8a(std::span<const float> values) {
    invariant(values.size() % block == 0, "quantize_q8a gets whole blocks");
    const size_t stride = info(Element::q8a).block_bytes;
    std::vector<std::byte> out(values.size() / block * stride);
    for (size_t b = 0; b * block < values.size(); ++b)
        quantize_q8a_block(values.data() + b * block, out.data() + b * stride);
    return out;
}

} // namespace ingot::ir
