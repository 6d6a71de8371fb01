// What sinks keep from tile to tile: the best logits so far, blocks that wait to be quantised.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "codegen/host/tiles.h"
#include "codegen/region.h"

namespace ingot::codegen {

class SinkStates {
  public:
    // The groups must outlive this.
    SinkStates(const Region& region, const std::vector<SinkGroup>& groups, ir::Dim tokens)
        : region_(region), groups_(groups), tokens_(tokens) {}

    void declare(SourceText& out, std::set<std::string>& headers) const; // before the first tile
    void finish(SourceText& out) const;                                  // behind the last

  private:
    const Region& region_;
    const std::vector<SinkGroup>& groups_;
    ir::Dim tokens_;
};

// What a quantize sink calls with (low, high, row, block). The blocks of several tokens wait in a batch.
std::string quantize_function(const SinkGroup& group, const Sink& sink, bool one_token);

} // namespace ingot::codegen
