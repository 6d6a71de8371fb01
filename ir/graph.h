// The dataflow graph: a value, in SSA form, that every stage from the frontend to codegen passes on.
//
// Invariants (checked by verify()): ids are dense; nodes stand in an order in which every operand is defined
// before its use (that order is the schedule once the phase is `scheduled`); values are numbered params
// first, then the results of each node in turn. Passes keep these by building the new graph front to back
// with GraphBuilder-style calls (`add_param`, `add_node`), which number in exactly that way.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ir/op.h"
#include "ir/type.h"

namespace ingot::ir {

using ValueId = uint32_t;
using NodeId = uint32_t;
inline constexpr uint32_t no_id = UINT32_MAX;

using AttrValue = std::variant<int64_t, double, std::string, std::vector<double>, std::vector<int64_t>>;

struct Attr {
    std::string name;
    AttrValue value;
    // Reals are equal if their bits are, or if both are NaN: 0 and -0 differ, so that equal graphs compute
    // equally.
    bool operator==(const Attr&) const;
};

// Where the planner put a value: bytes from the start of its pool's arena.
struct Placement {
    uint64_t offset = 0;
    uint64_t bytes = 0;
    bool operator==(const Placement&) const = default;
};

struct Value {
    Type type;
    std::string
        name; // params: the key by which callers and weights are bound, unique; else a hint for readers
    NodeId producer = no_id; // no_id for params
    std::optional<Placement> placement;
    bool operator==(const Value&) const = default;
};

struct Node {
    Op op = Op::constant;
    std::vector<ValueId> operands; // absent optional operands are not listed
    std::vector<ValueId> results;
    std::vector<Attr> attrs; // in the op table's order
    uint32_t body = no_id;   // index into Graph::bodies (fused, launch)
    std::string name;        // e.g. "blk.3.attn_q", for messages, profiles and kernels' names; may be empty
    bool operator==(const Node&) const = default;
};

enum class Phase : uint8_t { imported, canonical, fused, packed, scheduled, planned, lowered };
std::string_view text(Phase p);
std::optional<Phase> phase_from_text(std::string_view t);

// Of a graph. Every body repeats them, so without a bound a short text could ask for a lot of memory.
inline constexpr size_t most_symbols = 64;

struct Graph {
    std::string name;
    Phase phase = Phase::imported;
    std::vector<Symbol> symbols; // a body has the same symbols as the graph around it
    std::vector<Value> values;
    std::vector<Node> nodes;
    std::vector<ValueId> params;
    std::vector<ValueId> results;
    std::vector<Graph> bodies; // regions of fused and launch nodes; params and results match the node's

    bool operator==(const Graph&) const = default;

    uint32_t add_symbol(Symbol symbol);
    Dim dim(std::string_view symbol) const; // the symbol of that name; asserts that it exists
    ValueId add_param(std::string param_name, Type type);
    // Appends a node whose results have the given types. Does not verify; verify() does.
    NodeId add_node(Op op, std::vector<ValueId> operands, std::vector<Type> result_types,
                    std::vector<Attr> attrs = {}, std::string node_name = {},
                    std::optional<Graph> body = std::nullopt);
    // The same for the usual node of one result, whose type the op's type rule gives (ir/infer.h).
    ValueId add(Op op, std::vector<ValueId> operands, std::vector<Attr> attrs = {},
                std::string node_name = {});

    const Type& type(ValueId v) const { return values[v].type; }
    const Node* producer(ValueId v) const {
        return values[v].producer == no_id ? nullptr : &nodes[values[v].producer];
    }
    ValueId find_param(std::string_view param_name) const; // no_id if there is none
};

// Attribute access; asserts that the attribute is there and of that kind (the verifier has proved it).
int64_t int_attr(const Node& n, std::string_view name);
double float_attr(const Node& n, std::string_view name);
const std::string& text_attr(const Node& n, std::string_view name);
const std::vector<double>& floats_attr(const Node& n, std::string_view name);

// For each value, the nodes that read it (in order, each once) — graph results are not among them.
std::vector<std::vector<NodeId>> readers(const Graph& g);

} // namespace ingot::ir
