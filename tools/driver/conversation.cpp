#include "tools/driver/conversation.h"

#include <algorithm>

#include "runtime/text/chat_prompt.h"
#include "tools/driver/failure.h"

namespace ingot::tools {
Conversation::Conversation(const std::shared_ptr<const runtime::PlanFile>& plan,
                           std::unique_ptr<runtime::Session> session)
    : session_(std::move(session)), tokenizer_(runtime::vocabulary_of(plan)),
      template_(runtime::chat_template_of(tokenizer_)), sequence_(session_->create_sequence()) {}

void Conversation::restart(const std::string& system) {
    messages_.clear();
    if (!system.empty()) messages_.push_back({.role = "system", .content = system});
}

Conversation::Answer Conversation::ask(const std::string& message, runtime::GenerateOptions options,
                                       const std::function<void(const std::string& piece)>& say) {
    std::vector<runtime::ChatMessage> messages = messages_;
    messages.push_back({.role = "user", .content = message});
    Answer answer{.prompt_ids = runtime::encode_chat(tokenizer_, template_, messages)};
    const std::vector<int32_t>& ids = answer.prompt_ids;
    if (ids.size() >= session_->context())
        throw Failure(ExitCode::failed, "conversation",
                      "it is longer than the plan's context; begin anew, or compile with a larger --context");

    // The last id is always computed: its logits choose the first token.
    const auto differs = std::ranges::mismatch(cached_, ids);
    const auto common = std::min<size_t>(static_cast<size_t>(differs.in1 - cached_.begin()), ids.size() - 1);
    session_->truncate(sequence_, static_cast<uint32_t>(common));
    cached_.resize(common);
    answer.computed = ids.size() - common;

    runtime::TextDecoder decoder(tokenizer_, {.special = false, .at_start = false});
    const auto piece = [&](const std::string& text) {
        answer.text += text;
        if (!text.empty()) say(text);
    };
    options.on_token = [&](int32_t id) {
        piece(decoder.push(id));
        return true;
    };
    answer.generated =
        runtime::generate(*session_, sequence_, tokenizer_, std::span(ids).subspan(common), options);
    piece(decoder.flush());
    cached_ = ids;
    cached_.insert(cached_.end(), answer.generated.ids.begin(), answer.generated.ids.end());
    cached_.resize(session_->length(sequence_));
    messages_ = std::move(messages);
    messages_.push_back({.role = "assistant", .content = answer.text});
    return answer;
}

} // namespace ingot::tools
