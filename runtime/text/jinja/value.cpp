#include "runtime/text/jinja/value.h"

#include "runtime/error.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace ingot::runtime::jinja {
namespace {

// Values are destroyed, compared and printed by recursion.
constexpr std::uint32_t most_depth = 64;

std::uint32_t above(std::uint32_t deepest) {
    if (deepest >= most_depth)
        throw Error(Code::unsupported, "", fmt::format("values are nested more than {} deep", most_depth));
    return deepest + 1;
}

} // namespace

Value Value::text(MarkedText text) {
    return Value(Text(std::make_shared<const MarkedText>(std::move(text))));
}

Value Value::message(std::string bytes) {
    return text(MarkedText(std::move(bytes), false));
}

Value Value::list(Items items, bool is_tuple) {
    std::uint32_t deepest = 0;
    for (const Value& item : items)
        deepest = std::max(deepest, item.depth());
    return Value(ListRef(std::make_shared<const List>(
        List{.items = std::move(items), .is_tuple = is_tuple, .depth = above(deepest)})));
}

Value Value::dict(Entries entries) {
    std::uint32_t deepest = 0;
    std::map<std::string_view, std::size_t> places;
    std::vector<bool> repeats(entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
        deepest = std::max(deepest, entries[i].value.depth());
        const auto [place, is_new] = places.try_emplace(entries[i].key.bytes(), i);
        repeats[i] = !is_new;
        if (!is_new) entries[place->second].value = entries[i].value;
    }
    Dict dict{.depth = above(deepest)};
    dict.entries.reserve(places.size());
    for (std::size_t i = 0; i < entries.size(); ++i)
        if (!repeats[i]) dict.entries.push_back(std::move(entries[i]));
    return Value(DictRef(std::make_shared<const Dict>(std::move(dict))));
}

const MarkedText* Value::as_text() const {
    const Text* text = get<Text>();
    return text == nullptr ? nullptr : text->get();
}

const List* Value::as_list() const {
    const ListRef* list = get<ListRef>();
    return list == nullptr ? nullptr : list->get();
}

const Dict* Value::as_dict() const {
    const DictRef* dict = get<DictRef>();
    return dict == nullptr ? nullptr : dict->get();
}

std::uint32_t Value::depth() const {
    if (const List* list = as_list()) return list->depth;
    if (const Dict* dict = as_dict()) return dict->depth;
    if (const LoopRef* loop = get<LoopRef>()) return (*loop)->over->depth;
    return 0;
}

const Value* find(const Entries& entries, std::string_view key) {
    for (const Entry& entry : entries)
        if (entry.key.bytes() == key) return &entry.value;
    return nullptr;
}

void assign(Entries& entries, MarkedText key, Value value) {
    for (Entry& entry : entries) {
        if (entry.key.bytes() == key.bytes()) {
            entry.value = std::move(value);
            return;
        }
    }
    entries.push_back({.key = std::move(key), .value = std::move(value)});
}

bool is_true(const Value& value) {
    if (const bool* b = value.get<bool>()) return *b;
    if (const std::int64_t* i = value.get<std::int64_t>()) return *i != 0;
    if (const double* d = value.get<double>()) return *d != 0;
    if (const MarkedText* text = value.as_text()) return !text->empty();
    if (const List* list = value.as_list()) return !list->items.empty();
    if (const Dict* dict = value.as_dict()) return !dict->entries.empty();
    return !value.is<Undefined>() && !value.is<None>();
}

std::string_view kind_of(const Value& value) {
    static constexpr std::string_view names[] = {"undefined", "none",        "a boolean", "an integer",
                                                 "a float",   "a string",    "a list",    "a dictionary",
                                                 "a loop",    "a namespace", "a macro",   "a function"};
    static_assert(std::size(names) == std::variant_size_v<Value::Data>);
    return names[value.data().index()];
}

} // namespace ingot::runtime::jinja
