// What a structured op consists of besides its row in ops.def: its type rule and its reference. The file
// ir/ops/OP.cpp defines `OP_op`; nothing else needs to be told of a new op.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/tensor.h"

namespace ingot::ir {

// What a type rule sees, with the checks that rules share. A broken rule throws Error{op, message}. Operand
// count and attributes have been checked against the op table before.
struct Rule {
    Op op;
    std::span<const Type> operands;
    std::span<const Attr> attrs;
    std::span<const Symbol> symbols;

    [[noreturn]] void fail(const std::string& message) const;
    bool has(size_t operand) const { return operand < operands.size(); }
    std::string name(size_t operand) const; // from the op table; variadic ones are numbered
    std::string show(size_t operand) const; // "x f32[T, 64]"
    std::string show(Dim d) const;
    int64_t integer(std::string_view attr) const;
    // Operand in `rows` layout of the given element and number of dims.
    const Type& plain(size_t operand, Element element, size_t rank) const;
    // Weight [N, K] of constant dims, of a type that this build computes with, in any layout.
    const Type& weight(size_t operand) const;
    // The operand's last dim, which has to be a constant.
    int64_t columns(size_t operand) const;
    void same_dim(size_t operand_a, size_t dim_a, size_t operand_b, size_t dim_b) const;
};

// A value inside the reference evaluator: computed f32 values are f64 numbers; whatever has bytes that matter
// (weights, caches, ids, q8a) stays a tensor.
struct Datum {
    std::vector<int64_t> dims;
    std::shared_ptr<const std::vector<double>> numbers; // if set, the value; else `tensor` is
    Tensor tensor;
};

using Numbers = std::shared_ptr<const std::vector<double>>;

// What a reference sees. `args` are the node's own: a reference may take one apart to reuse its memory.
struct Call {
    const Graph& graph;
    const Node& node;
    std::span<Datum> args;
    std::vector<int64_t> dims; // of result 0
    bool has(size_t operand) const { return operand < args.size(); }
    [[noreturn]] void fail(const std::string& message) const; // an id, page or position that is out of range
};

struct StructuredOp {
    // The one result's type. Null where it can't be derived.
    Type (*result)(const Rule&);
    // In that case: checks the types that the node gives. Null otherwise.
    void (*check)(const Rule&, std::span<const Type> results);
    // The value of the result. Null for ops with a body.
    Datum (*evaluate)(Call&);
};

const StructuredOp& structured(Op op);

Datum make_datum(std::vector<int64_t> dims, std::vector<double> numbers);
Datum make_datum(Tensor tensor);
Numbers numbers_of(const Datum& d);           // dequantised; shared with `d` where it holds numbers
std::vector<int32_t> ints_of(const Datum& d); // of an i32 tensor
// Row `row` of a matrix, dequantised; `scratch` is as long as `out`, which is a row.
void read_row(const Datum& matrix, int64_t row, std::span<float> scratch, std::span<double> out);

// Calls work(begin, end) on disjoint parts of 0..count-1, on a few threads where `count` times the operations
// of each, `cost`, is worth starting them. `work` must not throw.
void in_parallel(size_t count, size_t cost, const std::function<void(size_t, size_t)>& work);

} // namespace ingot::ir
