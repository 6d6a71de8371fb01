#include "tools/driver/open_tokenizer.h"

#include <memory>

#include "runtime/plan_file.h"
#include "tools/driver/gguf_vocabulary.h"
#include "tools/driver/input_file.h"

namespace ingot::tools {

runtime::Tokenizer open_tokenizer(const std::filesystem::path& model_or_plan) {
    if (kind_of(model_or_plan) == FileKind::plan)
        return runtime::Tokenizer(runtime::vocabulary_of(runtime::PlanFile::open(model_or_plan)));
    using frontend::gguf::File;
    return runtime::Tokenizer(
        gguf_vocabulary(std::make_shared<const File>(File::open(model_or_plan.string()))));
}

} // namespace ingot::tools
