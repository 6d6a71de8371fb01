#include "tools/driver/output_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

#include "tools/driver/failure.h"

namespace ingot::tools {

namespace fs = std::filesystem;

void write_output(const fs::path& path, std::string_view text) {
    if (path.empty() || path == "-") {
        print_result(text);
        return;
    }
    // A device or pipe can't be replaced; a file is, so that nobody ever sees a part of it.
    std::error_code error;
    const bool in_place = fs::exists(path, error) && !fs::is_regular_file(path, error);
    const fs::path target = in_place ? path : fs::path(fmt::format("{}.{}.part", path.string(), getpid()));
    const auto fail = [&] {
        const int reason = errno;
        if (!in_place) fs::remove(target, error);
        throw Failure(ExitCode::failed, path.string(), std::strerror(reason));
    };
    std::FILE* const file = std::fopen(target.c_str(), "we");
    if (file == nullptr) fail();
    const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
    if (std::fclose(file) != 0 || !written) fail();
    if (!in_place && std::rename(target.c_str(), path.c_str()) != 0) fail();
}

} // namespace ingot::tools
