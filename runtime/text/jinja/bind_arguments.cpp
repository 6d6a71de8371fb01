#include "runtime/text/jinja/bind_arguments.h"

#include "runtime/error.h"
#include "runtime/text/jinja/builtin.h"
#include "runtime/text/printable.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace ingot::runtime::jinja {
namespace {

std::size_t parameter_count(const Builtin& builtin) {
    return static_cast<std::size_t>(
        std::ranges::count_if(builtin.parameters, [](std::string_view name) { return !name.empty(); }));
}

[[noreturn]] void fail(Code code, const Builtin& builtin, std::string_view message) {
    throw Error(code, "", fmt::format("'{}' {}", builtin.name, message));
}

// One argument a parameter of `builtin`. Positional ones that are too many stay in `given`, and named ones
// that it doesn't know.
Exprs take_arguments(const Builtin& builtin, CallArguments& given) {
    Exprs arguments(parameter_count(builtin));
    const bool by_name_only = builtin.extra == Builtin::Extra::filter; // map(attribute="x"), but map("trim")
    const std::size_t positional = by_name_only ? 0 : std::min(arguments.size(), given.positional.size());
    std::move(given.positional.begin(), given.positional.begin() + static_cast<std::ptrdiff_t>(positional),
              arguments.begin());
    given.positional.erase(given.positional.begin(),
                           given.positional.begin() + static_cast<std::ptrdiff_t>(positional));
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const auto found =
            std::ranges::find(given.named, builtin.parameters[i],
                              [](const auto& named) -> std::string_view { return named.first; });
        if (found == given.named.end()) continue;
        if (arguments[i] != nullptr) fail(Code::bad_file, builtin, "is given an argument twice");
        arguments[i] = std::move(found->second);
        given.named.erase(found);
    }
    for (std::size_t i = 0; i < builtin.required; ++i) {
        if (arguments[i] == nullptr)
            fail(Code::bad_file, builtin, fmt::format("lacks the argument '{}'", builtin.parameters[i]));
    }
    return arguments;
}

void refuse_rest(const Builtin& builtin, const CallArguments& given) {
    if (!given.positional.empty()) fail(Code::bad_file, builtin, "is given too many arguments");
    if (!given.named.empty())
        fail(Code::unsupported, builtin,
             fmt::format("knows no argument {}", printable(given.named[0].first)));
}

const Builtin& inner_builtin(const Builtin& builtin, const Expr& name) {
    const bool is_test = builtin.extra == Builtin::Extra::test;
    const auto* literal = std::get_if<Literal>(&name.node);
    const MarkedText* text = literal == nullptr ? nullptr : literal->value.as_text();
    if (text == nullptr)
        fail(Code::unsupported, builtin,
             fmt::format("must be given the name of a {} as a literal", is_test ? "test" : "filter"));
    const Builtin* inner = is_test ? find_test(text->bytes()) : find_filter(text->bytes());
    if (inner == nullptr)
        fail(Code::unsupported, builtin,
             fmt::format("is given the {} {}, which is not known", is_test ? "test" : "filter",
                         printable(text->bytes())));
    if (inner->extra == Builtin::Extra::test || inner->extra == Builtin::Extra::filter)
        fail(Code::unsupported, builtin, fmt::format("can't apply '{}'", inner->name));
    return *inner;
}

} // namespace

BuiltinCall bind_arguments(const Builtin& builtin, ExprPtr subject, CallArguments given) {
    BuiltinCall call{.builtin = &builtin, .subject = std::move(subject)};
    call.arguments = take_arguments(builtin, given);
    if (builtin.extra == Builtin::Extra::named) {
        if (!given.positional.empty()) fail(Code::unsupported, builtin, "takes only named arguments");
        call.named = std::move(given.named);
        return call;
    }
    const bool may_apply = builtin.extra == Builtin::Extra::test || builtin.extra == Builtin::Extra::filter;
    if (may_apply && !given.positional.empty()) {
        call.inner = &inner_builtin(builtin, *given.positional.front());
        given.positional.erase(given.positional.begin());
        call.inner_arguments = take_arguments(*call.inner, given);
    }
    if (builtin.extra == Builtin::Extra::filter && call.inner == nullptr && call.arguments[0] == nullptr)
        fail(Code::bad_file, builtin, "lacks a filter or an attribute");
    refuse_rest(call.inner != nullptr ? *call.inner : builtin, given);
    return call;
}

std::vector<const Value*> bind_values(const Macro& macro, const std::vector<std::string>& names,
                                      const Items& positional, const NamedValues& named) {
    const std::string& name = names[macro.name];
    if (positional.size() > macro.parameters.size()) {
        throw Error(Code::invalid_argument, "",
                    fmt::format("the macro '{}' takes {} arguments, not {}", name, macro.parameters.size(),
                                positional.size()));
    }
    std::vector<const Value*> bound(macro.parameters.size());
    for (std::size_t i = 0; i < positional.size(); ++i)
        bound[i] = &positional[i];
    for (const auto& [argument, value] : named) {
        const auto place = std::ranges::find(macro.parameters, argument, &Macro::Parameter::name);
        const auto i = static_cast<std::size_t>(place - macro.parameters.begin());
        if (i == bound.size() || bound[i] != nullptr) {
            throw Error(Code::invalid_argument, "",
                        fmt::format("the macro '{}' takes no argument '{}' here", name, names[argument]));
        }
        bound[i] = &value;
    }
    return bound;
}

} // namespace ingot::runtime::jinja
