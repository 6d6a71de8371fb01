#include "tools/driver/output_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "runtime/new_file.h"
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
    if (!fs::exists(path, error) || fs::is_regular_file(path, error)) {
        runtime::write_new_file(path, {&text, 1});
        return;
    }
    std::FILE* const file = std::fopen(path.c_str(), "we");
    const bool written = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
    if (file == nullptr || std::fclose(file) != 0 || !written)
        throw Failure(ExitCode::failed, path.string(), std::strerror(errno));
}

} // namespace ingot::tools
