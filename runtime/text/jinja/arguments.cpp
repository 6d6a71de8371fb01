#include "runtime/text/jinja/arguments.h"

#include "runtime/error.h"
#include "runtime/text/jinja/operators.h"

#include <fmt/format.h>

namespace ingot::runtime::jinja {
namespace {

[[noreturn]] void fail(const Value& value, std::string_view what, std::string_view expected) {
    throw Error(Code::invalid_argument, "", fmt::format("{} is {}, not {}", what, kind_of(value), expected));
}

} // namespace

bool is_absent(const Value& value) {
    return value.is<Undefined>() || value.is<None>();
}

const MarkedText& text_subject(const Arguments& arguments) {
    return text_of(arguments.subject, fmt::format("what '{}' is applied to", arguments.name));
}

const Dict& dict_subject(const Arguments& arguments) {
    return dict_of(arguments.subject, fmt::format("what '{}' is applied to", arguments.name));
}

const MarkedText& text_of(const Value& value, std::string_view what) {
    const MarkedText* text = value.as_text();
    if (text == nullptr) fail(value, what, "a string");
    return *text;
}

std::int64_t integer_of(const Value& value, std::string_view what) {
    const std::optional<std::int64_t> integer = as_integer(value);
    if (!integer) fail(value, what, "an integer");
    return *integer;
}

std::int64_t integer_or(const Value& value, std::int64_t otherwise, std::string_view what) {
    return is_absent(value) ? otherwise : integer_of(value, what);
}

const Dict& dict_of(const Value& value, std::string_view what) {
    const Dict* dict = value.as_dict();
    if (dict == nullptr) fail(value, what, "a dictionary");
    return *dict;
}

Value apply_inner(const Arguments& arguments, const Value& item) {
    arguments.budget().step();
    return arguments.inner->run({.context = arguments.context,
                                 .name = arguments.inner->name,
                                 .subject = item,
                                 .values = arguments.inner_values});
}

} // namespace ingot::runtime::jinja
