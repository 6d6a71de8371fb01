#include "codegen/kernel_run.h"

#include <algorithm>

#include "ir/effects.h"

namespace ingot::codegen {

using namespace ir;

std::vector<size_t> memory_of_results(const Graph& body) {
    std::vector<size_t> places;
    for (size_t i = 0; i < body.results.size(); ++i) {
        const ValueId root = storage_root(body, body.results[i]);
        const auto param = std::find(body.params.begin(), body.params.end(), root);
        places.push_back(param != body.params.end() ? static_cast<size_t>(param - body.params.begin())
                                                    : body.params.size() + i);
    }
    return places;
}

std::vector<int64_t> dims_of(const Type& type, std::span<const int32_t> symbols) {
    std::vector<int64_t> sizes;
    for (const Dim d : type.dims)
        sizes.push_back(d.is_symbol() ? int64_t{symbols[d.symbol_index()]} : d.constant());
    return sizes;
}

} // namespace ingot::codegen
