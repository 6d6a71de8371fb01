// Filters, tests, methods and functions: what they are called, what they take, and where their tables are.
#pragma once

#include "runtime/text/jinja/budget.h"
#include "runtime/text/jinja/value.h"

#include <array>
#include <cstdint>
#include <ctime>
#include <deque>
#include <optional>
#include <span>
#include <string_view>

namespace ingot::runtime::jinja {

// What builtins may touch of a rendering.
struct Context {
    Budget budget;
    std::optional<std::tm> now;
    std::deque<Namespace> namespaces; // all of this rendering
};

struct Builtin;

struct Arguments {
    Context& context;
    std::string_view name;                 // of what is called
    const Value& subject;                  // undefined for a function
    std::span<const Value> values;         // one a parameter, undefined where absent
    const Builtin* inner = nullptr;        // the test or filter to apply in turn, or null
    std::span<const Value> inner_values{}; // its arguments
    std::span<const Entry> named{};        // name=value that is no parameter

    Budget& budget() const { return context.budget; }
};

struct Builtin {
    // What a call may bring besides the parameters.
    enum class Extra { nothing, test, filter, named };

    std::string_view name;
    std::array<std::string_view, 4> parameters{}; // in order; the empty ones at the end don't count
    std::uint8_t required = 0;                    // so many of them must be there
    Value (*run)(const Arguments&) = nullptr;
    Extra extra = Extra::nothing;
};

// Null where there is none of that name. No method of strings has the name of one of dictionaries.
const Builtin* find_filter(std::string_view name);
const Builtin* find_test(std::string_view name);
const Builtin* find_text_method(std::string_view name);
const Builtin* find_dict_method(std::string_view name);
const Builtin* find_function(std::string_view name);

} // namespace ingot::runtime::jinja
