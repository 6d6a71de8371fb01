// Text from a file, made fit for one line of an error message.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ingot::runtime {

// `text` in single quotes, cut after `most` bytes, with control characters and ill-formed UTF-8 as \xHH.
std::string printable(std::string_view text, std::size_t most = 64);

// All of `text`, without the quotes: for messages that have text from a file inside.
std::string on_one_line(std::string_view text);

} // namespace ingot::runtime
