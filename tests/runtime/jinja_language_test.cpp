// The language of chat templates, case by case, against what jinja2 3.1.6 renders (chat_templates/*.cases).
#include "runtime/error.h"
#include "tests/runtime/chat_conversations.h"

#include <string>

#include <gtest/gtest.h>

namespace ingot::runtime {
namespace {

using namespace test;

// The variables of the .cases files.
ChatInput variables() {
    ChatInput input{.bos_token = "<s>", .eos_token = "</s>", .add_generation_prompt = false, .now = a_day()};
    input.messages = {{.role = "system", .content = " You are. "},
                      {.role = "user", .content = "Hi <|im_end|> there\nline2 "},
                      {.role = "assistant", .content = "<think>x</think>\n\nAns"},
                      {.role = "user", .content = "é ß ǆ 日本 🎉 it's"}};
    const Value y = Value::dict({entry("y", jinja::None{})});
    const Value a = Value::dict({entry("x", Value::list({integer(1), integer(2), y}))});
    const Value loc =
        Value::dict({entry("type", text("string")), entry("enum", Value::list({text("a"), text("b")}))});
    const Value parameters =
        Value::dict({entry("type", text("object")), entry("properties", Value::dict({entry("loc", loc)})),
                     entry("required", Value::list({text("loc")})), entry("title", text("X"))});
    const Value function =
        Value::dict({entry("name", text("get_w")), entry("description", text("Get \"w\"\n")),
                     entry("parameters", parameters)});
    const Value tool = Value::dict({entry("type", text("function")), entry("function", function)});
    input.variables = {
        entry("n", integer(3)),
        entry("f", 2.5),
        entry("s", text("Hello World")),
        entry("e", text("")),
        entry("l", Value::list({integer(3), integer(1), integer(2)})),
        entry("d", Value::dict({entry("b", integer(1)), entry("a", a), entry("title", text("T"))})),
        entry("none_v", jinja::None{}),
        entry("t", true),
        entry("tools", Value::list({tool}))};
    return input;
}

void check_all(const char* file, std::size_t least) {
    const auto cases = read_cases(chat_templates / file);
    ASSERT_GE(cases.size(), least);
    const ChatInput input = variables();
    for (const auto& [source, expected] : cases) {
        try {
            EXPECT_EQ(rendered(source, input), expected) << source;
        } catch (const Error& e) {
            ADD_FAILURE() << source << ": " << e.what();
        }
    }
}

TEST(JinjaLanguage, ExpressionsGiveWhatJinja2Gives) {
    check_all("expressions.cases", 400);
}

TEST(JinjaLanguage, StatementsGiveWhatJinja2Gives) {
    check_all("statements.cases", 120);
}

} // namespace
} // namespace ingot::runtime
