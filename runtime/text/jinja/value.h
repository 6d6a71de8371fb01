// The values of a chat template's expressions. They never change once made, but for what a namespace or a
// loop holds, so copies share and nothing can contain itself.
#pragma once

#include "runtime/text/jinja/marked_text.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace ingot::runtime::jinja {

class Value;
struct Entry;
struct Builtin;
struct Macro;

using Items = std::vector<Value>;
using Entries = std::vector<Entry>;

struct List {
    Items items;
    bool is_tuple = false;
    std::uint32_t depth = 1; // 1 + the deepest item's
};

// In the order of first insertion, each key once.
struct Dict {
    Entries entries;
    std::uint32_t depth = 1;
};

// What `loop` stands for inside a loop.
struct Loop {
    std::shared_ptr<const List> over;
    std::size_t index = 0;
};

// What namespace() makes: the one thing whose attributes can be set. The interpreter owns it.
struct Namespace {
    Entries attributes;
};

struct Undefined {}; // a missing variable or attribute
struct None {};

class Value {
  public:
    using Text = std::shared_ptr<const MarkedText>;
    using ListRef = std::shared_ptr<const List>;
    using DictRef = std::shared_ptr<const Dict>;
    using LoopRef = std::shared_ptr<const Loop>;
    using Data = std::variant<Undefined, None, bool, std::int64_t, double, Text, ListRef, DictRef, LoopRef,
                              Namespace*, const Macro*, const Builtin*>;

    Value() = default; // undefined
    // Of exactly one of the types above, so that no pointer becomes a bool or an int a double.
    template <class T>
        requires requires(Data d) { std::get<T>(d); }
    Value(T data) : data_(std::move(data)) {} // NOLINT(google-explicit-constructor): a sum type's injection

    static Value text(MarkedText text);
    // Text that a template may print but that never makes a control token.
    static Value message(std::string bytes);
    // These throw Error{unsupported} where values would be nested more than 64 deep.
    static Value list(Items items, bool is_tuple = false);
    // Of entries with one key the last value counts.
    static Value dict(Entries entries);

    // The data if it is a T, else null.
    template <class T>
    const T* get() const {
        return std::get_if<T>(&data_);
    }
    template <class T>
    bool is() const {
        return std::holds_alternative<T>(data_);
    }
    // Null unless it is one.
    const MarkedText* as_text() const;
    const List* as_list() const;
    const Dict* as_dict() const;

    const Data& data() const { return data_; }
    std::uint32_t depth() const; // 0 unless it holds values

  private:
    Data data_;
};

struct Entry {
    MarkedText key;
    Value value;
};

// The value of `key`, or null. Looks at each entry in turn.
const Value* find(const Entries& entries, std::string_view key);
// Replaces the value of `key` or adds an entry.
void assign(Entries& entries, MarkedText key, Value value);

// Python's bool().
bool is_true(const Value& value);
// "a string", "a list", ...: for messages.
std::string_view kind_of(const Value& value);

} // namespace ingot::runtime::jinja
