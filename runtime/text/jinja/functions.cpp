// The functions that Hugging Face's apply_chat_template gives templates.
#include "runtime/error.h"
#include "runtime/text/jinja/arguments.h"
#include "runtime/text/jinja/builtin_table.h"
#include "runtime/text/jinja/text_form.h"
#include "runtime/text/printable.h"

#include <array>
#include <clocale>
#include <memory>
#include <type_traits>

#include <fmt/format.h>

namespace ingot::runtime::jinja {
namespace {

constexpr std::int64_t most_range_items = 100'000; // the limit of jinja2.sandbox

Value range(const Arguments& a) {
    const bool only_stop = a.values[1].is<Undefined>();
    const std::int64_t start = only_stop ? 0 : integer_of(a.values[0], "range: start");
    const std::int64_t stop = integer_of(a.values[only_stop ? 0 : 1], "range: stop");
    const std::int64_t step = a.values[2].is<Undefined>() ? 1 : integer_of(a.values[2], "range: step");
    if (step == 0) throw Error(Code::invalid_argument, "", "range: step is 0");
    Items items;
    for (std::int64_t i = start; step > 0 ? i < stop : i > stop;) {
        if (static_cast<std::int64_t>(items.size()) == most_range_items)
            throw Error(Code::unsupported, "", fmt::format("range: more than {} items", most_range_items));
        a.budget().step();
        a.budget().take(sizeof(Value));
        items.emplace_back(i);
        if (__builtin_add_overflow(i, step, &i)) break;
    }
    return a.budget().list(std::move(items));
}

Entries named_entries(const Arguments& a) {
    a.budget().step(1 + a.named.size());
    a.budget().take(a.named.size() * sizeof(Entry));
    return Entries(a.named.begin(), a.named.end());
}

Value make_namespace(const Arguments& a) {
    a.budget().take(sizeof(Namespace));
    a.context.namespaces.push_back({.attributes = named_entries(a)});
    return &a.context.namespaces.back();
}

Value make_dict(const Arguments& a) {
    return a.budget().dict(named_entries(a));
}

Value raise_exception(const Arguments& a) {
    const Value message = to_text(a.budget(), a.values[0]);
    throw Error(
        Code::invalid_argument, "",
        fmt::format("the template refuses the conversation: {}", printable(message.as_text()->bytes(), 300)));
}

// English names whatever the locale, and only the directives that don't depend on one.
Value strftime_now(const Arguments& a) {
    if (!a.context.now)
        throw Error(Code::invalid_argument, "", "strftime_now needs a date, and none is given");
    const std::string format(text_of(a.values[0], "strftime_now: format").bytes());
    for (std::size_t i = format.find('%'); i != std::string::npos; i = format.find('%', i + 2)) {
        const std::size_t letter = i + (format.substr(i + 1).starts_with('-') ? 2 : 1);
        if (letter >= format.size() ||
            std::string_view("aAbBdeFHIjmMpSTuwyY%").find(format[letter]) == std::string_view::npos)
            throw Error(Code::unsupported, "", fmt::format("strftime_now: the format {}", printable(format)));
        i = letter - 1;
    }
    const std::unique_ptr<std::remove_pointer_t<::locale_t>, decltype(&::freelocale)> english(
        ::newlocale(LC_ALL_MASK, "C", nullptr), &::freelocale);
    std::array<char, 256> text{};
    const std::size_t size =
        english == nullptr || format.empty()
            ? 0
            : ::strftime_l(text.data(), text.size(), format.c_str(), &*a.context.now, english.get());
    if (size == 0 && !format.empty())
        throw Error(Code::unsupported, "", fmt::format("strftime_now: the format {}", printable(format)));
    return own_text(a.budget(), std::string_view(text.data(), size));
}

constexpr Builtin rows[] = {
    {.name = "dict", .run = make_dict, .extra = Builtin::Extra::named},
    {.name = "namespace", .run = make_namespace, .extra = Builtin::Extra::named},
    {.name = "raise_exception", .parameters = {"message"}, .required = 1, .run = raise_exception},
    {.name = "range", .parameters = {"start", "stop", "step"}, .required = 1, .run = range},
    {.name = "strftime_now", .parameters = {"format"}, .required = 1, .run = strftime_now},
};

} // namespace

const Builtin* find_function(std::string_view name) {
    return find_in(rows, name);
}

} // namespace ingot::runtime::jinja
