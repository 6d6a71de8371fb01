// What one rendering may cost. Whoever makes text or lists, or walks through values, draws on it first, so
// no template and no message can keep the machine busy or fill its memory.
#pragma once

#include "runtime/text/jinja/value.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ingot::runtime::jinja {

class Budget {
  public:
    Budget(std::uint64_t steps, std::uint64_t bytes) : steps_(steps), bytes_(bytes) {}
    Budget(const Budget&) = delete;
    Budget& operator=(const Budget&) = delete;

    // One step is of the order of 100 ns. Throws Error{unsupported} when none are left.
    void step(std::uint64_t count = 1);
    // For looking through `bytes` bytes of text.
    void scan(std::uint64_t bytes) { step(1 + bytes / 64); }
    // For memory taken, whether it lives long or not. Throws Error{unsupported} when none is left.
    void take(std::uint64_t bytes);

    Value text(MarkedText text); // draws for the value, not for the bytes, which the builder paid for
    Value list(Items items, bool is_tuple = false);
    Value dict(Entries entries);

  private:
    std::uint64_t steps_;
    std::uint64_t bytes_;
};

// Makes text and draws on the budget as it grows.
class TextBuilder {
  public:
    explicit TextBuilder(Budget& budget) : budget_(&budget) {}

    TextBuilder& append(std::string_view bytes, bool is_template);
    // What the interpreter itself writes, such as a number or JSON's brackets: as the template's.
    TextBuilder& append(std::string_view bytes) { return append(bytes, true); }
    TextBuilder& append(const MarkedText& other) { return append(other, 0, other.size()); }
    TextBuilder& append(const MarkedText& other, std::size_t begin, std::size_t end);

    const MarkedText& text() const { return text_; }
    Value finish() { return budget_->text(std::move(text_)); }
    Budget& budget() { return *budget_; }

  private:
    Budget* budget_;
    MarkedText text_;
};

// Bytes [begin, end) of `text` as a value.
Value slice(Budget& budget, const MarkedText& text, std::size_t begin, std::size_t end);
// Text of the interpreter's own as a value.
Value own_text(Budget& budget, std::string_view bytes);

} // namespace ingot::runtime::jinja
