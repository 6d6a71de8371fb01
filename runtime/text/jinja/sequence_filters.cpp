// Filters that go through items. What is a generator in Jinja is a list here.
#include "runtime/error.h"
#include "runtime/text/jinja/arguments.h"
#include "runtime/text/jinja/builtin_table.h"
#include "runtime/text/jinja/operators.h"
#include "runtime/text/jinja/text_form.h"
#include "runtime/text/jinja/text_operations.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace ingot::runtime::jinja {
namespace {

// What `path` leads to from `item`: a key or index, or several with dots between ("function.name").
Value follow(Budget& budget, Value item, const Value& path) {
    const MarkedText* text = path.as_text();
    if (text == nullptr) return subscript(budget, item, path);
    std::string_view rest = text->bytes();
    while (true) {
        const std::string_view part = rest.substr(0, rest.find('.'));
        std::int64_t index = 0;
        const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
        const bool is_index = error == std::errc() && end == part.data() + part.size() && index >= 0;
        item = subscript(budget, item, is_index ? Value(index) : own_text(budget, part));
        if (part.size() == rest.size()) return item;
        rest.remove_prefix(part.size() + 1);
    }
}

void refuse_several(const Value& path) {
    const MarkedText* text = path.as_text();
    if (text != nullptr && text->bytes().find(',') != std::string_view::npos)
        throw Error(Code::unsupported, "", "sorting by several attributes is not supported");
}

Value ignoring_case(Budget& budget, const Value& value) {
    return value.as_text() == nullptr ? value : lower(budget, *value.as_text());
}

// What is gone through where Jinja takes anything false for nothing.
Value::ListRef iterate_if_true(const Arguments& a) {
    return iterate(a.budget(), is_true(a.subject) ? a.subject : Value());
}

// The items of `over` that `keeps` doesn't refuse.
template <class Keeps>
Value filtered(const Arguments& a, const Value::ListRef& over, Keeps keeps) {
    Items kept;
    for (const Value& item : over->items) {
        a.budget().step();
        if (!keeps(item)) continue;
        a.budget().take(sizeof(Value));
        kept.push_back(item);
    }
    return a.budget().list(std::move(kept));
}

bool passes(const Arguments& a, const Value& value) {
    return is_true(a.inner == nullptr ? value : apply_inner(a, value));
}

template <bool wanted>
Value select(const Arguments& a) {
    return filtered(a, iterate_if_true(a), [&](const Value& item) { return passes(a, item) == wanted; });
}

template <bool wanted>
Value select_by_attribute(const Arguments& a) {
    return filtered(a, iterate_if_true(a), [&](const Value& item) {
        return passes(a, follow(a.budget(), item, a.values[0])) == wanted;
    });
}

Value map(const Arguments& a) {
    Items mapped;
    const Value::ListRef over = iterate_if_true(a);
    for (const Value& item : over->items) {
        a.budget().take(sizeof(Value));
        if (a.inner != nullptr) {
            mapped.push_back(apply_inner(a, item));
            continue;
        }
        Value found = follow(a.budget(), item, a.values[0]);
        if (found.is<Undefined>() && !is_absent(a.values[1])) found = a.values[1];
        mapped.push_back(std::move(found));
    }
    return a.budget().list(std::move(mapped));
}

Value join(const Arguments& a) {
    const Value separator = to_text(a.budget(), a.values[0]);
    TextBuilder out(a.budget());
    bool first = true;
    const Value::ListRef over = iterate(a.budget(), a.subject);
    for (const Value& item : over->items) {
        if (!std::exchange(first, false)) out.append(*separator.as_text());
        append_text(out, is_absent(a.values[1]) ? item : follow(a.budget(), item, a.values[1]));
    }
    return out.finish();
}

Value first(const Arguments& a) {
    if (a.subject.as_text() != nullptr) return subscript(a.budget(), a.subject, std::int64_t{0});
    const Value::ListRef list = iterate(a.budget(), a.subject);
    return list->items.empty() ? Value() : list->items.front();
}

Value last(const Arguments& a) {
    if (a.subject.as_text() != nullptr) return subscript(a.budget(), a.subject, std::int64_t{-1});
    const Value::ListRef list = iterate(a.budget(), a.subject);
    return list->items.empty() ? Value() : list->items.back();
}

Value list(const Arguments& a) {
    a.budget().step();
    return a.budget().list(iterate(a.budget(), a.subject)->items);
}

Value reverse(const Arguments& a) {
    const Value whole = a.subject.as_text() != nullptr ? a.subject : list(a);
    return slice(a.budget(), whole, None{}, None{}, std::int64_t{-1});
}

// `items` in the order of keys that key(item) gives, equal ones in the order in which they came.
template <class Key>
Value sorted(Budget& budget, Items items, bool descending, Key key) {
    std::vector<std::pair<Value, std::size_t>> keys;
    for (std::size_t i = 0; i < items.size(); ++i) {
        budget.take(sizeof(keys[0]));
        keys.emplace_back(key(items[i]), i);
    }
    std::ranges::stable_sort(keys, [&](const auto& a, const auto& b) {
        return descending ? less(budget, b.first, a.first) : less(budget, a.first, b.first);
    });
    Items ordered;
    for (const auto& [unused, place] : keys)
        ordered.push_back(std::move(items[place]));
    return budget.list(std::move(ordered));
}

Value sort(const Arguments& a) {
    refuse_several(a.values[2]);
    Items items = iterate(a.budget(), a.subject)->items;
    return sorted(a.budget(), std::move(items), is_true(a.values[0]), [&](const Value& item) {
        Value key = is_absent(a.values[2]) ? item : follow(a.budget(), item, a.values[2]);
        return is_true(a.values[1]) ? key : ignoring_case(a.budget(), key);
    });
}

Value dictsort(const Arguments& a) {
    const Value pairs = entry_pairs(a.budget(), dict_subject(a));
    std::size_t place = 0;
    if (!is_absent(a.values[1])) {
        const std::string_view by = text_of(a.values[1], "'dictsort': by").bytes();
        if (by != "key" && by != "value")
            throw Error(Code::invalid_argument, "", "'dictsort' sorts by 'key' or 'value'");
        place = by == "key" ? 0 : 1;
    }
    return sorted(a.budget(), pairs.as_list()->items, is_true(a.values[2]), [&](const Value& pair) {
        Value key = pair.as_list()->items[place];
        return is_true(a.values[0]) ? key : ignoring_case(a.budget(), key);
    });
}

Value unique(const Arguments& a) {
    Items seen;
    return filtered(a, iterate(a.budget(), a.subject), [&](const Value& item) {
        Value key = is_absent(a.values[1]) ? item : follow(a.budget(), item, a.values[1]);
        if (!is_true(a.values[0])) key = ignoring_case(a.budget(), key);
        const bool is_new =
            std::ranges::none_of(seen, [&](const Value& other) { return equal(a.budget(), other, key); });
        a.budget().take(sizeof(Value));
        seen.push_back(std::move(key));
        return is_new;
    });
}

using Extra = Builtin::Extra;

constexpr Builtin rows[] = {
    {.name = "dictsort", .parameters = {"case_sensitive", "by", "reverse"}, .run = dictsort},
    {.name = "first", .run = first},
    {.name = "join", .parameters = {"d", "attribute"}, .run = join},
    {.name = "last", .run = last},
    {.name = "list", .run = list},
    {.name = "map", .parameters = {"attribute", "default"}, .run = map, .extra = Extra::filter},
    {.name = "reject", .run = select<false>, .extra = Extra::test},
    {.name = "rejectattr",
     .parameters = {"attribute"},
     .required = 1,
     .run = select_by_attribute<false>,
     .extra = Extra::test},
    {.name = "reverse", .run = reverse},
    {.name = "select", .run = select<true>, .extra = Extra::test},
    {.name = "selectattr",
     .parameters = {"attribute"},
     .required = 1,
     .run = select_by_attribute<true>,
     .extra = Extra::test},
    {.name = "sort", .parameters = {"reverse", "case_sensitive", "attribute"}, .run = sort},
    {.name = "unique", .parameters = {"case_sensitive", "attribute"}, .run = unique},
};

} // namespace

std::span<const Builtin> sequence_filters() {
    return rows;
}

} // namespace ingot::runtime::jinja
