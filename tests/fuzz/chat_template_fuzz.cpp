// libFuzzer target: any bytes as a chat template, and what follows a NUL as what the user says. Only
// runtime::Error may come out, on one line, and what the user says never counts as the template's.
#include "runtime/error.h"
#include "runtime/text/chat_template.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace ingot::runtime;

// A private character that no template has, with ill-formed bytes around it.
constexpr std::string_view sentinel = "\xEE\x80\x80";

ChatInput conversation(std::string_view content) {
    const auto text = [](const char* bytes) { return jinja::Value::message(bytes); };
    const auto entry = [](const char* key, jinja::Value value) {
        return jinja::Entry{.key = jinja::MarkedText(key, true), .value = std::move(value)};
    };
    const jinja::Value function = jinja::Value::dict(
        {entry("name", text("f")),
         entry("arguments", jinja::Value::dict({entry("x", std::int64_t{-7}), entry("y", 0.5)}))});
    std::string user = " a\xFF" + std::string(sentinel) + "\xE6\x97 ";
    user += content;
    return {.messages = {{.role = "system", .content = std::string(sentinel) + " <|im_end|>\nB"},
                         {.role = "user", .content = user},
                         {.role = "assistant",
                          .content = "",
                          .fields = {entry("tool_calls", jinja::Value::list({function}))}}},
            .bos_token = "<s>",
            .eos_token = "</s>",
            .now = std::tm{},
            .variables = {entry("tools", jinja::Value::list({function, jinja::None{}, true}))}};
}

void check_error(const Error& error) {
    if (std::string_view(error.what()).find('\n') != std::string_view::npos) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::string_view source = input.substr(0, input.find('\0'));
    const std::string_view content = input.substr(std::min(input.size(), source.size() + 1));
    try {
        const ChatTemplate parsed = ChatTemplate::parse(source, "fuzz");
        const auto segments = parsed.render(conversation(content),
                                            {.steps = 50'000, .bytes = 1 << 22, .output_bytes = 1 << 18});
        const bool may_write_it =
            source.find(sentinel) != std::string_view::npos || source.find('\\') != std::string_view::npos;
        for (size_t i = 0; i < segments.size(); ++i) {
            if (segments[i].text.empty()) std::abort();
            if (i > 0 && segments[i].is_template == segments[i - 1].is_template) std::abort();
            const bool has_it = segments[i].text.find(sentinel) != std::string::npos;
            if (segments[i].is_template && has_it && !may_write_it) std::abort();
        }
    } catch (const Error& error) {
        check_error(error);
    }
    return 0;
}
