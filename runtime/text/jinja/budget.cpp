#include "runtime/text/jinja/budget.h"

#include "runtime/error.h"

namespace ingot::runtime::jinja {
namespace {

constexpr std::uint64_t text_overhead = sizeof(MarkedText) + 16; // with the reference counts beside it
constexpr std::uint64_t change_overhead = sizeof(std::size_t);   // per change of writer

} // namespace

void Budget::step(std::uint64_t count) {
    if (count > steps_) throw Error(Code::unsupported, "", "the template takes too many steps");
    steps_ -= count;
}

void Budget::take(std::uint64_t bytes) {
    if (bytes > bytes_) throw Error(Code::unsupported, "", "the template takes too much memory");
    bytes_ -= bytes;
}

Value Budget::text(MarkedText text) {
    take(text_overhead);
    return Value::text(std::move(text));
}

Value Budget::list(Items items, bool is_tuple) {
    step(1 + items.size() / 8);
    take(sizeof(List) + items.size() * sizeof(Value));
    return Value::list(std::move(items), is_tuple);
}

Value Budget::dict(Entries entries) {
    step(1 + entries.size());
    take(sizeof(Dict) + entries.size() * sizeof(Entry));
    return Value::dict(std::move(entries));
}

TextBuilder& TextBuilder::append(std::string_view bytes, bool is_template) {
    budget_->take(bytes.size() + change_overhead);
    text_.append(bytes, is_template);
    return *this;
}

TextBuilder& TextBuilder::append(const MarkedText& other, std::size_t begin, std::size_t end) {
    if (begin >= end) return *this;
    other.each_run_of(begin, end, [&](std::string_view run, bool is_template) { append(run, is_template); });
    return *this;
}

Value slice(Budget& budget, const MarkedText& text, std::size_t begin, std::size_t end) {
    return TextBuilder(budget).append(text, begin, end).finish();
}

Value own_text(Budget& budget, std::string_view bytes) {
    return TextBuilder(budget).append(bytes).finish();
}

} // namespace ingot::runtime::jinja
