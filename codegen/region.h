// A fused node's body as the emitters of host kernels see it: every value with its shape in constants, every
// param and result with its C++ name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace ingot::codegen {

// Lines of C++ with indentation.
class SourceText {
  public:
    void line(std::string_view text);
    void open(std::string_view text); // the line, then one level deeper
    void close(std::string_view text = "}");
    void block(const SourceText& lines); // at this depth
    const std::string& str() const { return text_; }

  private:
    std::string text_;
    int depth_ = 0;
};

class Region {
  public:
    // `name` is the node's, for messages. Both must outlive the region. `symbol` is how C++ spells the
    // current value of a symbol by its number, with {} for that: "c->dims[{}]".
    Region(const ir::Graph& body, std::string_view name, std::string_view symbol);

    const ir::Graph& body;

    // Throws ir::Error naming the kernel and the op: "kernel blk.0.ffn: matmul: ...".
    [[noreturn]] void unsupported(const ir::Node& n, std::string_view why) const;
    [[noreturn]] void unsupported(std::string_view why) const;

    const ir::Type& type(ir::ValueId v) const { return body.type(v); }
    const ir::Node* producer(ir::ValueId v) const { return body.producer(v); }
    bool is_param(ir::ValueId v) const { return body.producer(v) == nullptr; }
    // Index among the node's results, or nullopt. A cache that is appended to is no result in this sense: its
    // storage is a param's.
    std::optional<size_t> result_index(ir::ValueId v) const;
    size_t param_index(ir::ValueId v) const;
    bool has_one_reader(ir::ValueId v) const; // counting the region's results

    int64_t columns(ir::ValueId v) const; // the last dim
    // The dim before the last, or the only dim of an i32 value; 1 for a vector of floats. Throws for three
    // and more.
    ir::Dim rows(ir::ValueId v) const;
    std::string rows_text(ir::Dim d) const;           // C++: a number, or the symbol's current value
    std::optional<int64_t> constant(ir::Dim d) const; // also of a symbol whose bounds are equal
    int64_t most(ir::Dim d) const;                    // its largest value

    // C++ names: `p3` for a param, `r0` for a result's memory, `v7` for what the kernel keeps.
    std::string memory_name(ir::ValueId v) const; // of a param or result; throws for others
    std::string name(ir::ValueId v) const;
    bool in_memory(ir::ValueId v) const { return is_param(v) || result_index(v).has_value(); }
    // Row `row` (C++ text) of a value in memory, f32 or q8a.
    std::string row_pointer(ir::ValueId v, std::string_view row) const;

    // Declares a pointer for every param and result.
    void declare_operands(SourceText& out) const;

  private:
    std::string name_, symbol_;
    std::vector<std::vector<ir::NodeId>> readers_;
};

// "Q4_1" for the template's format of a weight element; throws through `region` where there is none.
std::string format_name(const Region& region, const ir::Node& n, ir::Element e);
// The header that defines it.
std::string format_header(ir::Element e);
// A float literal that reads back exactly.
std::string literal(double value);

} // namespace ingot::codegen
