// Computing values row by row: what stands before a matrix product (norm, quantisation, gathering), and whole
// kernels that have no product.
#pragma once

#include <set>
#include <string>

#include "codegen/region.h"

namespace ingot::codegen {

// Emits the code that computes one row of some values, in the scope of a row number.
class RowEmitter {
  public:
    // `row` is C++ text: the number of the row that is computed.
    RowEmitter(const Region& region, SourceText& out, std::set<std::string>& headers, std::string row)
        : region_(region), out_(out), headers_(headers), row_(std::move(row)) {}

    // Makes sure that the row of `v` is there (in the result's memory, else in an array on the stack).
    // Throws ir::Error for ops that have no row form.
    void compute(ir::ValueId v);
    // The node's effect on its cache.
    void append(const ir::Node& n);
    // Pointer to the row of a value that has been computed or is in memory.
    std::string pointer(ir::ValueId v) const;

  private:
    void pointwise(const ir::Node& n);
    void rope(const ir::Node& n);
    void argmax(const ir::Node& n);
    void embed(const ir::Node& n);
    void angles(const ir::Node& n);
    void norm(const ir::Node& n);
    void quantize(const ir::Node& n);
    // Declares where the row goes and returns its name.
    std::string destination(ir::ValueId v);

    const Region& region_;
    SourceText& out_;
    std::set<std::string>& headers_;
    std::string row_;
    std::set<ir::ValueId> done_;
};

// Emits a kernel without products and attention: its rows are shared among the threads.
void emit_row_kernel(const Region& region, SourceText& out, std::set<std::string>& headers);

// C++ for kv_append's `E, KvHeads, D, P` from the type of its cache.
std::string cache_arguments(const Region& region, const ir::Node& n, const ir::Type& cache);
// "append_k" or "append_v", by the cache's layout.
std::string append_function(const Region& region, const ir::Node& n, const ir::Type& cache);

} // namespace ingot::codegen
