#include "codegen/region.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include <fmt/format.h>

#include "ir/effects.h"
#include "ir/error.h"

namespace ingot::codegen {

using namespace ir;

void SourceText::line(std::string_view text) {
    if (!text.empty()) text_.append(static_cast<size_t>(depth_) * 4, ' ').append(text);
    text_ += '\n';
}

void SourceText::open(std::string_view text) {
    line(text);
    ++depth_;
}

void SourceText::close(std::string_view text) {
    --depth_;
    line(text);
}

void SourceText::block(const SourceText& lines) {
    const std::string_view all = lines.text_;
    for (size_t at = 0, end; at < all.size(); at = end + 1) {
        end = all.find('\n', at);
        line(all.substr(at, end - at));
    }
}

Region::Region(const Graph& b, std::string_view name, std::string_view symbol)
    : body(b), name_(name), symbol_(symbol), readers_(readers(b)) {}

void Region::unsupported(const Node& n, std::string_view why) const {
    throw Error(fmt::format("kernel {}", name_), fmt::format("{}: {}", info(n.op).name, why));
}

void Region::unsupported(std::string_view why) const {
    throw Error(fmt::format("kernel {}", name_), std::string(why));
}

std::optional<size_t> Region::result_index(ValueId v) const {
    if (storage_root(body, v) != v) return std::nullopt;
    const auto at = std::find(body.results.begin(), body.results.end(), v);
    if (at == body.results.end() || is_param(v)) return std::nullopt;
    return static_cast<size_t>(at - body.results.begin());
}

size_t Region::param_index(ValueId v) const {
    const auto at = std::find(body.params.begin(), body.params.end(), v);
    assert(at != body.params.end() && "only params have an index among the params");
    return static_cast<size_t>(at - body.params.begin());
}

bool Region::has_one_reader(ValueId v) const {
    const bool result = std::find(body.results.begin(), body.results.end(), v) != body.results.end();
    return readers_[v].size() + (result ? 1 : 0) == 1;
}

int64_t Region::columns(ValueId v) const {
    const Dim last = type(v).dims.back();
    if (last.is_symbol()) unsupported("a value's last dim is a symbol; kernels have constant rows");
    return last.constant();
}

Dim Region::rows(ValueId v) const {
    const Type& t = type(v);
    if (t.element == Element::i32 && t.dims.size() == 1) return t.dims[0];
    if (t.dims.size() > 2) unsupported("a value has more than two dims");
    return t.dims.size() == 2 ? t.dims[0] : Dim(1);
}

std::optional<int64_t> Region::constant(Dim d) const {
    if (!d.is_symbol()) return d.constant();
    const Symbol& s = body.symbols[d.symbol_index()];
    return s.min == s.max ? std::optional(s.max) : std::nullopt;
}

std::string Region::rows_text(Dim d) const {
    if (const auto number = constant(d)) return std::to_string(*number);
    return fmt::format(fmt::runtime(symbol_), d.symbol_index());
}

int64_t Region::most(Dim d) const {
    return d.is_symbol() ? body.symbols[d.symbol_index()].max : d.constant();
}

std::string Region::memory_name(ValueId v) const {
    if (is_param(v)) return fmt::format("p{}", param_index(v));
    if (const auto result = result_index(v)) return fmt::format("r{}", *result);
    unsupported(*producer(v), "its result is needed in memory, but is no result of the kernel");
}

std::string Region::name(ValueId v) const {
    return in_memory(v) ? memory_name(v) : fmt::format("v{}", v);
}

std::string Region::row_pointer(ValueId v, std::string_view row) const {
    std::string base = memory_name(v);
    if (constant(rows(v)) == 1) return base;
    const int64_t stride = type(v).element == Element::q8a ? columns(v) / 32 * 44 : columns(v);
    return fmt::format("({} + u64(u32({})) * {})", base, row, stride);
}

namespace {

std::string pointer_type(const Type& t, bool is_const) {
    std::string base = "u8";
    if (t.layout == Layout::rows || t.layout == Layout::kv_channels) {
        if (t.element == Element::f32) base = "float";
        if (t.element == Element::f16) base = "_Float16";
        if (t.element == Element::i32) base = "i32";
    }
    return is_const ? "const " + base + "*" : base + "*";
}

} // namespace

void Region::declare_operands(SourceText& out) const {
    for (size_t i = 0; i < body.params.size(); ++i) {
        const Type& t = type(body.params[i]);
        const std::string pointer = pointer_type(t, t.pool != Pool::state);
        out.line(fmt::format("auto* const p{} = static_cast<{}>(c->operand[{}]);", i, pointer, i));
    }
    for (size_t i = 0; i < body.results.size(); ++i)
        if (result_index(body.results[i]) == i)
            out.line(fmt::format("auto* const r{} = static_cast<{}>(c->operand[{}]);", i,
                                 pointer_type(type(body.results[i]), false), body.params.size() + i));
}

std::string format_name(const Region& region, const Node& n, Element e) {
    switch (e) {
    case Element::f32:
        return "F32";
    case Element::f16:
        return "F16";
    case Element::bf16:
        return "BF16";
    case Element::q4_0:
        return "Q4_0";
    case Element::q4_1:
        return "Q4_1";
    case Element::q5_0:
        return "Q5_0";
    case Element::q5_1:
        return "Q5_1";
    case Element::q8_0:
        return "Q8_0";
    default:
        region.unsupported(n, fmt::format("host kernels have no format for {} weights", info(e).text));
    }
}

std::string format_header(Element e) {
    return fmt::format("formats/{}.h", info(e).text);
}

std::string literal(double value) {
    // A hexadecimal literal is exact; infinities and NaN have none.
    if (!std::isfinite(value))
        return std::isnan(value) ? "__builtin_nanf(\"\")"
               : value > 0       ? "__builtin_inff()"
                                 : "-__builtin_inff()";
    return fmt::format("{:a}f", static_cast<float>(value));
}

} // namespace ingot::codegen
