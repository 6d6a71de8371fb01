// libFuzzer target: any bytes as IR text. What parses has to print and parse back to itself, and the
// verifier, the adapter, the writers and the passes have to stand whatever the verifier lets through.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "ir/dot.h"
#include "ir/error.h"
#include "ir/json.h"
#include "ir/node_graph.h"
#include "ir/print.h"
#include "ir/verify.h"
#include "passes/pipeline.h"

using namespace ingot;

namespace {

// A graph that a pass can't do anything with is an error; one that is not well-formed afterwards ends the
// fuzzer, by std::logic_error.
void compile(ir::Graph g, bool gpu) {
    const passes::PassContext context{.row_tiles = gpu,
                                      .key_octets = gpu,
                                      .defer_norms = gpu,
                                      .products_alone = gpu,
                                      .planner_seconds = 0.1};
    try {
        passes::run_pipeline(g, context);
    } catch (const ir::Error&) {
        return;
    }
    if (!(ir::parse(ir::print(g)) == g)) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try {
        for (const ir::Graph& g : ir::parse_all(text)) {
            const std::string printed = ir::print(g);
            if (!(ir::parse(printed) == g)) std::abort();
            ir::verify(g);
            if (ir::dot(g).empty() || ir::json(g).empty()) std::abort();
            if (ir::NodeGraph(g).size() != g.nodes.size()) std::abort();
            compile(g, false);
            compile(g, true);
        }
    } catch (const ir::Error&) {
    }
    return 0;
}
