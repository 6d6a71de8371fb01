#include "codegen/operand_forms.h"

#include <algorithm>
#include <cstring>
#include <functional>

#include "runtime/packing.h"

namespace ingot::codegen {

using namespace ir;

namespace {

// Calls copy(place in memory, place in rows) for every element of a cache [pages, heads, positions,
// channels].
void for_each_of_cache(Layout layout, std::span<const int64_t> dims,
                       const std::function<void(size_t memory, size_t rows)>& copy) {
    const auto positions = static_cast<size_t>(dims[2]), channels = static_cast<size_t>(dims[3]);
    const size_t matrices = static_cast<size_t>(dims[0] * dims[1]);
    for (size_t m = 0; m < matrices; ++m)
        for (size_t p = 0; p < positions; ++p)
            for (size_t c = 0; c < channels; ++c) {
                const size_t base = m * positions * channels;
                const size_t at =
                    layout == Layout::kv_channels ? c * positions + p : (c / 8 * positions + p) * 8 + c % 8;
                copy(base + at, base + p * channels + c);
            }
}

// Planes of 8-bit activations of `most` rows: codes, then scales, then scales times sums.
class Planes {
  public:
    Planes(int64_t most, int64_t columns)
        : rows_(static_cast<size_t>(most)), blocks_(static_cast<size_t>(columns) / 32) {}
    size_t codes(size_t row, size_t block) const { return (row * blocks_ + block) * 32; }
    size_t scale(size_t row, size_t block) const {
        return rows_ * blocks_ * 32 + (row * blocks_ + block) * 4;
    }
    size_t sum(size_t row, size_t block) const { return scale(row + rows_, block); }
    size_t blocks() const { return blocks_; }

  private:
    size_t rows_, blocks_;
};

int64_t most_rows(const Type& type, std::span<const Symbol> symbols) {
    const Dim d = type.dims[0];
    return d.is_symbol() ? symbols[d.symbol_index()].max : d.constant();
}

// A block as ir::Tensor has it: codes, scale, sum of the codes, scale times that.
constexpr size_t block_bytes = 44, scale_at = 32, sum_at = 36, product_at = 40;

} // namespace

std::vector<std::byte> memory_form(const Type& type, const Tensor& t, std::span<const Symbol> symbols,
                                   const Target& target) {
    std::vector<std::byte> out(max_bytes(type, symbols));
    if (type.layout == Layout::kv_channels || type.layout == Layout::kv_octets) {
        const size_t width = info(type.element).block_bytes;
        for_each_of_cache(type.layout, t.dims, [&](size_t memory, size_t rows) {
            std::memcpy(&out[memory * width], &t.data[rows * width], width);
        });
    } else if (is_packed(type.layout)) {
        const runtime::PackSource source{.data = t.data, .rows = static_cast<uint64_t>(t.dims[0])};
        const runtime::PackJob job{.element = info(type.element).text,
                                   .layout = text(type.layout),
                                   .cols = static_cast<uint64_t>(t.dims[1]),
                                   .sources = {&source, 1}};
        runtime::pack_units(job, 0, runtime::check_packing(job).units, out);
    } else if (type.element == Element::q8a && target.is_gpu()) {
        const Planes planes(most_rows(type, symbols), t.dims[1]);
        for (size_t row = 0; row < static_cast<size_t>(t.dims[0]); ++row)
            for (size_t b = 0; b < planes.blocks(); ++b) {
                const std::byte* const from = &t.data[(row * planes.blocks() + b) * block_bytes];
                std::memcpy(&out[planes.codes(row, b)], from, 32);
                std::memcpy(&out[planes.scale(row, b)], from + scale_at, 4);
                std::memcpy(&out[planes.sum(row, b)], from + product_at, 4);
            }
    } else {
        std::memcpy(out.data(), t.data.data(), std::min(t.data.size(), out.size()));
    }
    return out;
}

Tensor logical_form(const Type& type, std::vector<int64_t> dims, std::span<const std::byte> memory,
                    std::span<const Symbol> symbols, const Target& target) {
    Tensor t = Tensor::zeros(type.element, std::move(dims));
    const std::span<std::byte> to = t.mutable_data();
    if (type.layout == Layout::kv_channels || type.layout == Layout::kv_octets) {
        const size_t width = info(type.element).block_bytes;
        for_each_of_cache(type.layout, t.dims, [&](size_t from, size_t rows) {
            std::memcpy(&to[rows * width], &memory[from * width], width);
        });
    } else if (type.element == Element::q8a && target.is_gpu()) {
        const Planes planes(most_rows(type, symbols), t.dims[1]);
        for (size_t row = 0; row < static_cast<size_t>(t.dims[0]); ++row)
            for (size_t b = 0; b < planes.blocks(); ++b) {
                std::byte* const block = &to[(row * planes.blocks() + b) * block_bytes];
                std::memcpy(block, &memory[planes.codes(row, b)], 32);
                std::memcpy(block + scale_at, &memory[planes.scale(row, b)], 4);
                std::memcpy(block + product_at, &memory[planes.sum(row, b)], 4);
                int32_t sum = 0;
                for (size_t i = 0; i < 32; ++i)
                    sum += static_cast<int8_t>(std::to_integer<uint8_t>(block[i]));
                std::memcpy(block + sum_at, &sum, 4);
            }
    } else {
        std::memcpy(to.data(), memory.data(), to.size());
    }
    return t;
}

} // namespace ingot::codegen
