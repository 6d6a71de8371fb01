// Text from a file, made fit for one line of an error message.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ingot::runtime {

// `text` in single quotes, cut after `most` bytes, with control characters and ill-formed UTF-8 as \xHH.
std::string printable(std::string_view text, std::size_t most = 64);

} // namespace ingot::runtime
