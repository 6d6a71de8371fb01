// Pre-tokenizers: how a text is cut into words before byte-pair merging, which never crosses a cut.
// Each is the regular expression that its model was trained with, as a hand-written scanner: linear in the
// text, without recursion or backtracking, whatever the text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::runtime {

enum class PreTokenizer {
    // 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+       (GPT-2)
    gpt2,
    // \p{N} first, each digit alone; then gpt2 on what lies between                     (StarCoder, SmolLM)
    digits_gpt2,
    // (?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}
    // | ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+                               (Llama 3)
    llama3,
    // llama3 with \p{N} instead of \p{N}{1,3}                                           (Qwen 2)
    qwen2,
    // one after the other, each on what the ones before left:
    // [\r\n]   \s?\p{L}+   \s?\p{P}+   [\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+   \p{N}  (DeepSeek Coder)
    deepseek_coder,
};

// The pre-tokenizer that `tokenizer.ggml.pre` names. Throws Error{unsupported} listing the known names.
PreTokenizer pretokenizer_named(std::string_view name);

// Appends the end of each word of `text`, in bytes from its start, in rising order; the last is text.size().
// An ill-formed byte counts as a character that is neither letter, number, punctuation nor space.
void pretokenize(PreTokenizer kind, std::string_view text, std::vector<std::size_t>& ends);

} // namespace ingot::runtime
