// A conversation with a model: messages in, answers out, and a cache that keeps what they have in common.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/generate.h"
#include "runtime/plan_file.h"
#include "runtime/session.h"
#include "runtime/text/chat_template.h"
#include "runtime/text/tokenizer.h"

namespace ingot::tools {

class Conversation {
  public:
    // Throws runtime::Error for a plan without a chat template, or with one that can't be used.
    Conversation(const std::shared_ptr<const runtime::PlanFile>& plan,
                 std::unique_ptr<runtime::Session> session);

    const std::vector<runtime::ChatMessage>& messages() const { return messages_; }
    runtime::Session& session() { return *session_; }
    // Forgets all messages; the next ones begin with this one, if it isn't empty.
    void restart(const std::string& system);

    struct Answer {
        std::string text;
        std::vector<int32_t> prompt_ids; // of the whole conversation
        runtime::Generated generated;
        size_t computed = 0; // ids of the prompt that the cache did not have
    };
    // Adds the user's message and the model's answer, which `say` is given as it comes. Where this throws,
    // the message is not added.
    Answer ask(const std::string& message, runtime::GenerateOptions options,
               const std::function<void(const std::string& piece)>& say);

  private:
    std::unique_ptr<runtime::Session> session_;
    runtime::Tokenizer tokenizer_;
    runtime::ChatTemplate template_;
    std::vector<runtime::ChatMessage> messages_;
    runtime::SequenceId sequence_;
    std::vector<int32_t> cached_; // ids of the positions that the sequence holds
};

} // namespace ingot::tools
