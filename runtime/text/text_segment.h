// A part of a prompt, with who wrote it.
#pragma once

#include <string>

namespace ingot::runtime {

struct TextSegment {
    std::string text;
    // Written by the chat template: may hold control tokens. False: from a message, so what reads like a
    // control token is text.
    bool is_template = false;
    friend bool operator==(const TextSegment&, const TextSegment&) = default;
};

} // namespace ingot::runtime
