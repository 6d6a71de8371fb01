#include "ir/evaluate.h"

#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/ops/structured.h"
#include "ir/print.h"
#include "ir/verify.h"

namespace ingot::ir {

void Call::fail(const std::string& message) const {
    const std::string& name = node.name;
    throw Error(fmt::format("node %{} {}{}", node.results[0], info(node.op).name,
                            name.empty() ? "" : fmt::format(" ({})", name)),
                message);
}

namespace {

constexpr int64_t unknown = -1;

struct Evaluator {
    std::vector<int64_t> symbols; // values by index
    EvalOptions options;

    std::vector<int64_t> extents(const Type& t) const {
        std::vector<int64_t> dims;
        for (const Dim d : t.dims)
            dims.push_back(d.is_symbol() ? symbols[d.symbol_index()] : d.constant());
        return dims;
    }

    // The results of `g` for these values of its params.
    std::vector<Datum> run(const Graph& g, std::vector<Datum> args) const;
    std::vector<Datum> run_node(const Graph& g, const Node& n, std::vector<Datum> args) const;
    Datum pointwise(const Graph& g, const Node& n, std::span<const Datum> args) const;
    Datum rounded(Datum d) const;
};

// The node after which nothing reads a value; past the end for results.
std::vector<NodeId> last_reads(const Graph& g) {
    std::vector<NodeId> last(g.values.size(), 0);
    for (NodeId n = 0; n < g.nodes.size(); ++n)
        for (const ValueId v : g.nodes[n].operands)
            last[v] = n;
    for (const ValueId v : g.results)
        last[v] = no_id;
    return last;
}

std::vector<Datum> Evaluator::run(const Graph& g, std::vector<Datum> args) const {
    const std::vector<NodeId> last = last_reads(g);
    std::vector<Datum> values(g.values.size());
    for (size_t i = 0; i < args.size(); ++i)
        values[i] = std::move(args[i]);
    for (NodeId n = 0; n < g.nodes.size(); ++n) {
        const Node& node = g.nodes[n];
        std::vector<Datum> operands;
        for (const ValueId v : node.operands)
            operands.push_back(values[v]);
        // A value that nothing else reads is given away, so that a cache is changed in place instead of
        // copied.
        for (const ValueId v : node.operands)
            if (last[v] == n) values[v] = {};
        std::vector<Datum> results = run_node(g, node, std::move(operands));
        for (size_t i = 0; i < results.size(); ++i)
            values[node.results[i]] = std::move(results[i]);
    }
    std::vector<Datum> results;
    for (const ValueId v : g.results)
        results.push_back(values[v]);
    return results;
}

std::vector<Datum> Evaluator::run_node(const Graph& g, const Node& n, std::vector<Datum> args) const {
    if (n.body != no_id) return run(g.bodies[n.body], std::move(args));
    std::vector<Datum> results(1);
    if (is_pointwise(n.op)) {
        results[0] = rounded(pointwise(g, n, args));
    } else {
        Call call{.graph = g, .node = n, .args = args, .dims = extents(g.type(n.results[0]))};
        results[0] = rounded(structured(n.op).evaluate(call));
    }
    return results;
}

// How far apart the elements of an operand lie for a step along each dim of the result: 0 where it is
// broadcast.
std::vector<size_t> broadcast_strides(const std::vector<int64_t>& operand,
                                      const std::vector<int64_t>& result) {
    std::vector<size_t> strides(result.size(), 0);
    size_t stride = 1;
    for (size_t i = 1; i <= operand.size(); ++i) {
        const int64_t extent = operand[operand.size() - i];
        if (extent != 1) strides[result.size() - i] = stride;
        stride *= static_cast<size_t>(extent);
    }
    return strides;
}

Datum Evaluator::pointwise(const Graph& g, const Node& n, std::span<const Datum> args) const {
    const std::vector<int64_t> dims = extents(g.type(n.results[0]));
    std::vector<Numbers> numbers;
    std::vector<std::vector<size_t>> strides;
    for (const Datum& d : args) {
        numbers.push_back(numbers_of(d));
        strides.push_back(broadcast_strides(d.dims, dims));
    }
    size_t count = 1;
    for (const int64_t d : dims)
        count *= static_cast<size_t>(d);
    std::vector<double> out(count);
    std::vector<double> scalars(args.size());
    for (size_t i = 0; i < count; ++i) {
        for (size_t a = 0; a < args.size(); ++a) {
            size_t at = 0, rest = i;
            for (size_t d = dims.size(); d-- > 0; rest /= static_cast<size_t>(dims[d]))
                at += rest % static_cast<size_t>(dims[d]) * strides[a][d];
            scalars[a] = (*numbers[a])[at];
        }
        out[i] = evaluate_pointwise(n.op, scalars);
    }
    return make_datum(dims, std::move(out));
}

Datum Evaluator::rounded(Datum d) const {
    if (!d.numbers || !options.f32_between_ops) return d;
    std::vector<double> rounded_numbers(d.numbers->size());
    for (size_t i = 0; i < rounded_numbers.size(); ++i)
        rounded_numbers[i] = static_cast<float>((*d.numbers)[i]);
    return make_datum(std::move(d.dims), std::move(rounded_numbers));
}

std::string where(const Value& param) {
    return fmt::format("param '{}'", param.name);
}

const Tensor& binding(const Value& param, const EvalInputs& inputs) {
    if (const auto found = inputs.params.find(param.name); found != inputs.params.end()) return found->second;
    if (inputs.weights != nullptr)
        if (const auto found = inputs.weights->find(param.name); found != inputs.weights->end())
            return found->second;
    throw Error(where(param), "no tensor is bound to it");
}

// Finds the value of every symbol that the caller left open, and checks the tensor against the type.
void match_dims(const Graph& g, const Value& param, const Tensor& t, std::vector<int64_t>& symbols) {
    bool fits = t.element == param.type.element && t.dims.size() == param.type.dims.size();
    for (size_t i = 0; fits && i < t.dims.size(); ++i) {
        const Dim d = param.type.dims[i];
        if (!d.is_symbol()) {
            fits = t.dims[i] == d.constant();
            continue;
        }
        int64_t& value = symbols[d.symbol_index()];
        if (value == unknown) value = t.dims[i];
        fits = value == t.dims[i];
    }
    if (!fits)
        throw Error(where(param),
                    fmt::format("it is {}, the tensor bound to it is {}[{}]", print(param.type, g.symbols),
                                info(t.element).text, fmt::join(t.dims, ", ")));
    Tensor::view(t.element, t.dims, t.data); // throws if the data is too short
}

std::vector<int64_t> given_symbols(const Graph& g, const EvalInputs& inputs) {
    std::vector<int64_t> symbols(g.symbols.size(), unknown);
    for (size_t i = 0; i < symbols.size(); ++i)
        if (const auto found = inputs.symbols.find(g.symbols[i].name); found != inputs.symbols.end())
            symbols[i] = found->second;
    return symbols;
}

void check_symbols(const Graph& g, const std::vector<int64_t>& symbols) {
    for (size_t i = 0; i < symbols.size(); ++i) {
        const Symbol& s = g.symbols[i];
        if (symbols[i] == unknown)
            throw Error(fmt::format("symbol {}", s.name), "no param has it; give its value");
        if (symbols[i] < s.min || symbols[i] > s.max)
            throw Error(fmt::format("symbol {}", s.name),
                        fmt::format("it is {}, outside of {}..{}", symbols[i], s.min, s.max));
    }
}

Tensor as_tensor(const Datum& d) {
    if (!d.numbers) return d.tensor;
    return Tensor::from_floats(d.dims, std::vector<float>(d.numbers->begin(), d.numbers->end()));
}

} // namespace

std::vector<Tensor> evaluate(const Graph& g, const EvalInputs& inputs, const EvalOptions& options) {
    verify(g);
    Evaluator evaluator{.symbols = given_symbols(g, inputs), .options = options};
    std::vector<Datum> args;
    for (const ValueId v : g.params) {
        const Tensor& t = binding(g.values[v], inputs);
        match_dims(g, g.values[v], t, evaluator.symbols);
        args.push_back(make_datum(t));
    }
    check_symbols(g, evaluator.symbols);
    std::vector<Tensor> results;
    for (const Datum& d : evaluator.run(g, std::move(args)))
        results.push_back(as_tensor(d));
    return results;
}

} // namespace ingot::ir
