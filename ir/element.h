// The element types of tensors (elements.def), with what every room needs to know of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace ingot::ir {

enum class Element : uint8_t {
#define ELEMENT(id, text, gguf, number, elements, bytes, runs) id,
#include "elements.def"
#undef ELEMENT
};

struct ElementInfo {
    std::string_view text;   // as IR text spells it
    std::string_view gguf;   // as GGUF tools spell it; empty where it never stands in a file
    int gguf_id;             // -1 likewise
    uint32_t block_elements; // elements that share a block (1 for plain types)
    uint32_t block_bytes;
    bool runs; // this build computes with it
};

const ElementInfo& info(Element e);
std::span<const ElementInfo> all_elements(); // indexed by Element
std::optional<Element> element_from_gguf(uint32_t gguf_id);
std::optional<Element> element_from_text(std::string_view text);

// Weights that are blocks of codes with scales, as opposed to plain floats and integers.
inline bool is_quantized(Element e) {
    return info(e).block_elements > 1;
}

// Bytes of a row of `count` elements; nullopt if `count` is not whole blocks or the product exceeds 63 bits.
std::optional<uint64_t> row_bytes(Element e, uint64_t count);

} // namespace ingot::ir
