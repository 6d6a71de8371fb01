#include "frontend/reference_logits.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/evaluate.h"

namespace ingot::frontend {

using namespace ir;

namespace {

const Graph& graph_named(const Model& model, std::string_view name) {
    const auto found = std::find_if(model.graphs.begin(), model.graphs.end(),
                                    [&](const Graph& g) { return g.name == name; });
    if (found == model.graphs.end()) throw Error("model", fmt::format("it has no graph {}", name));
    return *found;
}

int64_t largest(const Graph& g, Dim d) {
    return d.is_symbol() ? g.symbols[d.symbol_index()].max : d.constant();
}

// i32 [count]: first, first + 1, ...
Tensor counting(int64_t first, int64_t count) {
    std::vector<int32_t> values(static_cast<size_t>(count));
    std::iota(values.begin(), values.end(), static_cast<int32_t>(first));
    return Tensor::from_ints({count}, values);
}

// Sequence 0 takes the pages from the last to the first, so that a reader who ignores the table is found out.
Tensor page_table(const std::vector<int64_t>& dims) {
    std::vector<int32_t> pages(static_cast<size_t>(dims[0] * dims[1]), 0);
    for (int64_t i = 0; i < dims[1]; ++i)
        pages[static_cast<size_t>(i)] = static_cast<int32_t>(dims[1] - 1 - i);
    return Tensor::from_ints(dims, pages);
}

} // namespace

void reference_logits(const Model& model, std::span<const int32_t> ids, size_t first,
                      const EachLogits& each) {
    const Graph& prefill = graph_named(model, "prefill");
    const Graph& head = graph_named(model, "head");
    const auto tokens = static_cast<int64_t>(ids.size());
    const int64_t step = largest(prefill, prefill.type(prefill.find_param("tokens")).dims[0]);
    const int64_t most = std::min(step, model.facts.context);
    if (tokens < 1 || tokens > most)
        throw Error("reference", fmt::format("{} ids; it takes 1 to {} of them", tokens, most));

    EvalInputs in{.weights = &model.weights};
    in.params["tokens"] = Tensor::from_ints({tokens}, ids);
    in.params["positions"] = counting(0, tokens);
    in.params["seqs"] = Tensor::from_ints({tokens}, std::vector<int32_t>(ids.size(), 0));
    for (const ValueId p : prefill.params) {
        const Value& v = prefill.values[p];
        std::vector<int64_t> dims;
        for (const Dim d : v.type.dims)
            dims.push_back(d.is_symbol() ? tokens : d.constant());
        if (v.name == "pages")
            in.params["pages"] = page_table(dims);
        else if (v.type.pool == Pool::state)
            in.params[v.name] = Tensor::zeros(v.type.element, dims);
    }
    std::vector<float> hidden = evaluate(prefill, in)[0].to_floats();

    const int64_t rows = head.type(head.find_param("hidden")).dims[0].constant();
    const int64_t at_once = largest(head, head.type(head.find_param("ids")).dims[0]);
    hidden.resize(static_cast<size_t>(rows * model.facts.embedding), 0.0F);
    EvalInputs of_head{.weights = &model.weights};
    of_head.params["hidden"] = Tensor::from_floats({rows, model.facts.embedding}, hidden);
    for (auto row = static_cast<int64_t>(first); row < tokens; row += at_once) {
        const int64_t count = std::min(at_once, tokens - row);
        of_head.params["ids"] = counting(row, count);
        const std::vector<float> logits = evaluate(head, of_head)[0].to_floats();
        const size_t width = logits.size() / static_cast<size_t>(count);
        for (size_t i = 0; i < static_cast<size_t>(count); ++i)
            each(static_cast<size_t>(row) + i, std::span(logits).subspan(i * width, width));
    }
}

} // namespace ingot::frontend
