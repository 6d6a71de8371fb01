// Looking up a row by its name.
#pragma once

#include "runtime/text/jinja/builtin.h"

#include <span>
#include <string_view>

namespace ingot::runtime::jinja {

inline const Builtin* find_in(std::span<const Builtin> table, std::string_view name) {
    for (const Builtin& row : table)
        if (row.name == name) return &row;
    return nullptr;
}

// The filters that pick, map and order items; find_filter looks here too.
std::span<const Builtin> sequence_filters();

} // namespace ingot::runtime::jinja
