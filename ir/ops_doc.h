// The op table as documentation.
#pragma once

#include <string>

namespace ingot::ir {

// Markdown of every row of ops.def: what docs/IR.md has between its "ops" markers.
std::string op_table_markdown();

} // namespace ingot::ir
