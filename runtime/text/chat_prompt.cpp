#include "runtime/text/chat_prompt.h"

#include "runtime/error.h"

#include <ctime>

namespace ingot::runtime {
namespace {

std::string text_of(const Tokenizer& tokenizer, std::int32_t id) {
    return id == Vocabulary::no_id ? std::string() : tokenizer.piece(id, true);
}

} // namespace

ChatTemplate chat_template_of(const Tokenizer& tokenizer) {
    const std::string& source = tokenizer.vocabulary().chat_template;
    if (source.empty())
        throw Error(Code::unsupported, "chat template",
                    "the model has none; let it go on with a text instead");
    return ChatTemplate::parse(source, "chat template");
}

std::vector<std::int32_t> encode_chat(const Tokenizer& tokenizer, const ChatTemplate& chat_template,
                                      std::vector<ChatMessage> messages, const ChatPromptOptions& options) {
    const Vocabulary& vocabulary = tokenizer.vocabulary();
    ChatInput input{.messages = std::move(messages),
                    .bos_token = text_of(tokenizer, vocabulary.bos),
                    .eos_token = text_of(tokenizer, vocabulary.eos),
                    .add_generation_prompt = options.add_generation_prompt};
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    if (localtime_r(&now, &local) != nullptr) input.now = local;
    // The template writes the beginning of the text itself.
    return tokenizer.encode(chat_template.render(input), {.add_special = false});
}

} // namespace ingot::runtime
