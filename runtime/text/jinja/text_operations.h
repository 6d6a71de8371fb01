// What string methods and filters do to text, as Python's str does. Every piece keeps its writers.
#pragma once

#include "runtime/text/jinja/budget.h"
#include "runtime/text/jinja/value.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ingot::runtime::jinja {

// Characters are mapped one by one, by Unicode's simple case mappings.
Value upper(Budget& budget, const MarkedText& text);
Value lower(Budget& budget, const MarkedText& text);
// The first character in title case, the others in lower case.
Value capitalize(Budget& budget, const MarkedText& text);
// str.title: a letter after another is in lower case, each other in title case.
Value title(Budget& budget, const MarkedText& text);
// The filter: a word begins only after white space and - ( { [ <, and at the start.
Value title_words(Budget& budget, const MarkedText& text);

enum class Side { left, right, both };
// Without what of `characters` (null: white space) stands at the ends.
Value strip(Budget& budget, const MarkedText& text, const MarkedText* characters, Side side);

// The first `count` occurrences, or all if it is negative. An empty `from` stands between all characters.
Value replace(Budget& budget, const MarkedText& text, const MarkedText& from, const MarkedText& to,
              std::int64_t count);

// At `separator` (null: at white space, of which none is left), at most `most` times (negative: everywhere),
// from the left or the right. Throws Error{invalid_argument} for an empty separator.
Value split(Budget& budget, const MarkedText& text, const MarkedText* separator, std::int64_t most,
            Side from);

// Byte offset of the first, or of the last, `part`; std::string_view::npos if there is none.
std::size_t find_first(Budget& budget, std::string_view text, std::string_view part);
std::size_t find_last(Budget& budget, std::string_view text, std::string_view part);

} // namespace ingot::runtime::jinja
