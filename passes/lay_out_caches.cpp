#include "passes/lay_out_caches.h"

namespace ingot::passes {

using namespace ir;

void lay_out_caches(Graph& g, const PassContext& context) {
    if (!context.key_octets) return;
    // Every version of a cache has the type of the cache.
    for (Value& v : g.values) {
        if (v.type.layout != Layout::kv_channels) continue;
        const Dim channels = v.type.dims.back();
        if (!channels.is_symbol() && channels.constant() % 8 == 0) v.type.layout = Layout::kv_octets;
    }
}

} // namespace ingot::passes
