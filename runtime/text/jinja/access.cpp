#include "runtime/text/jinja/operators.h"

#include "runtime/error.h"
#include "runtime/text/jinja/builtin.h"
#include "runtime/text/jinja/characters.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace ingot::runtime::jinja {
namespace {

[[noreturn]] void fail(const std::string& message) {
    throw Error(Code::invalid_argument, "", message);
}

// The place that `index` names in a row of `size`, or null: -1 is the last.
std::optional<std::size_t> place_in(std::size_t size, std::int64_t index) {
    const auto count = static_cast<std::int64_t>(size);
    if (index < 0) index += count;
    if (index < 0 || index >= count) return std::nullopt;
    return static_cast<std::size_t>(index);
}

Value character(Budget& budget, const MarkedText& text, std::int64_t index) {
    budget.scan(2 * text.size());
    const std::string_view bytes = text.bytes();
    const std::optional<std::size_t> place =
        place_in(index < 0 ? count_characters(bytes) : bytes.size(), index);
    if (!place) return {};
    const std::size_t begin = bytes_of_first(bytes, *place);
    if (begin == bytes.size()) return {};
    return slice(budget, text, begin, begin + bytes_of_first(bytes.substr(begin), 1));
}

Value look_up(Budget& budget, const Entries& entries, std::string_view key) {
    budget.step(1 + entries.size() / 8);
    const Value* found = find(entries, key);
    return found == nullptr ? Value() : *found;
}

Value loop_attribute(Budget& budget, const Loop& loop, std::string_view name) {
    budget.step();
    const Items& items = loop.over->items;
    const auto index = static_cast<std::int64_t>(loop.index);
    const auto size = static_cast<std::int64_t>(items.size());
    if (name == "index") return index + 1;
    if (name == "index0") return index;
    if (name == "revindex") return size - index;
    if (name == "revindex0") return size - index - 1;
    if (name == "first") return index == 0;
    if (name == "last") return index + 1 == size;
    if (name == "length") return size;
    if (name == "depth") return std::int64_t{1};
    if (name == "depth0") return std::int64_t{0};
    if (name == "previtem" && index > 0) return items[loop.index - 1];
    if (name == "nextitem" && index + 1 < size) return items[loop.index + 1];
    return {};
}

// Of an object that isn't a dictionary, text or list.
Value attribute_of_other(Budget& budget, const Value& object, std::string_view name) {
    if (const Value::LoopRef* loop = object.get<Value::LoopRef>())
        return loop_attribute(budget, **loop, name);
    if (Namespace* const* space = object.get<Namespace*>())
        return look_up(budget, (*space)->attributes, name);
    return {};
}

// One bound of a slice over `size` items, as Python's slice.indices(): negative from the end, then into the
// range.
std::int64_t bound(const Value& value, std::int64_t otherwise, std::int64_t size, std::int64_t low,
                   std::int64_t high) {
    if (value.is<None>()) return otherwise;
    const std::optional<std::int64_t> given = as_integer(value);
    if (!given) fail(fmt::format("a slice from or to {}", kind_of(value)));
    return std::clamp(*given < 0 ? *given + size : *given, low, high);
}

struct Range {
    std::int64_t start = 0;
    std::int64_t stop = 0;
    std::int64_t step = 1;
    template <class Visit>
    void each(Visit visit) const {
        // Bounds lie within a text or list, so a step beyond those ends it: no sum can wrap.
        for (std::int64_t i = start; step > 0 ? i < stop : i > stop;) {
            visit(static_cast<std::size_t>(i));
            if (step > 0 ? step >= stop - i : step <= stop - i) break;
            i += step;
        }
    }
};

Range range_of(std::int64_t size, const Value& start, const Value& stop, const Value& step) {
    Range range;
    if (!step.is<None>()) {
        const std::optional<std::int64_t> given = as_integer(step);
        if (!given || *given == 0) fail("a slice's step must be an integer other than 0");
        range.step = *given;
    }
    const bool forward = range.step > 0;
    const std::int64_t low = forward ? 0 : -1;
    const std::int64_t high = forward ? size : size - 1;
    range.start = bound(start, forward ? low : high, size, low, high);
    range.stop = bound(stop, forward ? high : low, size, low, high);
    return range;
}

Value slice_of_text(Budget& budget, const MarkedText& text, const Value& start, const Value& stop,
                    const Value& step) {
    budget.scan(2 * text.size());
    const std::string_view bytes = text.bytes();
    const Range range = range_of(static_cast<std::int64_t>(count_characters(bytes)), start, stop, step);
    if (range.step == 1) {
        if (range.start >= range.stop) return own_text(budget, "");
        const std::size_t begin = bytes_of_first(bytes, static_cast<std::size_t>(range.start));
        const auto count = static_cast<std::size_t>(range.stop - range.start);
        return slice(budget, text, begin, begin + bytes_of_first(bytes.substr(begin), count));
    }
    budget.take((text.size() + 1) * sizeof(std::size_t));
    const std::vector<std::size_t> borders = character_borders(bytes);
    TextBuilder result(budget);
    range.each([&](std::size_t i) { result.append(text, borders[i], borders[i + 1]); });
    return result.finish();
}

} // namespace

