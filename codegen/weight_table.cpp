#include "codegen/weight_table.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "ir/error.h"

namespace ingot::codegen {

using namespace ir;

namespace {

// Large pieces begin at a page, so that they may be mapped or copied on their own; kernels need no more
// than 64.
constexpr uint64_t page = 4096;
constexpr uint64_t small_alignment = 64;

uint64_t rows_of(const Type& t) {
    return static_cast<uint64_t>(t.dims[0].constant());
}
uint64_t cols_of(const Type& t) {
    return t.dims.size() == 1 ? 1 : static_cast<uint64_t>(t.dims[1].constant());
}

std::vector<std::byte> constant_bytes(const Node& n, Element element) {
    std::vector<std::byte> bytes;
    for (const double v : floats_attr(n, "values")) {
        const auto f = static_cast<float>(v);
        const auto i = element == Element::i32 ? static_cast<int32_t>(v) : 0;
        const auto* from = element == Element::i32 ? reinterpret_cast<const std::byte*>(&i)
                                                   : reinterpret_cast<const std::byte*>(&f);
        bytes.insert(bytes.end(), from, from + 4);
    }
    return bytes;
}

} // namespace

runtime::PackJob WeightPiece::job() const {
    return {.element = info(element).text, .layout = text(layout), .cols = cols, .sources = sources};
}

WeightTable::Source WeightTable::source_of(const Graph& g, ValueId v) {
    const Node* n = g.producer(v);
    if (n == nullptr) {
        const Value& param = g.values[v];
        const auto found = weights_.find(param.name);
        if (found == weights_.end())
            throw Error(fmt::format("weight {}", param.name), "the model has no such tensor");
        const Tensor& t = found->second;
        if (t.element != param.type.element || t.data.size() != max_bytes(param.type, g.symbols))
            throw Error(fmt::format("weight {}", param.name),
                        "the model's tensor is not of the graph's type");
        return {.key = "tensor " + param.name,
                .name = param.name,
                .tensors = {param.name},
                .data = {{.data = t.data, .rows = rows_of(param.type)}}};
    }
    if (n->op == Op::constant) {
        const std::vector<std::byte> bytes = constant_bytes(*n, g.type(v).element);
        const std::string key = fmt::format(
            "constant {}", std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
        const auto& kept = constants_.try_emplace(key, bytes).first->second;
        return {.key = key,
                .name = n->name.empty() ? "constant" : n->name,
                .tensors = {""},
                .data = {{.data = kept, .rows = rows_of(g.type(v))}}};
    }
    if (n->op == Op::pack) {
        Source s = source_of(g, n->operands[0]);
        s.key = fmt::format("pack {} ({})", text(g.type(v).layout), s.key);
        return s;
    }
    if (n->op != Op::concat_rows)
        throw Error(fmt::format("{} ({})", n->name, info(n->op).name),
                    "it can't be computed when the plan is written");
    Source all;
    for (const ValueId part : n->operands) {
        const Source s = source_of(g, part);
        all.key += fmt::format("({})", s.key);
        all.name += (all.name.empty() ? "" : "+") + s.name;
        all.tensors.insert(all.tensors.end(), s.tensors.begin(), s.tensors.end());
        all.data.insert(all.data.end(), s.data.begin(), s.data.end());
    }
    return all;
}

size_t WeightTable::piece_of(const Graph& g, ValueId v) {
    const Type& type = g.type(v);
    Source s = source_of(g, v);
    const auto [at, is_new] = by_key_.try_emplace(std::move(s.key), pieces_.size());
    if (!is_new) return at->second;
    WeightPiece piece{.name = s.name,
                      .element = type.element == Element::i32 ? Element::f32
                                                              : type.element, // as bytes they are alike
                      .layout = type.layout,
                      .rows = rows_of(type),
                      .cols = cols_of(type),
                      .tensors = std::move(s.tensors),
                      .sources = std::move(s.data),
                      .size = {}};
    // Tensors of other ranks than two are rows of numbers to every kernel.
    if (type.dims.size() != 2) {
        piece.rows = 1;
        piece.cols =
            max_bytes(type, g.symbols) / info(piece.element).block_bytes * info(piece.element).block_elements;
        if (piece.sources.size() > 1) piece.rows = rows_of(type), piece.cols = 1;
        if (piece.sources.size() == 1) piece.sources[0].rows = 1;
    }
    piece.size = runtime::check_packing(piece.job());
    piece.bytes = piece.size.bytes();
    const uint64_t alignment = piece.bytes >= page ? page : small_alignment;
    piece.offset = (end_ + alignment - 1) / alignment * alignment;
    end_ = piece.offset + piece.bytes;
    pieces_.push_back(std::move(piece));
    return at->second;
}

void fill_weights(std::span<const WeightPiece> pieces, uint64_t begin, std::span<std::byte> out) {
    const uint64_t end = begin + out.size();
    std::memset(out.data(), 0, out.size());
    // Pieces stand in the order of their offsets.
    auto at = std::partition_point(pieces.begin(), pieces.end(),
                                   [&](const WeightPiece& p) { return p.offset + p.bytes <= begin; });
    for (; at != pieces.end() && at->offset < end; ++at) {
        const uint64_t unit = at->size.unit_bytes;
        const uint64_t first = begin > at->offset ? (begin - at->offset) / unit : 0;
        const uint64_t last = std::min(at->size.units, (end - at->offset + unit - 1) / unit);
        // Units that lie across an end go through a buffer of their own.
        uint64_t whole_first = first, whole_last = last;
        if (at->offset + first * unit < begin) ++whole_first;
        if (at->offset + last * unit > end) --whole_last;
        if (whole_first < whole_last)
            runtime::pack_units(at->job(), whole_first, whole_last,
                                out.subspan(at->offset + whole_first * unit - begin));
        std::vector<std::byte> buffer;
        for (const uint64_t u : {first, last - 1}) {
            if (u >= whole_first && u < whole_last) continue;
            buffer.resize(unit);
            runtime::pack_units(at->job(), u, u + 1, buffer);
            const uint64_t place = at->offset + u * unit;
            const uint64_t from = std::max(place, begin), to = std::min(place + unit, end);
            std::memcpy(out.data() + (from - begin), buffer.data() + (from - place), to - from);
        }
    }
}

} // namespace ingot::codegen
