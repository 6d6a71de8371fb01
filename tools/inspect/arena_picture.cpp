#include "tools/inspect/arena_picture.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "tools/inspect/byte_text.h"

namespace ingot::tools {

namespace {

constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '&')
            out += "&amp;";
        else if (c == '"')
            out += "&quot;";
        else
            out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return out;
}

} // namespace

std::string text_picture(const ProgramSummary& program, size_t columns, size_t rows) {
    columns = std::min(columns, program.launches.size());
    std::string out = fmt::format(
        "arena of {}: {} over {} launches{}\n", program.name, byte_text(program.peak),
        program.launches.size(),
        columns < program.launches.size() ? fmt::format(", of which the first {} are drawn", columns) : "");
    if (program.peak == 0) return out + "  nothing in it\n";
    // A row stands for so many bytes; a value that touches it is drawn, so small ones show too.
    const uint64_t row_bytes = (program.peak + rows - 1) / rows;
    std::vector<std::string> grid((program.peak + row_bytes - 1) / row_bytes, std::string(columns, '.'));
    std::string meaning;
    size_t drawn = 0;
    for (const ArenaValue& v : program.values) {
        if (v.first >= columns || v.bytes == 0) continue;
        const char letter = letters[drawn++ % letters.size()];
        for (uint64_t row = v.offset / row_bytes; row <= (v.offset + v.bytes - 1) / row_bytes; ++row)
            for (size_t t = v.first; t <= std::min(v.last, columns - 1); ++t)
                grid[row][t] = letter;
        if (drawn <= letters.size())
            meaning += fmt::format("  {} {} ({} at {})\n", letter, v.name, byte_text(v.bytes), v.offset);
    }
    for (size_t row = grid.size(); row-- > 0;)
        out += fmt::format("  {:>10} |{}|\n", byte_text(row * row_bytes), grid[row]);
    return out + meaning;
}

std::string svg_picture(const ProgramSummary& program) {
    constexpr double launch_width = 8, height = 400, margin = 20;
    const double width = launch_width * static_cast<double>(program.launches.size());
    const double scale = program.peak == 0 ? 0 : height / static_cast<double>(program.peak);
    std::string out = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" font-family=\"sans-serif\" "
        "font-size=\"11\">\n<text x=\"{}\" y=\"14\">{}: {} of transient memory, lower bound {}</text>\n",
        width + 2 * margin, height + 2 * margin, margin, escaped(program.name), byte_text(program.peak),
        byte_text(program.lower_bound));
    out +=
        fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"black\"/>\n",
                    margin, margin, width, height);
    for (size_t i = 0; i < program.values.size(); ++i) {
        const ArenaValue& v = program.values[i];
        const double bytes = static_cast<double>(v.bytes);
        out += fmt::format(
            "<rect x=\"{}\" y=\"{:.2f}\" width=\"{}\" height=\"{:.2f}\" fill=\"hsl({}, 60%, 70%)\" "
            "stroke=\"white\" stroke-width=\"0.5\"><title>{} ({})</title></rect>\n",
            margin + launch_width * static_cast<double>(v.first),
            margin + height - scale * (static_cast<double>(v.offset) + bytes),
            launch_width * static_cast<double>(v.last - v.first + 1), scale * bytes, i * 137 % 360,
            escaped(v.name), byte_text(v.bytes));
    }
    return out + "</svg>\n";
}

} // namespace ingot::tools
