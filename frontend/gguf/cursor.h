// Reading forward through bytes that may end anywhere.
#pragma once

#include "ir/error.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace ingot::frontend::gguf {

// Every read is checked against the bytes left, so that no length in the file is believed before the bytes
// it speaks of are there. `where` is the file's name for messages.
class Cursor {
  public:
    Cursor(std::span<const std::byte> bytes, std::string_view where) : bytes_(bytes), where_(where) {}

    uint64_t position() const { return position_; }
    uint64_t left() const { return bytes_.size() - position_; }

    // `what` names the thing that is being read: "the header", "key 3's value".
    template <class... What>
    std::span<const std::byte> take(uint64_t count, fmt::format_string<What...> what, What&&... arguments) {
        if (count > left())
            fail(fmt::format("the file ends inside {} (byte {} of {}, {} more wanted): it is truncated or "
                             "damaged; fetch or convert it again",
                             fmt::format(what, std::forward<What>(arguments)...), position_, bytes_.size(),
                             count));
        const auto taken = bytes_.subspan(position_, count);
        position_ += count;
        return taken;
    }

    template <class T, class... What>
    T read(fmt::format_string<What...> what, What&&... arguments) {
        T value;
        const auto taken = take(sizeof value, what, std::forward<What>(arguments)...);
        std::memcpy(&value, taken.data(), sizeof value);
        return value;
    }

    [[noreturn]] void fail(const std::string& message) const {
        throw ir::Error(std::string(where_), message);
    }

  private:
    std::span<const std::byte> bytes_;
    std::string_view where_;
    uint64_t position_ = 0;
};

inline std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

} // namespace ingot::frontend::gguf
