// The type rule of every op: what results it has for given operands and attributes.
#pragma once

#include <vector>

#include "ir/graph.h"

namespace ingot::ir {

// Result types of `op` on operands of those types. Throws Error naming the op and the broken rule ("matmul: x
// has 64 columns, weight has 80"). Ops whose results can't be derived (constant, fused, launch, pack) are not
// accepted here; the verifier checks theirs against the node.
std::vector<Type> infer(Op op, const std::vector<Type>& operands, const std::vector<Attr>& attrs,
                        const std::vector<Symbol>& symbols);

// Whether infer() accepts the op.
bool derives_results(Op op);

// For the other ops: throws Error if a node can't have results of the given types.
void check_given_results(Op op, const std::vector<Type>& operands, const std::vector<Attr>& attrs,
                         const std::vector<Symbol>& symbols, const std::vector<Type>& results);

// Throws Error if the op table doesn't allow so many operands or these attributes.
void check_signature(Op op, size_t operand_count, const std::vector<Attr>& attrs);

} // namespace ingot::ir
