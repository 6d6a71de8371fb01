// Text that knows of each of its bytes who wrote it: the template or a message. Cutting and joining keep
// that.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ingot::runtime::jinja {

class MarkedText {
  public:
    MarkedText() = default;
    MarkedText(std::string bytes, bool is_template)
        : bytes_(std::move(bytes)), starts_as_template_(is_template) {}

    std::string_view bytes() const { return bytes_; }
    std::size_t size() const { return bytes_.size(); }
    bool empty() const { return bytes_.empty(); }

    void append(std::string_view bytes, bool is_template);

    // Calls take(std::string_view bytes, bool is_template) for each longest run with one writer in bytes
    // [begin, end), in order.
    template <class Take>
    void each_run_of(std::size_t begin, std::size_t end, Take take) const;
    template <class Take>
    void each_run(Take take) const {
        each_run_of(0, bytes_.size(), take);
    }

  private:
    std::string bytes_;
    bool starts_as_template_ = false;
    std::vector<std::size_t> changes_; // where the writer changes, ascending, each inside the text
};

template <class Take>
void MarkedText::each_run_of(std::size_t begin, std::size_t end, Take take) const {
    auto change = std::upper_bound(changes_.begin(), changes_.end(), begin);
    bool is_template = starts_as_template_ != ((change - changes_.begin()) % 2 != 0);
    while (begin < end) {
        const std::size_t run_end = change == changes_.end() ? end : std::min(*change++, end);
        take(std::string_view(bytes_).substr(begin, run_end - begin), is_template);
        is_template = !is_template;
        begin = run_end;
    }
}

} // namespace ingot::runtime::jinja
