#include "ir/ops/structured.h"

#include <algorithm>
#include <cstring>
#include <thread>

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/invariant.h"
#include "ir/print.h"

namespace ingot::ir {

#define POINTWISE(...)
#define STRUCTURED(name, ...) extern const StructuredOp name##_op;
#include "ir/ops.def"
#undef POINTWISE
#undef STRUCTURED

const StructuredOp& structured(Op op) {
    switch (op) {
#define POINTWISE(...)
#define STRUCTURED(name, ...)                                                                                \
    case Op::name:                                                                                           \
        return name##_op;
#include "ir/ops.def"
#undef POINTWISE
#undef STRUCTURED
    default:
        break;
    }
    invariant(false, "structured() is asked for a structured op");
    std::abort();
}

void Rule::fail(const std::string& message) const {
    throw Error(std::string(info(op).name), message);
}

std::string Rule::name(size_t operand) const {
    const OpInfo& row = info(op);
    if (row.variadic && operand + 1 >= row.operands.size())
        return fmt::format("{}[{}]", row.operands.back(), operand + 1 - row.operands.size());
    return std::string(row.operands[operand]);
}

std::string Rule::show(size_t operand) const {
    return fmt::format("{} is {}", name(operand), print(operands[operand], symbols));
}

std::string Rule::show(Dim d) const {
    return d.is_symbol() ? symbols[d.symbol_index()].name : std::to_string(d.constant());
}

int64_t Rule::integer(std::string_view attr) const {
    for (const Attr& a : attrs)
        if (a.name == attr) return std::get<int64_t>(a.value);
    invariant(false, "a type rule asks for an attribute of its op");
    return 0;
}

const Type& Rule::plain(size_t operand, Element element, size_t rank) const {
    const Type& t = operands[operand];
    if (t.element != element || t.dims.size() != rank || t.layout != Layout::rows)
        fail(fmt::format("{}; it must be {} with {} dim{} in rows", show(operand), info(element).text, rank,
                         rank == 1 ? "" : "s"));
    return t;
}

const Type& Rule::weight(size_t operand) const {
    const Type& t = operands[operand];
    const bool floats = t.element == Element::f32 || t.element == Element::f16 || t.element == Element::bf16;
    const bool blocks = is_quantized(t.element) && t.element != Element::q8a;
    if (!floats && !blocks) fail(fmt::format("{}; it must be floats or blocks of codes", show(operand)));
    if (!info(t.element).runs) fail(fmt::format("{}, which this build does not compute with", show(operand)));
    if (t.pool != Pool::weights) fail(fmt::format("{}; it must be in weights", show(operand)));
    if (t.dims.size() != 2 || t.dims[0].is_symbol() || t.dims[1].is_symbol())
        fail(fmt::format("{}; it must have two constant dims", show(operand)));
    return t;
}

int64_t Rule::columns(size_t operand) const {
    const Dim last = operands[operand].dims.back();
    if (last.is_symbol()) fail(fmt::format("{}; its last dim must be a constant", show(operand)));
    return last.constant();
}

void Rule::same_dim(size_t operand_a, size_t dim_a, size_t operand_b, size_t dim_b) const {
    const Dim a = operands[operand_a].dims[dim_a], b = operands[operand_b].dims[dim_b];
    if (a != b)
        fail(fmt::format("dim {} of {} is {}, dim {} of {} is {}", dim_a, name(operand_a), show(a), dim_b,
                         name(operand_b), show(b)));
}

Datum make_datum(std::vector<int64_t> dims, std::vector<double> numbers) {
    return {std::move(dims), std::make_shared<const std::vector<double>>(std::move(numbers)), {}};
}

Datum make_datum(Tensor tensor) {
    std::vector<int64_t> dims = tensor.dims;
    return {std::move(dims), nullptr, std::move(tensor)};
}

Numbers numbers_of(const Datum& d) {
    if (d.numbers) return d.numbers;
    const std::vector<float> floats = d.tensor.to_floats();
    return std::make_shared<const std::vector<double>>(floats.begin(), floats.end());
}

std::vector<int32_t> ints_of(const Datum& d) {
    std::vector<int32_t> out(d.tensor.data.size() / sizeof(int32_t));
    if (!out.empty()) std::memcpy(out.data(), d.tensor.data.data(), out.size() * sizeof(int32_t));
    return out;
}

void read_row(const Datum& matrix, int64_t row, std::span<float> scratch, std::span<double> out) {
    const auto index = static_cast<size_t>(row);
    if (matrix.numbers) {
        std::copy_n(matrix.numbers->begin() + static_cast<ptrdiff_t>(index * out.size()), out.size(),
                    out.begin());
        return;
    }
    const Tensor& t = matrix.tensor;
    const uint64_t stride = *row_bytes(t.element, out.size());
    dequantize(t.element, t.data.subspan(index * stride, stride), scratch);
    std::copy_n(scratch.begin(), out.size(), out.begin());
}

void in_parallel(size_t count, size_t cost, const std::function<void(size_t, size_t)>& work) {
    constexpr size_t worth_a_thread = 1 << 18;
    const size_t most = std::clamp<size_t>(std::thread::hardware_concurrency(), 1, 16);
    const size_t parts =
        std::clamp<size_t>(count * cost / worth_a_thread, 1, std::min(most, std::max<size_t>(count, 1)));
    std::vector<std::jthread> threads;
    for (size_t p = 1; p < parts; ++p)
        threads.emplace_back(work, count * p / parts, count * (p + 1) / parts);
    work(0, count / parts);
}

} // namespace ingot::ir
