#include "ir/element.h"

#include <array>

namespace ingot::ir {
namespace {

constexpr std::array table = {
#define ELEMENT(id, text, gguf, number, elements, bytes, runs)                                               \
    ElementInfo{text, gguf, number, elements, bytes, runs != 0},
#include "ir/elements.def"
#undef ELEMENT
};

} // namespace

const ElementInfo& info(Element e) {
    return table[static_cast<size_t>(e)];
}

std::span<const ElementInfo> all_elements() {
    return table;
}

std::optional<Element> element_from_gguf(uint32_t gguf_id) {
    for (size_t i = 0; i < table.size(); ++i)
        if (table[i].gguf_id >= 0 && static_cast<uint32_t>(table[i].gguf_id) == gguf_id)
            return static_cast<Element>(i);
    return std::nullopt;
}

std::optional<Element> element_from_text(std::string_view text) {
    for (size_t i = 0; i < table.size(); ++i)
        if (table[i].text == text) return static_cast<Element>(i);
    return std::nullopt;
}

std::optional<uint64_t> row_bytes(Element e, uint64_t count) {
    const ElementInfo& i = info(e);
    if (count % i.block_elements != 0) return std::nullopt;
    const uint64_t blocks = count / i.block_elements;
    if (blocks > (uint64_t{1} << 63) / i.block_bytes - 1) return std::nullopt;
    return blocks * i.block_bytes;
}

} // namespace ingot::ir
