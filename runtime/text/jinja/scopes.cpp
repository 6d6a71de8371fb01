#include "runtime/text/jinja/scopes.h"

#include <algorithm>
#include <utility>

namespace ingot::runtime::jinja {

const Value* Scopes::find(NameId name) const {
    budget_.step(1 + bindings_.size() / 16);
    for (std::size_t i = bindings_.size(); i > visible_; --i)
        if (bindings_[i - 1].name == name) return &bindings_[i - 1].value;
    for (std::size_t i = std::min(outermost_, visible_); i > 0; --i)
        if (bindings_[i - 1].name == name) return &bindings_[i - 1].value;
    return nullptr;
}

void Scopes::set(NameId name, Value value) {
    budget_.step(1 + (bindings_.size() - begin_) / 16);
    for (std::size_t i = begin_; i < bindings_.size(); ++i) {
        if (bindings_[i].name == name) {
            bindings_[i].value = std::move(value);
            return;
        }
    }
    budget_.take(sizeof(Binding));
    bindings_.push_back({.name = name, .value = std::move(value)});
}

Scopes::Inner::Inner(Scopes& scopes, Sees sees)
    : scopes_(scopes), outer_begin_(scopes.begin_), outer_visible_(scopes.visible_) {
    if (scopes_.depth_++ == 0) scopes_.outermost_ = scopes_.bindings_.size();
    scopes_.begin_ = scopes_.bindings_.size();
    if (sees == Sees::outermost) scopes_.visible_ = scopes_.begin_;
}

Scopes::Inner::~Inner() {
    scopes_.bindings_.resize(scopes_.begin_);
    scopes_.begin_ = outer_begin_;
    scopes_.visible_ = outer_visible_;
    --scopes_.depth_;
}

} // namespace ingot::runtime::jinja
