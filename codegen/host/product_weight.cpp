#include "codegen/host/product_weight.h"

#include <fmt/format.h>

namespace ingot::codegen {

using namespace ir;

Product describe_product(const Region& region, NodeId id, std::set<std::string>& headers) {
    const Node& n = region.body.nodes[id];
    const Type& w = region.type(n.operands[1]);
    if (!region.is_param(n.operands[1]) || (w.layout != Layout::panel16 && w.layout != Layout::panel16_pair))
        region.unsupported(n, "its weight must be an operand of the kernel, packed in panels");
    const bool quantized = region.type(n.operands[0]).element == Element::q8a;
    if (quantized && !is_quantized(w.element))
        region.unsupported(n, fmt::format("{} weights take f32 input, not q8a", info(w.element).text));
    headers.insert(format_header(w.element));
    return {.id = id,
            .rows = w.dims[0].constant(),
            .depth = w.dims[1].constant(),
            .paired = w.layout == Layout::panel16_pair,
            .weight = region.memory_name(n.operands[1]),
            .input = fmt::format("{}Activations{{x{}}}", quantized ? "Q8" : "F32", n.operands[0]),
            .format = format_name(region, n, w.element),
            .panel_bytes = packed_bytes(w.element, Layout::panel16, panel_rows,
                                        static_cast<uint64_t>(w.dims[1].constant())),
            .weight_operand = region.param_index(n.operands[1])};
}

std::string share_begin(const StreamedWeights& w) {
    return fmt::format("p{} + {} + u64(u32(share({}, int(c->thread), int(c->threads)).begin)) * {}",
                       w.operand, w.offset, w.units, w.unit_bytes);
}

} // namespace ingot::codegen
