// Passes of the canonical phase: smaller graphs with the same meaning.
#pragma once

#include "passes/context.h"

namespace ingot::passes {

// Computes every effect-free op whose operands are all constants, by the reference evaluator, so that kernels
// never spend time on what the model file already decides. Values over 64 KiB stay as they are: the text must
// stay readable. So do results of the graph: the caller reads them where a kernel writes them.
void fold_constants(ir::Graph& g, const PassContext& context);

// Merges nodes that compute the same from the same: equal op, operands, attributes and result types. Nodes
// with effects are never merged, and cannot be confused by accident: each returns a new version of the state.
void merge_common_subexpressions(ir::Graph& g, const PassContext& context);

// Removes nodes that no result depends on and that have no effect. Params stay: callers bind them by name.
void remove_dead_nodes(ir::Graph& g, const PassContext& context);

} // namespace ingot::passes
