// A conversation as token ids.
#pragma once

#include "runtime/text/chat_template.h"
#include "runtime/text/tokenizer.h"

#include <cstdint>
#include <vector>

namespace ingot::runtime {

struct ChatPromptOptions {
    bool add_generation_prompt = true; // ends with what opens the assistant's turn
};

// The vocabulary's chat template. Throws Error{unsupported} where it has none, and what ChatTemplate::parse
// throws.
ChatTemplate chat_template_of(const Tokenizer& tokenizer);

// The ids of a conversation, with the local time for templates that write the date. Only the template's own
// control tokens become ids of such. Throws what ChatTemplate::render and Tokenizer::encode throw.
std::vector<std::int32_t> encode_chat(const Tokenizer& tokenizer, const ChatTemplate& chat_template,
                                      std::vector<ChatMessage> messages,
                                      const ChatPromptOptions& options = {});

} // namespace ingot::runtime
