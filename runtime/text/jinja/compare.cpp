#include "runtime/text/jinja/operators.h"

#include "runtime/error.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace ingot::runtime::jinja {
namespace {

// Exact for both: the mantissa of long double holds 64 bits at least on the machines there are (x87,
// binary128).
long double as_real(const Value& value) {
    if (const double* real = value.get<double>()) return *real;
    return static_cast<long double>(*as_integer(value));
}
static_assert(std::numeric_limits<long double>::digits >= 64);

bool equal_lists(Budget& budget, const List& a, const List& b) {
    if (a.is_tuple != b.is_tuple || a.items.size() != b.items.size()) return false;
    for (std::size_t i = 0; i < a.items.size(); ++i)
        if (!equal(budget, a.items[i], b.items[i])) return false;
    return true;
}

bool equal_dicts(Budget& budget, const Dict& a, const Dict& b) {
    if (a.entries.size() != b.entries.size()) return false;
    for (const Entry& entry : a.entries) {
        budget.step(1 + b.entries.size() / 8);
        const Value* other = find(b.entries, entry.key.bytes());
        if (other == nullptr || !equal(budget, entry.value, *other)) return false;
    }
    return true;
}

} // namespace

bool is_number(const Value& value) {
    return value.is<double>() || value.is<std::int64_t>() || value.is<bool>();
}

std::optional<std::int64_t> as_integer(const Value& value) {
    if (const std::int64_t* i = value.get<std::int64_t>()) return *i;
    if (const bool* b = value.get<bool>()) return *b ? 1 : 0;
    return std::nullopt;
}

bool equal(Budget& budget, const Value& a, const Value& b) {
    budget.step();
    if (is_number(a) && is_number(b)) return as_real(a) == as_real(b);
    if (a.data().index() != b.data().index()) return false;
    if (const MarkedText* text = a.as_text()) {
        budget.scan(text->size());
        return text->bytes() == b.as_text()->bytes();
    }
    if (const List* list = a.as_list()) return equal_lists(budget, *list, *b.as_list());
    if (const Dict* dict = a.as_dict()) return equal_dicts(budget, *dict, *b.as_dict());
    if (const Value::LoopRef* loop = a.get<Value::LoopRef>()) return *loop == *b.get<Value::LoopRef>();
    if (Namespace* const* space = a.get<Namespace*>()) return *space == *b.get<Namespace*>();
    if (const Macro* const* macro = a.get<const Macro*>()) return *macro == *b.get<const Macro*>();
    if (const Builtin* const* builtin = a.get<const Builtin*>()) return *builtin == *b.get<const Builtin*>();
    return true; // undefined and undefined, none and none
}

bool less(Budget& budget, const Value& a, const Value& b) {
    budget.step();
    if (is_number(a) && is_number(b)) return as_real(a) < as_real(b);
    const MarkedText* text = a.as_text();
    if (text != nullptr && b.as_text() != nullptr) {
        budget.scan(text->size());
        return text->bytes() < b.as_text()->bytes(); // UTF-8 sorts as its characters do
    }
    const List* first = a.as_list();
    const List* second = b.as_list();
    if (first != nullptr && second != nullptr && first->is_tuple == second->is_tuple) {
        const std::size_t common = std::min(first->items.size(), second->items.size());
        for (std::size_t i = 0; i < common; ++i)
            if (!equal(budget, first->items[i], second->items[i]))
                return less(budget, first->items[i], second->items[i]);
        return first->items.size() < second->items.size();
    }
    throw Error(Code::invalid_argument, "", fmt::format("{} and {} have no order", kind_of(a), kind_of(b)));
}

bool compare(Budget& budget, CompareOp op, const Value& a, const Value& b) {
    const auto is_nan = [](const Value& v) { return v.is<double>() && std::isnan(*v.get<double>()); };
    switch (op) {
    case CompareOp::equal:
        return equal(budget, a, b);
    case CompareOp::not_equal:
        return !equal(budget, a, b);
    case CompareOp::less:
        return less(budget, a, b);
    case CompareOp::greater:
        return less(budget, b, a);
    case CompareOp::less_equal:
        return !less(budget, b, a) && !is_nan(a) && !is_nan(b);
    case CompareOp::greater_equal:
        return !less(budget, a, b) && !is_nan(a) && !is_nan(b);
    case CompareOp::in:
        return contains(budget, b, a);
    case CompareOp::not_in:
        return !contains(budget, b, a);
    }
    return false;
}

} // namespace ingot::runtime::jinja
