#include "runtime/text/pretokenize.h"

#include "runtime/error.h"
#include "runtime/text/printable.h"
#include "runtime/text/unicode.h"

#include <array>
#include <utility>

#include <fmt/format.h>

namespace ingot::runtime {
namespace {

constexpr std::array<std::pair<std::string_view, PreTokenizer>, 9> known_names{{
    {"gpt-2", PreTokenizer::gpt2},
    {"smollm", PreTokenizer::digits_gpt2},
    {"starcoder", PreTokenizer::digits_gpt2},
    {"llama-bpe", PreTokenizer::llama3},
    {"llama3", PreTokenizer::llama3},
    {"llama-v3", PreTokenizer::llama3},
    {"qwen2", PreTokenizer::qwen2},
    {"deepseek-r1-qwen", PreTokenizer::qwen2},
    {"deepseek-coder", PreTokenizer::deepseek_coder},
}};

constexpr CharClass class_word = class_letter | class_number;

// The end of the run of characters in any of `classes` that starts at `position`.
std::size_t run_of(std::string_view text, std::size_t position, CharClass classes) {
    for (;;) {
        const ClassedChar c = char_at(text, position);
        if (c.length == 0 || !c.is(classes)) return position;
        position += c.length;
    }
}

// The end of the run of characters in none of `classes`.
std::size_t run_outside(std::string_view text, std::size_t position, CharClass classes) {
    for (;;) {
        const ClassedChar c = char_at(text, position);
        if (c.length == 0 || c.is(classes)) return position;
        position += c.length;
    }
}

// The bytes of an English contraction ('s 't 'm 'd 're 've 'll) at `position`, or 0.
std::size_t contraction(std::string_view text, std::size_t position, bool any_case) {
    if (text[position] != '\'') return 0;
    const auto letter = [&](std::size_t at) {
        if (at >= text.size()) return '\0';
        const char c = text[at];
        return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    const char first = letter(position + 1);
    const char second = letter(position + 2);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
    if ((first == 'r' || first == 'v') && second == 'e') return 3;
    if (first == 'l' && second == 'l') return 3;
    return 0;
}

// \s+(?!\S)|\s+ at a space: the whole run at the end of the text, else the run but for its last character,
// which goes to the word that follows; a run of one stands alone.
std::size_t spaces_end(std::string_view text, std::size_t position) {
    std::size_t last = position;
    std::size_t end = position;
    for (ClassedChar c = char_at(text, end); c.is(class_space); c = char_at(text, end)) {
        last = end;
        end += c.length;
    }
    return end == text.size() || last == position ? end : last;
}

std::size_t gpt2_word(std::string_view text, std::size_t position) {
    if (const std::size_t length = contraction(text, position, false)) return position + length;
    const std::size_t start = position + (text[position] == ' ' ? 1 : 0);
    const ClassedChar c = char_at(text, start);
    if (c.length != 0 && !c.is(class_space)) {
        if (c.is(class_letter)) return run_of(text, start, class_letter);
        if (c.is(class_number)) return run_of(text, start, class_number);
        return run_outside(text, start, class_word | class_space);
    }
    return spaces_end(text, position);
}

std::size_t digits_end(std::string_view text, std::size_t position, int most) {
    for (int i = 0; i < most; ++i) {
        const ClassedChar c = char_at(text, position);
        if (!c.is(class_number)) break;
        position += c.length;
    }
    return position;
}

// \s*[\r\n]+ at a space: up to the last line end of the run of spaces, or `position` where it has none.
std::size_t lines_end(std::string_view text, std::size_t position) {
    std::size_t end = position;
    for (ClassedChar c = char_at(text, position); c.is(class_space); c = char_at(text, position)) {
        position += c.length;
        if (c.is(class_newline)) end = position;
    }
    return end;
}

std::size_t llama3_word(std::string_view text, std::size_t position, int most_digits) {
    if (const std::size_t length = contraction(text, position, true)) return position + length;
    const ClassedChar c = char_at(text, position);
    const std::size_t next = position + c.length;
    if (c.is(class_letter)) return run_of(text, next, class_letter);
    if (!c.is(class_newline | class_number) && char_at(text, next).is(class_letter)) {
        return run_of(text, next, class_letter);
    }
    if (c.is(class_number)) return digits_end(text, position, most_digits);
    const std::size_t start = position + (c.code == ' ' ? 1 : 0);
    const std::size_t end = run_outside(text, start, class_word | class_space);
    if (end > start) return run_of(text, end, class_newline);
    const std::size_t lines = lines_end(text, position);
    return lines > position ? lines : spaces_end(text, position);
}

// Cuts `text` into words by `word`, which gives the end of the word at a position.
template <typename Word>
void scan(std::string_view text, std::size_t offset, std::vector<std::size_t>& ends, Word word) {
    for (std::size_t position = 0; position < text.size();) {
        position = word(text, position);
        ends.push_back(offset + position);
    }
}

// Cuts `text` before and after each match. `match` gives the end of the match at a position, or the position
// itself where there is none.
template <typename Match>
void isolate(std::string_view text, std::size_t offset, std::vector<std::size_t>& ends, Match match) {
    std::size_t unmatched = 0;
    for (std::size_t position = 0; position < text.size();) {
        const std::size_t end = match(text, position);
        if (end == position) {
            position += char_at(text, position).length;
            continue;
        }
        if (position > unmatched) ends.push_back(offset + position);
        ends.push_back(offset + end);
        position = unmatched = end;
    }
    if (unmatched < text.size()) ends.push_back(offset + text.size());
}

// Applies `cut(piece, offset, ends)` to each piece of a text cut at `ends`.
template <typename Cut>
void refine(std::string_view text, std::vector<std::size_t>& ends, Cut cut) {
    std::vector<std::size_t> finer;
    finer.reserve(ends.size() * 2);
    std::size_t start = 0;
    for (const std::size_t end : ends) {
        cut(text.substr(start, end - start), start, finer);
        start = end;
    }
    ends = std::move(finer);
}

std::size_t one_of(std::string_view text, std::size_t position, CharClass classes) {
    const ClassedChar c = char_at(text, position);
    return c.is(classes) ? position + c.length : position;
}

std::size_t spaced_run_of(std::string_view text, std::size_t position, CharClass classes) {
    const ClassedChar c = char_at(text, position);
    const std::size_t start = c.is(class_space) ? position + c.length : position;
    const std::size_t end = run_of(text, start, classes);
    return end > start ? end : position;
}

std::size_t east_asian_run(std::string_view text, std::size_t position) {
    for (;;) {
        const ClassedChar c = char_at(text, position);
        const bool inside = (c.code >= 0x800 && c.code <= 0x9FA5) || (c.code >= 0xAC00 && c.code <= 0xD7FF);
        if (c.length == 0 || !inside) return position;
        position += c.length;
    }
}

void deepseek_coder(std::string_view text, std::vector<std::size_t>& ends) {
    const auto step = [&](auto match) {
        refine(text, ends, [&](std::string_view piece, std::size_t offset, std::vector<std::size_t>& finer) {
            isolate(piece, offset, finer, match);
        });
    };
    step([](std::string_view t, std::size_t p) { return one_of(t, p, class_newline); });
    step([](std::string_view t, std::size_t p) { return spaced_run_of(t, p, class_letter); });
    step([](std::string_view t, std::size_t p) { return spaced_run_of(t, p, class_punctuation); });
    step([](std::string_view t, std::size_t p) { return east_asian_run(t, p); });
    step([](std::string_view t, std::size_t p) { return one_of(t, p, class_number); });
}

} // namespace

PreTokenizer pretokenizer_named(std::string_view name) {
    std::string names;
    for (const auto& [known, kind] : known_names) {
        if (name == known) return kind;
        names += names.empty() ? "" : ", ";
        names += known;
    }
    throw Error(Code::unsupported, "tokenizer.ggml.pre",
                fmt::format("the pre-tokenizer {} is not known; known are {}", printable(name), names));
}

void pretokenize(PreTokenizer kind, std::string_view text, std::vector<std::size_t>& ends) {
    if (text.empty()) return;
    std::vector<std::size_t> pieces{text.size()};
    switch (kind) {
    case PreTokenizer::gpt2:
        pieces.clear();
        scan(text, 0, pieces, gpt2_word);
        break;
    case PreTokenizer::digits_gpt2: {
        const auto digit = [](std::string_view t, std::size_t p) { return one_of(t, p, class_number); };
        const auto cut = [](std::string_view piece, std::size_t offset, std::vector<std::size_t>& finer) {
            scan(piece, offset, finer, gpt2_word);
        };
        pieces.clear();
        isolate(text, 0, pieces, digit);
        refine(text, pieces, cut);
        break;
    }
    case PreTokenizer::llama3:
    case PreTokenizer::qwen2: {
        const int most_digits = kind == PreTokenizer::llama3 ? 3 : 1;
        pieces.clear();
        scan(text, 0, pieces,
             [&](std::string_view t, std::size_t p) { return llama3_word(t, p, most_digits); });
        break;
    }
    case PreTokenizer::deepseek_coder:
        deepseek_coder(text, pieces);
        break;
    }
    ends.insert(ends.end(), pieces.begin(), pieces.end());
}

} // namespace ingot::runtime
