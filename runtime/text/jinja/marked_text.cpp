#include "runtime/text/jinja/marked_text.h"

namespace ingot::runtime::jinja {

void MarkedText::append(std::string_view bytes, bool is_template) {
    if (bytes.empty()) return;
    if (bytes_.empty()) {
        starts_as_template_ = is_template;
    } else if ((changes_.size() % 2 == 0 ? starts_as_template_ : !starts_as_template_) != is_template) {
        changes_.push_back(bytes_.size());
    }
    bytes_ += bytes;
}

} // namespace ingot::runtime::jinja
