// Chat templates in the style of the families that people use, against what jinja2 3.1.6 renders.
#include "runtime/error.h"
#include "tests/runtime/chat_conversations.h"

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

namespace ingot::runtime {
namespace {

using namespace test;

class Family : public testing::TestWithParam<const char*> {};

TEST_P(Family, RendersAsJinja2Does) {
    const std::filesystem::path base = chat_templates / GetParam();
    const ChatTemplate parsed = ChatTemplate::parse(read_file(base.string() + ".jinja"), GetParam());
    const auto expected = read_expected(base.string() + ".txt");
    ASSERT_GE(expected.size(), 3u);
    for (const auto& [name, text_of] : expected)
        EXPECT_EQ(joined(parsed.render(conversation(name))), text_of) << name;
}

INSTANTIATE_TEST_SUITE_P(Families, Family,
                         testing::Values("chatml", "deepseek", "gemma", "harmony", "llama2", "llama3",
                                         "mistral", "phi3", "qwen2.5", "qwen3", "zephyr"),
                         [](const testing::TestParamInfo<const char*>& family) {
                             std::string name = family.param;
                             std::erase(name, '.');
                             return name;
                         });

TEST(ChatTemplate, RefusesAConversationAsTheTemplateSays) {
    ChatInput input = conversation("plain");
    input.messages.insert(input.messages.begin(), input.messages.back());
    const std::string source = read_file(chat_templates / "llama2.jinja");
    try {
        rendered(source, input);
        FAIL() << "was rendered";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), Code::invalid_argument);
        EXPECT_STREQ(
            e.what(),
            "test:10:4: the template refuses the conversation: 'user and assistant must take turns'");
    }
}

TEST(ChatTemplate, WithoutADateFallsBackToTheTemplatesOwn) {
    ChatInput input = conversation("short");
    input.now.reset();
    EXPECT_NE(rendered(read_file(chat_templates / "llama3.jinja"), input).find("It is 1 Jan 2024."),
              std::string::npos);
    EXPECT_THROW(rendered("{{ strftime_now('%Y') }}", input), Error);
}

TEST(ChatTemplate, VariablesOfTheCallerWin) {
    ChatInput input = conversation("short");
    input.variables.push_back(entry("add_generation_prompt", text("mine")));
    EXPECT_EQ(rendered("{{ add_generation_prompt }}{{ documents is none }}{{ bos_token }}", input),
              "mineTrue<s>");
}

TEST(ChatTemplate, ASharedTemplateRendersAgain) {
    const ChatTemplate parsed = ChatTemplate::parse("{% set ns = namespace(n=0) %}{% for m in messages %}"
                                                    "{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}",
                                                    "test");
    const ChatTemplate copy = parsed;
    EXPECT_EQ(joined(copy.render(conversation("plain"))), "3");
    EXPECT_EQ(joined(parsed.render(conversation("plain"))), "3");
}

} // namespace
} // namespace ingot::runtime
