#include "tools/driver/progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

namespace ingot::tools {

namespace {

constexpr int bar_columns = 30;
constexpr auto redraw_interval = std::chrono::milliseconds(50);

} // namespace

std::string progress_line(const std::string& stage, uint64_t first_done, uint64_t done, uint64_t total,
                          double seconds) {
    if (total == 0) return stage;
    const double part = static_cast<double>(std::min(done, total)) / static_cast<double>(total);
    const int filled = static_cast<int>(part * bar_columns);
    std::string line = fmt::format("[{:#>{}}{:->{}}] {:3.0f}%  {}", "", filled, "", bar_columns - filled,
                                   std::floor(part * 100), stage);
    if (done > first_done && done < total) {
        const double left =
            seconds / static_cast<double>(done - first_done) * static_cast<double>(total - done);
        const auto whole = static_cast<long long>(std::ceil(std::min(left, 359999.0)));
        line += fmt::format("  ETA {}:{:02}", whole / 60, whole % 60);
    }
    return line;
}

Progress::Progress(bool quiet) : shown_(!quiet && isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
    clear();
}

void Progress::update(const std::string& stage, uint64_t done, uint64_t total) {
    if (!shown_) return;
    const auto now = Clock::now();
    if (stage != stage_) {
        stage_ = stage;
        start_ = now;
        first_done_ = done;
    } else if (done < total && now - last_ < redraw_interval) {
        return;
    }
    last_ = now;
    const std::chrono::duration<double> seconds = now - start_;
    // Back to the first column, then whatever the line before was longer by is erased.
    const std::string text =
        "\r" + progress_line(stage, first_done_, done, total, seconds.count()) + "\x1b[K";
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
    drawn_ = true;
}

void Progress::clear() {
    if (!drawn_) return;
    std::fputs("\r\x1b[K", stderr);
    std::fflush(stderr);
    drawn_ = false;
}

} // namespace ingot::tools
