// What lies in the weights arena of a plan: the values that the programs' kernels read of weights and
// constants, in the layouts they want, each once.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/tensor.h"
#include "runtime/packing.h"

namespace ingot::codegen {

// Tensors stacked one below the other, in one layout, at one place of the arena.
struct WeightPiece {
    std::string name; // its tensors' names, joined by '+'
    ir::Element element = ir::Element::f32;
    ir::Layout layout = ir::Layout::rows;
    uint64_t rows = 0, cols = 0;              // a vector is one column
    std::vector<std::string> tensors;         // names, "" for a constant
    std::vector<runtime::PackSource> sources; // their data
    uint64_t offset = 0, bytes = 0;
    runtime::PackSize size;

    runtime::PackJob job() const;
};

// Finds the pieces of any number of graphs and places them in the order in which they are first used.
class WeightTable {
  public:
    // `weights` must outlive the table.
    explicit WeightTable(const ir::Weights& weights) : weights_(weights) {}

    // Index of the piece that holds a weights value of a graph: a param, constant, concat_rows or pack. The
    // same chain of operations on the same tensors is one piece, whatever the graph. Throws ir::Error for a
    // tensor that the weights lack or that differs from its param's type.
    size_t piece_of(const ir::Graph& g, ir::ValueId v);

    const std::vector<WeightPiece>& pieces() const { return pieces_; }
    uint64_t bytes() const { return end_; }

  private:
    struct Source {
        std::string key, name;
        std::vector<std::string> tensors;
        std::vector<runtime::PackSource> data;
    };
    Source source_of(const ir::Graph& g, ir::ValueId v);

    const ir::Weights& weights_;
    std::vector<WeightPiece> pieces_;
    std::map<std::string, size_t> by_key_;
    std::map<std::string, std::vector<std::byte>>
        constants_; // by key; node-based, so spans into them stay valid
    uint64_t end_ = 0;
};

// Writes bytes [begin, begin + out.size()) of the arena that the pieces make up; gaps are zero.
void fill_weights(std::span<const WeightPiece> pieces, uint64_t begin, std::span<std::byte> out);

} // namespace ingot::codegen
