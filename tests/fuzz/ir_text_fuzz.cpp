// libFuzzer target: any bytes as IR text. What parses has to print and parse back to itself, and the
// verifier, the adapter and the writers have to stand whatever the verifier lets through.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "ir/dot.h"
#include "ir/error.h"
#include "ir/json.h"
#include "ir/node_graph.h"
#include "ir/print.h"
#include "ir/verify.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace ingot::ir;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try {
        for (const Graph& g : parse_all(text)) {
            const std::string printed = print(g);
            if (!(parse(printed) == g)) std::abort();
            verify(g);
            if (dot(g).empty() || json(g).empty()) std::abort();
            if (NodeGraph(g).size() != g.nodes.size()) std::abort();
        }
    } catch (const Error&) {
    }
    return 0;
}
