#include "plan_generated.h"
#include "runtime/error.h"
#include "runtime/plan_file.h"
#include "runtime/text/vocabulary.h"

namespace ingot::runtime {
namespace {

std::string_view view(const flatbuffers::String* text) {
    return text == nullptr ? std::string_view() : std::string_view(text->data(), text->size());
}

std::vector<std::string_view>
views(const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>* list) {
    std::vector<std::string_view> result;
    if (list == nullptr) return result;
    result.reserve(list->size());
    for (const flatbuffers::String* text : *list)
        result.push_back(view(text));
    return result;
}

Vocabulary::Model model_named(std::string_view name, const std::string& where) {
    if (name == "bpe") return Vocabulary::Model::bpe;
    if (name == "spm") return Vocabulary::Model::spm;
    if (name == "none") return Vocabulary::Model::none;
    throw Error(Code::bad_file, where, "the vocabulary is of no known kind");
}

} // namespace

Vocabulary vocabulary_of(const std::shared_ptr<const PlanFile>& plan) {
    Vocabulary result;
    const plan::Vocabulary* from = plan->description().vocabulary();
    if (from == nullptr) return result;
    result.model = model_named(view(from->model()), plan->path().string());
    result.pre = view(from->pre());
    result.tokens = views(from->tokens());
    result.merges = views(from->merges());
    if (from->scores() != nullptr) result.scores.assign(from->scores()->begin(), from->scores()->end());
    if (from->types() != nullptr) {
        for (const std::int32_t type : *from->types())
            result.types.push_back(static_cast<TokenType>(type));
    }
    result.bos = from->bos();
    result.eos = from->eos();
    result.unk = from->unk();
    result.pad = from->pad();
    result.eot = from->eot();
    result.add_bos = from->add_bos();
    result.add_eos = from->add_eos();
    result.add_space_prefix = from->add_space_prefix();
    result.chat_template = view(from->chat_template());
    result.owner = plan;
    validate(result);
    return result;
}

} // namespace ingot::runtime
