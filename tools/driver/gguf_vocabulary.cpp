#include "tools/driver/gguf_vocabulary.h"

#include <optional>

#include "frontend/vocabulary.h"

namespace ingot::tools {

namespace {

using runtime::Vocabulary;

Vocabulary::Model model_of(frontend::VocabularyModel model) {
    switch (model) {
    case frontend::VocabularyModel::bpe:
        return Vocabulary::Model::bpe;
    case frontend::VocabularyModel::spm:
        return Vocabulary::Model::spm;
    case frontend::VocabularyModel::none:
        break;
    }
    return Vocabulary::Model::none;
}

} // namespace

Vocabulary gguf_vocabulary(const std::shared_ptr<const frontend::gguf::File>& file) {
    frontend::Vocabulary from = frontend::read_vocabulary(*file);
    const auto id = [](std::optional<uint32_t> value) {
        return value ? static_cast<int32_t>(*value) : Vocabulary::no_id;
    };
    Vocabulary to{.model = model_of(from.model),
                  .pre = std::string(from.pre),
                  .tokens = std::move(from.tokens),
                  .scores = std::move(from.scores),
                  .types = {},
                  .merges = {},
                  .owner = file,
                  .bos = id(from.bos),
                  .eos = id(from.eos),
                  .unk = id(from.unknown),
                  .pad = id(from.padding),
                  .eot = id(from.end_of_turn),
                  .add_bos = from.add_bos,
                  .add_eos = from.add_eos,
                  .add_space_prefix = from.add_space_prefix,
                  .chat_template = std::string(from.chat_template)};
    to.types.reserve(from.types.size());
    for (const frontend::TokenType type : from.types)
        to.types.push_back(static_cast<runtime::TokenType>(type)); // both have the file format's numbers
    to.merges.reserve(from.merges.size());
    for (const frontend::Merge& merge : from.merges) // the parts stand in the file with one space between
        to.merges.emplace_back(merge.left.data(), merge.left.size() + 1 + merge.right.size());
    runtime::validate(to);
    return to;
}

} // namespace ingot::tools
