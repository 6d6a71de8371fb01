// The ops (ops.def) and what every room needs to know of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace ingot::ir {

enum class Op : uint8_t {
#define POINTWISE(name, ...) name,
#define STRUCTURED(name, ...) name,
#include "ops.def"
#undef POINTWISE
#undef STRUCTURED
};

enum class Effect : uint8_t { none, append };
enum class AttrKind : uint8_t { integer, real, text, reals, integers };

struct AttrInfo {
    std::string_view name;
    AttrKind kind;
};

struct OpInfo {
    std::string_view name;
    std::span<const std::string_view> operands; // without ? and *
    size_t required;                            // how many of them must be there
    bool variadic;                              // the last one stands for any number
    std::span<const AttrInfo> attrs;            // in the order in which text lists them
    Effect effect;
    std::string_view phases;     // letters as in ops.def
    std::string_view expression; // pointwise ops: the scalar expression, else empty
    std::string_view doc;
};

const OpInfo& info(Op op);
std::span<const OpInfo> all_ops(); // indexed by Op
std::optional<Op> op_from_text(std::string_view name);
inline bool is_pointwise(Op op) {
    return !info(op).expression.empty();
}

// The value of a pointwise op for one element, in double precision. `args` has as many values as the op has
// operands.
double evaluate_pointwise(Op op, std::span<const double> args);

} // namespace ingot::ir