bool contains(Budget& budget, const Value& container, const Value& item) {
    budget.step();
    if (container.is<Undefined>()) return false;
    if (const MarkedText* text = container.as_text()) {
        const MarkedText* part = item.as_text();
        if (part == nullptr) fail(fmt::format("{} can't be in a string", kind_of(item)));
        budget.scan(text->size());
        return ::memmem(text->bytes().data(), text->size(), part->bytes().data(), part->size()) != nullptr;
    }
    if (const List* list = container.as_list()) {
        return std::ranges::any_of(list->items, [&](const Value& each) { return equal(budget, each, item); });
    }
    if (const Dict* dict = container.as_dict()) {
        budget.step(1 + dict->entries.size() / 8);
        const MarkedText* key = item.as_text();
        if (item.as_dict() != nullptr || (item.as_list() != nullptr && !item.as_list()->is_tuple))
            fail(fmt::format("{} is no key of a dictionary", kind_of(item)));
        return key != nullptr && find(dict->entries, key->bytes()) != nullptr;
    }
    fail(fmt::format("nothing is in {}", kind_of(container)));
}

Value subscript(Budget& budget, const Value& object, const Value& index) {
    if (object.is<Undefined>()) fail("an item of something undefined");
    const MarkedText* key = index.as_text();
    const std::optional<std::int64_t> number = as_integer(index);
    if (const Dict* dict = object.as_dict())
        return key == nullptr ? Value() : look_up(budget, dict->entries, key->bytes());
    if (const List* list = object.as_list()) {
        const auto place = number ? place_in(list->items.size(), *number) : std::nullopt;
        return place ? list->items[*place] : Value();
    }
    if (const MarkedText* text = object.as_text())
        return number ? character(budget, *text, *number) : Value();
    return key == nullptr ? Value() : attribute_of_other(budget, object, key->bytes());
}

Value attribute(Budget& budget, const Value& object, std::string_view name) {
    const bool is_method = (object.as_dict() != nullptr && find_dict_method(name) != nullptr) ||
                           (object.as_text() != nullptr && find_text_method(name) != nullptr);
    // Python prefers the method to a dictionary's key.
    if (is_method) throw Error(Code::unsupported, "", fmt::format("the method '{}' is not called", name));
    if (const Dict* dict = object.as_dict()) return look_up(budget, dict->entries, name);
    return attribute_of_other(budget, object, name);
}

Value slice(Budget& budget, const Value& object, const Value& start, const Value& stop, const Value& step) {
    if (const MarkedText* text = object.as_text()) return slice_of_text(budget, *text, start, stop, step);
    const List* list = object.as_list();
    if (list == nullptr) fail(fmt::format("a slice of {}", kind_of(object)));
    Items items;
    range_of(static_cast<std::int64_t>(list->items.size()), start, stop, step).each([&](std::size_t i) {
        budget.take(sizeof(Value));
        items.push_back(list->items[i]);
    });
    return budget.list(std::move(items), list->is_tuple);
}

Value::ListRef iterate(Budget& budget, const Value& value) {
    if (const Value::ListRef* list = value.get<Value::ListRef>()) return *list;
    Items items;
    if (const Dict* dict = value.as_dict()) {
        for (const Entry& entry : dict->entries)
            items.push_back(TextBuilder(budget).append(entry.key).finish());
    } else if (const MarkedText* text = value.as_text()) {
        std::size_t at = 0;
        while (at < text->size()) {
            const std::size_t end = at + bytes_of_first(text->bytes().substr(at), 1);
            budget.take(sizeof(Value));
            budget.step();
            items.push_back(slice(budget, *text, at, end));
            at = end;
        }
    } else if (!value.is<Undefined>()) {
        fail(fmt::format("{} can't be gone through", kind_of(value)));
    }
    return *budget.list(std::move(items)).get<Value::ListRef>();
}

Value entry_pairs(Budget& budget, const Dict& dict) {
    Items pairs;
    for (const Entry& entry : dict.entries) {
        budget.step();
        pairs.push_back(budget.list({TextBuilder(budget).append(entry.key).finish(), entry.value}, true));
    }
    return budget.list(std::move(pairs));
}

std::optional<std::int64_t> length(Budget& budget, const Value& value) {
    if (value.is<Undefined>()) return 0;
    if (const List* list = value.as_list()) return static_cast<std::int64_t>(list->items.size());
    if (const Dict* dict = value.as_dict()) return static_cast<std::int64_t>(dict->entries.size());
    if (const Value::LoopRef* loop = value.get<Value::LoopRef>())
        return static_cast<std::int64_t>((*loop)->over->items.size());
    const MarkedText* text = value.as_text();
    if (text == nullptr) return std::nullopt;
    budget.scan(text->size());
    return static_cast<std::int64_t>(count_characters(text->bytes()));
}

} // namespace ingot::runtime::jinja
