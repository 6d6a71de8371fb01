// Where the values of all programs lie in the arenas of a plan.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "codegen/weight_table.h"
#include "ir/graph.h"

namespace ingot::codegen {

// A range of an arena.
struct Place {
    ir::Pool pool = ir::Pool::transient;
    uint64_t offset = 0, bytes = 0;
};

// The KV cache, as the state params of rank four describe it.
struct CacheLayout {
    uint32_t page_positions = 0, pages = 0, max_sequences = 0, max_pages_per_sequence = 0;
    struct Plane {
        uint64_t offset = 0, page_bytes = 0;
    };
    std::vector<Plane> planes;
    uint64_t bytes_per_page = 0;
};

class ArenaLayout {
  public:
    explicit ArenaLayout(const ir::Weights& weights) : table_(weights) {}

    // Places the values of a program. Values of io and state are shared among programs by name. Throws
    // ir::Error for a value of io without a name and for programs that disagree.
    void add(const ir::Graph& planned);
    // Makes room at the end of the state arena for the workspaces of kernels. There are two, which launches
    // use in turn, because a launch may begin before the one before it is complete.
    void reserve_workspace(uint64_t bytes);
    uint64_t workspace_offset(size_t launch) const {
        return workspace_.offset + launch % 2 * workspace_.bytes;
    }

    Place place_of(const ir::Graph& g, ir::ValueId v) const;
    const WeightTable& weights() const { return table_; }
    const CacheLayout& cache() const { return cache_; }
    uint64_t state_bytes() const { return workspace_.offset + 2 * workspace_.bytes; }
    uint64_t transient_bytes() const { return transient_end_; }
    uint64_t io_bytes() const { return io_end_; }

  private:
    void add_io(const ir::Graph& g);
    void add_state(const ir::Graph& g);
    void add_cache_plane(const ir::Graph& g, ir::ValueId param, const Place& place);

    WeightTable table_;
    std::map<std::pair<const ir::Graph*, ir::ValueId>, size_t> piece_of_;
    std::map<std::string, Place> io_, state_;
    Place workspace_{.pool = ir::Pool::state, .offset = 0, .bytes = 0};
    CacheLayout cache_;
    uint64_t transient_end_ = 0, io_end_ = 0;
};

} // namespace ingot::codegen
