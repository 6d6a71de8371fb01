#include "tools/pack/csv.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "tools/driver/failure.h"

namespace ingot::tools {

namespace {

using passes::memory::Buffer;

enum class Column : std::uint8_t { id, lower, upper, end, size, alignment, gaps, other };

constexpr std::array<std::pair<std::string_view, Column>, 11> column_names = {{
    {"id", Column::id},
    {"buffer", Column::id},
    {"buffer_id", Column::id},
    {"lower", Column::lower},
    {"begin", Column::lower},
    {"start", Column::lower},
    {"upper", Column::upper},
    {"end", Column::end},
    {"size", Column::size},
    {"alignment", Column::alignment},
    {"gaps", Column::gaps},
}};

// Names for messages; a text may be long.
std::string quoted(std::string_view text) {
    constexpr size_t most = 40;
    return fmt::format("'{}{}'", text.substr(0, most), text.size() > most ? "..." : "");
}

std::string_view trimmed(std::string_view text) {
    const auto space = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && space(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && space(text.back()))
        text.remove_suffix(1);
    return text;
}

// Takes what is before the separator, and the separator, off the text.
std::string_view take(std::string_view& text, char separator) {
    const size_t at = text.find(separator);
    const std::string_view first = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
    return first;
}

class Parser {
  public:
    Parser(std::string_view text, const std::string& name) : rest_(text), name_(name) {}

    PackProblem run() {
        PackProblem out;
        while (!rest_.empty()) {
            ++line_;
            std::string_view record = take(rest_, '\n');
            if (record.ends_with('\r')) record.remove_suffix(1);
            if (record.empty()) {
                if (columns_.empty()) fail("the names of the columns are missing");
                if (rest_.find_first_not_of("\r\n") != std::string_view::npos)
                    fail("an empty line before the last buffer");
                break;
            }
            if (columns_.empty())
                read_header(record);
            else
                read_buffer(record, out);
        }
        if (columns_.empty()) {
            line_ = 1;
            fail("is empty: the first line must name the columns, as in id,lower,upper,size");
        }
        return out;
    }

  private:
    [[noreturn]] void fail(const std::string& message) const {
        throw Failure(ExitCode::bad_input, fmt::format("{}:{}", name_, line_), message);
    }

    void read_header(std::string_view record) {
        const std::string_view header = record;
        std::vector<std::string_view> names;
        const size_t count = static_cast<size_t>(std::count(record.begin(), record.end(), ',')) + 1;
        for (size_t i = 0; i < count; ++i) {
            names.push_back(take(record, ','));
            const auto known = std::find_if(column_names.begin(), column_names.end(),
                                            [&](const auto& entry) { return entry.first == names.back(); });
            columns_.push_back(known == column_names.end() ? Column::other : known->second);
        }
        std::sort(names.begin(), names.end());
        if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end())
            fail(fmt::format("two columns are named {}", quoted(*twice)));
        const auto times = [&](Column c) { return std::count(columns_.begin(), columns_.end(), c); };
        require_one(times(Column::id), "id", header);
        require_one(times(Column::lower), "lower", header);
        require_one(times(Column::upper) + times(Column::end), "upper", header);
        require_one(times(Column::size), "size", header);
    }

    void require_one(std::ptrdiff_t count, std::string_view name, std::string_view header) const {
        if (count == 0) fail(fmt::format("no column '{}' among {}", name, quoted(header)));
        if (count > 1) fail(fmt::format("two columns for '{}' in {}", name, quoted(header)));
    }

    void read_buffer(std::string_view record, PackProblem& out) const {
        const size_t count = static_cast<size_t>(std::count(record.begin(), record.end(), ',')) + 1;
        if (count != columns_.size()) fail(fmt::format("{} fields for {} columns", count, columns_.size()));
        constexpr int64_t most = std::numeric_limits<int64_t>::max();
        Buffer buffer;
        for (const Column column : columns_) {
            const std::string_view field = take(record, ',');
            switch (column) {
            case Column::id:
                out.ids.emplace_back(field);
                break;
            case Column::lower:
                buffer.lower = number(field, "lower", std::numeric_limits<int64_t>::min(), most);
                break;
            case Column::upper:
                buffer.upper = number(field, "upper", std::numeric_limits<int64_t>::min(), most);
                break;
            case Column::end:
                buffer.upper = number(field, "end", std::numeric_limits<int64_t>::min(), most - 1) + 1;
                break;
            case Column::size:
                buffer.size = static_cast<uint64_t>(number(field, "size", 0, most));
                break;
            case Column::alignment:
                buffer.alignment = static_cast<uint64_t>(number(field, "alignment", 1, most));
                break;
            case Column::gaps:
                if (!trimmed(field).empty())
                    fail("gaps in the life of a buffer are not supported; without them it is planned as "
                         "living "
                         "throughout");
                break;
            case Column::other:
                break;
            }
        }
        if (buffer.lower > buffer.upper)
            fail(fmt::format("the life [{}, {}) ends before it begins", buffer.lower, buffer.upper));
        out.problem.buffers.push_back(buffer);
    }

    int64_t number(std::string_view field, std::string_view what, int64_t least, int64_t most) const {
        std::string_view text = trimmed(field);
        if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
        int64_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error == std::errc::invalid_argument || end != text.data() + text.size())
            fail(fmt::format("{} {} is not a whole number", what, quoted(field)));
        if (error != std::errc() || value < least || value > most)
            fail(fmt::format("{} {} is out of range: it must be {} to {}", what, quoted(field), least, most));
        return value;
    }

    std::string_view rest_;
    const std::string& name_;
    size_t line_ = 0;
    std::vector<Column> columns_;
};

} // namespace

PackProblem parse_pack_csv(std::string_view text, const std::string& name) {
    return Parser(text, name).run();
}

std::string format_pack_csv(const PackProblem& problem, const std::vector<uint64_t>& offsets) {
    const std::vector<Buffer>& buffers = problem.problem.buffers;
    const bool aligned =
        std::any_of(buffers.begin(), buffers.end(), [](const Buffer& b) { return b.alignment != 1; });
    std::string out = aligned ? "id,lower,upper,size,alignment,offset\n" : "id,lower,upper,size,offset\n";
    for (size_t i = 0; i < buffers.size(); ++i) {
        const Buffer& b = buffers[i];
        out += fmt::format("{},{},{},{},", problem.ids[i], b.lower, b.upper, b.size);
        if (aligned) out += fmt::format("{},", b.alignment);
        out += fmt::format("{}\n", offsets[i]);
    }
    return out;
}

} // namespace ingot::tools
