// What is refused: bad Jinja, what is outside of the subset, and templates that would run too long or grow
// too large.
#include "runtime/error.h"
#include "tests/runtime/chat_conversations.h"

#include <string>

#include <gtest/gtest.h>

namespace ingot::runtime {
namespace {

using namespace test;

struct Refusal {
    Code code;
    const char* source;
    const char* message;
};

void expect_refusal(const Refusal& refusal) {
    try {
        ChatTemplate::parse(refusal.source, "f");
        ADD_FAILURE() << refusal.source << " is parsed";
    } catch (const Error& e) {
        EXPECT_STREQ(e.what(), refusal.message) << refusal.source;
        EXPECT_EQ(e.code(), refusal.code) << refusal.source;
    }
}

TEST(JinjaRefusals, BadSyntaxNamesPlaceAndConstruct) {
    const Refusal refusals[] = {
        {Code::bad_file, "{{ n", "f:1:1: the tag has no end"},
        {Code::bad_file, "{{ n }", "f:1:6: '}' closes nothing"},
        {Code::bad_file, "{{ }}", "f:1:4: the tag ends where an expression must stand"},
        {Code::bad_file, "{{ 1 + }}", "f:1:8: the tag ends where an expression must stand"},
        {Code::bad_file, "{{ (1 }}", "f:1:7: '}' where ')' must close"},
        {Code::bad_file, "{{ 1) }}", "f:1:5: ')' closes nothing"},
        {Code::bad_file, "{{ [1 }}", "f:1:7: '}' where ']' must close"},
        {Code::bad_file, "{{ a b }}", "f:1:6: 'b' where '}}' must stand"},
        {Code::bad_file, "{{ 'abc }}", "f:1:4: the string has no end"},
        {Code::bad_file, "{{ \"a\\", "f:1:4: the string has no end"},
        {Code::bad_file, "{{ '\\x4' }}", "f:1:4: an escape in a string lacks digits"},
        {Code::bad_file, "{{ '\\ud800' }}",
         "f:1:4: an escape in a string names U+D800, which is no character"},
        {Code::bad_file, "{% if %}a{% endif %}", "f:1:7: the tag ends where an expression must stand"},
        {Code::bad_file, "{% if n %}", "f:1:11: the template ends before 'endif'"},
        {Code::bad_file, "{% for x in l %}{% endif %}{% endfor %}", "f:1:20: 'endif' ends nothing"},
        {Code::bad_file, "{% for x on l %}{% endfor %}", "f:1:10: 'on' where 'in' must stand"},
        {Code::bad_file, "{% endif %}", "f:1:4: 'endif' ends nothing"},
        {Code::bad_file, "{% else %}", "f:1:4: 'else' ends nothing"},
        {Code::bad_file, "{% set = 1 %}", "f:1:8: '=' where a name must stand"},
        {Code::bad_file, "{% set 1 = 1 %}", "f:1:8: '1' where a name must stand"},
        {Code::bad_file, "{% set true = 1 %}", "f:1:8: 'true' where a name must stand"},
        {Code::bad_file, "{% set x.y.z = 1 %}", "f:1:11: '.' where '%}' must stand"},
        {Code::bad_file, "{% break %}", "f:1:4: 'break' and 'continue' stand only in a loop"},
        {Code::bad_file, "{% for x in l %}{% set y %}{% continue %}{% endset %}{% endfor %}",
         "f:1:31: 'break' and 'continue' stand only in a loop"},
        {Code::bad_file, "{% %}", "f:1:4: the tag ends where a tag's name must stand"},
        {Code::bad_file, "{# never ends", "f:1:1: the comment has no end"},
        {Code::bad_file, "{% raw %}", "f:1:1: the raw block has no end"},
        {Code::bad_file, "{{ x!y }}", "f:1:5: '!' can't stand in a tag"},
        {Code::bad_file, "{{ x ? y }}", "f:1:6: '?' can't stand in a tag"},
        {Code::bad_file, "{{ x is string is number }}", "f:1:16: 'is' where an expression must stand"},
        {Code::bad_file, "{{ n|default(1,2,3) }}", "f:1:6: 'default' is given too many arguments"},
        {Code::bad_file, "{{ n|replace('a') }}", "f:1:6: 'replace' lacks the argument 'new'"},
        {Code::bad_file, "{{ n|replace('a', old='b') }}", "f:1:6: 'replace' is given an argument twice"},
        {Code::bad_file, "{{ n is divisibleby }}", "f:1:9: 'divisibleby' lacks the argument 'num'"},
        {Code::bad_file, "{{ not }}", "f:1:8: the tag ends where an expression must stand"},
        {Code::bad_file, "{{ l[] }}", "f:1:5: a subscript without an index"},
        {Code::bad_file, "{{ f(a=1, 2) }}", "f:1:11: an argument after named ones"},
        {Code::bad_file, "{% macro f(a=1, b) %}{% endmacro %}",
         "f:1:18: ')' where a default, as the parameter before has one, must stand"},
        {Code::bad_file, "{% macro %}{% endmacro %}", "f:1:10: the tag ends where a name must stand"},
        {Code::bad_file, "{{ messages | map }}", "f:1:15: 'map' lacks a filter or an attribute"},
        {Code::bad_file, "{{ n | }}", "f:1:8: the tag ends where a filter's name must stand"},
        {Code::bad_file, "{{ n is }}", "f:1:9: the tag ends where a test's name must stand"},
        {Code::bad_file, "{{ n. }}", "f:1:7: the tag ends where an attribute's name must stand"},
    };
    for (const Refusal& refusal : refusals)
        expect_refusal(refusal);
}

TEST(JinjaRefusals, WhatIsNotInTheSubsetIsRefusedWhenParsed) {
    const Refusal refusals[] = {
        {Code::unsupported, "{% include 'x' %}", "f:1:4: the tag 'include' is not supported"},
        {Code::unsupported, "{% extends 'x' %}", "f:1:4: the tag 'extends' is not supported"},
        {Code::unsupported, "{% import 'x' as y %}", "f:1:4: the tag 'import' is not supported"},
        {Code::unsupported, "{% block x %}{% endblock %}", "f:1:4: the tag 'block' is not supported"},
        {Code::unsupported, "{% call f() %}{% endcall %}", "f:1:4: the tag 'call' is not supported"},
        {Code::unsupported, "{% filter upper %}a{% endfilter %}", "f:1:4: the tag 'filter' is not supported"},
        {Code::unsupported, "{% with %}{% endwith %}", "f:1:4: the tag 'with' is not supported"},
        {Code::unsupported, "{% do x %}", "f:1:4: the tag 'do' is not supported"},
        {Code::unsupported, "{% for x in l recursive %}{% endfor %}",
         "f:1:15: recursive loops are not supported"},
        {Code::unsupported, "{% for (a, (b, c)) in l %}{% endfor %}",
         "f:1:12: nested targets are not supported"},
        {Code::unsupported, "{% for x in l %}{{ loop.cycle(1) }}{% endfor %}",
         "f:1:25: the method 'cycle' is not known"},
        {Code::unsupported, "{% for x in l %}{{ loop.foo }}{% endfor %}",
         "f:1:25: 'loop' has no attribute 'foo'"},
        {Code::unsupported, "{% for x in l %}{% macro f() %}{% endmacro %}{% endfor %}",
         "f:1:20: a macro inside a loop, macro or set block"},
        {Code::unsupported, "{% set loop = 1 %}", "f:1:8: 'loop' can't be assigned to"},
        {Code::unsupported, "{% macro range() %}{% endmacro %}",
         "f:1:10: a macro named as the function 'range'"},
        {Code::unsupported, "{% macro f() %}{{ varargs }}{% endmacro %}",
         "f:1:19: 'varargs' in a macro is not supported"},
        {Code::unsupported, "{{ n | nope }}", "f:1:8: the filter 'nope' is not known"},
        {Code::unsupported, "{{ n | a.b }}", "f:1:8: the filter 'a' is not known"},
        {Code::unsupported, "{{ n is nope }}", "f:1:9: the test 'nope' is not known"},
        {Code::unsupported, "{{ n.nope() }}", "f:1:6: the method 'nope' is not known"},
        {Code::unsupported, "{{ l.append(1) }}", "f:1:6: the method 'append' is not known"},
        {Code::unsupported, "{{ nope() }}", "f:1:4: the function 'nope' is not known"},
        {Code::unsupported, "{{ l[0]() }}",
         "f:1:8: only functions, methods and macros can be called, by their names"},
        {Code::unsupported, "{{ l | select('nope') }}",
         "f:1:8: 'select' is given the test 'nope', which is not known"},
        {Code::unsupported, "{{ l | select(n) }}",
         "f:1:8: 'select' must be given the name of a test as a literal"},
        {Code::unsupported, "{{ l | map('nope') }}",
         "f:1:8: 'map' is given the filter 'nope', which is not known"},
        {Code::unsupported, "{{ l | map('map', 'trim') }}", "f:1:8: 'map' can't apply 'map'"},
        {Code::unsupported, "{{ n | default(foo=1) }}", "f:1:8: 'default' knows no argument 'foo'"},
        {Code::unsupported, "{{ f(*l) }}", "f:1:6: arguments by * or ** are not supported"},
        {Code::unsupported, "{{ f(**d) }}", "f:1:6: arguments by * or ** are not supported"},
        {Code::unsupported, "{{ 0x10 }}", "f:1:4: a number must be decimal, without zeros in front"},
        {Code::unsupported, "{{ 9223372036854775808 }}", "f:1:4: an integer beyond 64 bits"},
        {Code::unsupported, "{{ 1e999 }}", "f:1:4: a number beyond the range of double"},
        {Code::unsupported, "{{ é }}", "f:1:4: 'é' can't stand in a tag"},
        {Code::unsupported, "{{ '\\N{DASH}' }}", "f:1:4: the escape \\N in a string is not supported"},
        {Code::unsupported, "{{ l[0, 1] }}", "f:1:7: more than one index in a subscript"},
        {Code::unsupported, "{{ dict(d) }}", "f:1:4: 'dict' takes only named arguments"},
    };
    for (const Refusal& refusal : refusals)
        expect_refusal(refusal);
}

TEST(JinjaRefusals, FaultsWhileRenderingNameTheirPlace) {
    const Refusal refusals[] = {
        {Code::invalid_argument, "{{ nope.x }}", "f:1:9: 'nope' is undefined"},
        {Code::invalid_argument, "{{ messages[0].nope.x }}", "f:1:21: there is no attribute 'nope'"},
        {Code::invalid_argument, "{{ messages[9].role }}",
         "f:1:16: an attribute or item of something undefined"},
        {Code::invalid_argument, "{{ nope['x'] }}", "f:1:8: 'nope' is undefined"},
        {Code::invalid_argument, "{{ nope[1:] }}", "f:1:8: 'nope' is undefined"},
        {Code::invalid_argument, "{{ nope + 'a' }}", "f:1:9: '+' does not work on undefined and a string"},
        {Code::invalid_argument, "{{ 'a' + 1 }}", "f:1:8: '+' does not work on a string and an integer"},
        {Code::invalid_argument, "{{ none + 'a' }}", "f:1:9: '+' does not work on none and a string"},
        {Code::invalid_argument, "{{ 'a' < 1 }}", "f:1:4: a string and an integer have no order"},
        {Code::invalid_argument, "{{ 1 / 0 }}", "f:1:6: division by zero"},
        {Code::invalid_argument, "{{ 1 % 0 }}", "f:1:6: division by zero"},
        {Code::unsupported, "{{ 9223372036854775807 + 1 }}",
         "f:1:24: the result is an integer beyond 64 bits"},
        {Code::unsupported, "{{ 2 ** 64 }}", "f:1:6: the result is an integer beyond 64 bits"},
        {Code::unsupported, "{{ -(-9223372036854775807 - 1) }}",
         "f:1:4: the result is an integer beyond 64 bits"},
        {Code::unsupported, "{{ (-9223372036854775807 - 1) // -1 }}",
         "f:1:31: the result is an integer beyond 64 bits"},
        {Code::invalid_argument, "{{ 'a' - 'b' }}", "f:1:8: '-' does not work on a string and a string"},
        {Code::unsupported, "{{ '%s' % 1 }}", "f:1:9: formatting by '%' is not supported"},
        {Code::invalid_argument, "{{ -'a' }}", "f:1:4: a string has no sign"},
        {Code::invalid_argument, "{{ 1 in 2 }}", "f:1:4: nothing is in an integer"},
        {Code::invalid_argument, "{{ 1 in 'a' }}", "f:1:4: an integer can't be in a string"},
        {Code::invalid_argument, "{{ 5 | length }}", "f:1:8: an integer has no length"},
        {Code::invalid_argument, "{{ 5 | join }}", "f:1:8: an integer can't be gone through"},
        {Code::invalid_argument, "{{ 5 | items }}",
         "f:1:8: what 'items' is applied to is an integer, not a dictionary"},
        {Code::invalid_argument, "{{ none.strip() }}",
         "f:1:9: what 'strip' is applied to is none, not a string"},
        {Code::invalid_argument, "{{ messages.strip() }}",
         "f:1:13: what 'strip' is applied to is a list, not a string"},
        {Code::invalid_argument, "{{ 'a'.get('b') }}",
         "f:1:8: what 'get' is applied to is a string, not a dictionary"},
        {Code::unsupported, "{{ 'a'.strip }}", "f:1:8: the method 'strip' is not called"},
        {Code::unsupported, "{{ messages[0].keys }}", "f:1:16: the method 'keys' is not called"},
        {Code::invalid_argument, "{{ 'a'.split('') }}", "f:1:8: the separator is empty"},
        {Code::invalid_argument, "{{ 'a'[::0] }}", "f:1:7: a slice's step must be an integer other than 0"},
        {Code::invalid_argument, "{{ 'a'['b':] }}", "f:1:7: a slice from or to a string"},
        {Code::unsupported, "{{ {1: 2} }}", "f:1:4: a dictionary's key is an integer, not a string"},
        {Code::invalid_argument, "{{ nope | tojson }}", "f:1:11: JSON can't hold undefined"},
        {Code::invalid_argument, "{{ range | tojson }}", "f:1:12: JSON can't hold a function"},
        {Code::unsupported, "{{ namespace() }}", "f:1:1: a namespace has no text"},
        {Code::invalid_argument, "{% for x in 5 %}{% endfor %}", "f:1:4: an integer can't be gone through"},
        {Code::invalid_argument, "{% for a, b in [1] %}{% endfor %}",
         "f:1:4: an integer can't be gone through"},
        {Code::invalid_argument, "{% for a, b in [[1]] %}{% endfor %}", "f:1:4: 1 values for 2 names"},
        {Code::unsupported, "{% for x in messages %}{{ loop }}{% endfor %}", "f:1:24: a loop has no text"},
        {Code::invalid_argument, "{% set x = {} %}{% set x.a = 1 %}",
         "f:1:20: 'x' is no namespace, so it can't be set"},
        {Code::invalid_argument, "{% macro f(a) %}{% endmacro %}{{ f(1, 2) }}",
         "f:1:34: the macro 'f' takes 1 arguments, not 2"},
        {Code::invalid_argument, "{% macro f(a) %}{% endmacro %}{{ f(b=2) }}",
         "f:1:34: the macro 'f' takes no argument 'b' here"},
        {Code::invalid_argument, "{{ f() }}{% macro f() %}{% endmacro %}",
         "f:1:4: the macro 'f' is called before it is defined"},
        {Code::invalid_argument, "{{ range(1, 2, 0) }}", "f:1:4: range: step is 0"},
        {Code::invalid_argument, "{{ [1, 'a'] | sort }}", "f:1:15: a string and an integer have no order"},
        {Code::invalid_argument, "{{ raise_exception('no\\nway') }}",
         "f:1:4: the template refuses the conversation: 'no\\x0away'"},
        {Code::invalid_argument, "{{ strftime_now('%Y') }}",
         "f:1:4: strftime_now needs a date, and none is given"},
        {Code::unsupported, "{{ 1 is sameas 1 }}", "f:1:9: 'sameas' compares only with true, false and none"},
        {Code::invalid_argument, "{{ [] | tojson(indent='x') }}",
         "f:1:9: 'tojson': indent is a string, not an integer"},
    };
    ChatInput input = conversation("short");
    input.now.reset();
    for (const Refusal& refusal : refusals) {
        try {
            ADD_FAILURE() << refusal.source << " renders "
                          << joined(ChatTemplate::parse(refusal.source, "f").render(input));
        } catch (const Error& e) {
            EXPECT_STREQ(e.what(), refusal.message) << refusal.source;
            EXPECT_EQ(e.code(), refusal.code) << refusal.source;
        }
    }
}

TEST(JinjaRefusals, PlacesCountCharactersAndLines) {
    expect_refusal({Code::unsupported, "é\r\nüü{{ 'ß' | nope }}", "f:2:12: the filter 'nope' is not known"});
}

TEST(JinjaRefusals, SourcesThatAreNotTextOrTooLarge) {
    expect_refusal({Code::bad_file, "ab\n\xFF", "f:2:1: the chat template is not UTF-8"});
    const std::string large((std::size_t{1} << 20) + 1, 'a');
    expect_refusal(
        {Code::unsupported, large.c_str(), "f: a chat template of 1048577 bytes; up to 1048576 are taken"});
}

TEST(JinjaRefusals, DeepNestingIsRefusedWhenParsed) {
    const auto nested = [](const std::string& open, const std::string& inside, const std::string& close,
                           int times) {
        std::string source;
        for (int i = 0; i < times; ++i)
            source += open;
        source += inside;
        for (int i = 0; i < times; ++i)
            source += close;
        return source;
    };
    const auto parse = [](const std::string& source) { ChatTemplate::parse(source, "f"); };
    for (const int times : {150, 100'000}) {
        EXPECT_THROW(parse("{{ " + nested("(", "1", ")", times) + " }}"), Error);
        EXPECT_THROW(parse("{{ " + nested("[", "1", "]", times) + " }}"), Error);
        EXPECT_THROW(parse("{{ " + nested("not ", "1", "", times) + " }}"), Error);
        EXPECT_THROW(parse("{{ " + nested("- ", "1", "", times) + " }}"), Error);
        EXPECT_THROW(parse("{{ " + nested("a[", "1", "]", times) + " }}"), Error);
        EXPECT_THROW(parse("{{ " + nested("1 if 1 else ", "1", "", times) + " }}"), Error);
        EXPECT_THROW(parse(nested("{% if 1 %}", "1", "{% endif %}", times)), Error);
        EXPECT_THROW(parse("{{ a" + nested("", "", ".b", 2 * times) + " }}"), Error);
        EXPECT_THROW(parse("{{ a" + nested("", "", " + b", 2 * times) + " }}"), Error);
        EXPECT_THROW(parse("{{ a" + nested("", "", "|trim", 2 * times) + " }}"), Error);
    }
    EXPECT_EQ(rendered("{{ " + nested("(", "1", ")", 80) + " }}", {}), "1");
    EXPECT_EQ(rendered("{{ 1" + nested("", "", " + 1", 150) + " }}", {}), "151");
}

TEST(JinjaRefusals, RenderingIsBounded) {
    const auto fails = [](const std::string& source,
                          const jinja::RenderLimits& limits = {.steps = 1'000'000}) {
        const ChatTemplate parsed = ChatTemplate::parse(source, "f");
        try {
            parsed.render(conversation("short"), limits);
        } catch (const Error& e) {
            return std::string(e.what());
        }
        return std::string("is rendered");
    };
    EXPECT_EQ(fails("{{ range(100001) }}"), "f:1:4: range: more than 100000 items");
    EXPECT_EQ(fails("{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}"),
              "f:1:32: the template takes too many steps");
    EXPECT_EQ(fails("{{ 'a' * 1000000000000 }}"), "f:1:8: the template takes too much memory");
    EXPECT_EQ(fails("{{ [1] * 1000000000000 }}"), "f:1:8: the template takes too much memory");
    EXPECT_EQ(fails("{% set ns = namespace(x='a') %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% "
                    "endfor %}"),
              "f:1:75: the template takes too much memory");
    EXPECT_EQ(
        fails("{% set ns = namespace(x=[]) %}{% for i in range(100) %}{% set ns.x = [ns.x] %}{% endfor %}"),
        "f:1:74: values are nested more than 64 deep");
    EXPECT_EQ(fails("{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% "
                    "endfor %}{{ ns.x }}"),
              "f:1:97: the template takes too many steps");
    EXPECT_EQ(
        fails(
            "{% set ns = namespace(x=1) %}{% for i in range(100) %}{% for j in [ns.x] %}{% set ns.x = loop %}"
            "{% endfor %}{% endfor %}"),
        "f:1:71: values are nested more than 64 deep");
    EXPECT_EQ(fails("{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}"),
              "f:1:22: nested more than 1000 deep");
    EXPECT_EQ(fails("{{ 'ab' * 6 }}", {.output_bytes = 10}), "f:1:1: renders more than 10 bytes");
    EXPECT_EQ(fails("{% for i in range(9) %}{% endfor %}", {.steps = 10}),
              "f:1:13: the template takes too many steps");
}

TEST(JinjaRefusals, ValuesOfTheCallerAreBoundedToo) {
    Value deep = integer(1);
    const auto nest = [&] {
        for (int i = 0; i < 70; ++i)
            deep = Value::list({deep});
    };
    EXPECT_THROW(nest(), Error);
}

} // namespace
} // namespace ingot::runtime
