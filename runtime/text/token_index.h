// Text to token id, as one flat open-addressing table over the vocabulary's own strings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace ingot::runtime {

// Keeps views of the texts it was built from, which must outlive it. 16 to 32 bytes a token.
class TokenIndex {
  public:
    TokenIndex() = default;
    // Of equal texts the last one is found, as in llama.cpp. Empty texts are never found.
    explicit TokenIndex(std::span<const std::string_view> texts);

    static constexpr std::int32_t absent = -1;
    std::int32_t find(std::string_view text) const;
    // The longest text in bytes: anything longer is absent.
    std::size_t longest() const { return longest_; }

  private:
    struct Slot {
        std::uint32_t tag = 0; // other bits of the hash, so that most misses don't touch the text
        std::int32_t id = absent;
    };
    std::span<const std::string_view> texts_;
    std::vector<Slot> slots_;
    std::size_t longest_ = 0;
};

} // namespace ingot::runtime
