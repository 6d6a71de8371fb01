#include "tools/driver/input_file.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

#include <sys/stat.h>

#include "runtime/plan_header.h"
#include "tools/driver/failure.h"

namespace ingot::tools {

namespace {

constexpr size_t most_text = size_t{1} << 30;

struct Close {
    void operator()(std::FILE* f) const { std::fclose(f); }
};
using File = std::unique_ptr<std::FILE, Close>;

File open_file(const std::filesystem::path& path) {
    File file(std::fopen(path.c_str(), "rbe"));
    if (!file) throw Failure(ExitCode::bad_input, path.string(), std::strerror(errno));
    struct stat status{};
    if (fstat(fileno(file.get()), &status) == 0 && S_ISDIR(status.st_mode))
        throw Failure(ExitCode::bad_input, path.string(), std::strerror(EISDIR));
    return file;
}

} // namespace

FileKind kind_of(const std::filesystem::path& path) {
    const File file = open_file(path);
    std::array<char, 8> first{};
    const size_t count = std::fread(first.data(), 1, first.size(), file.get());
    const std::string_view bytes(first.data(), count);
    if (bytes.starts_with("GGUF")) return FileKind::gguf;
    if (bytes == std::string_view(runtime::plan_magic.data(), runtime::plan_magic.size()))
        return FileKind::plan;
    throw Failure(ExitCode::bad_input, path.string(),
                  "is neither a GGUF model nor a plan: it begins with neither GGUF nor INGOTPLN");
}

std::string read_text(const std::filesystem::path& path) {
    const bool standard = path == "-";
    const File owned = standard ? nullptr : open_file(path);
    std::FILE* const file = standard ? stdin : owned.get();
    std::string text;
    std::array<char, 1 << 16> block;
    while (const size_t count = std::fread(block.data(), 1, block.size(), file)) {
        text.append(block.data(), count);
        if (text.size() > most_text)
            throw Failure(ExitCode::bad_input, path.string(), "is longer than 1 GiB of text");
    }
    if (std::ferror(file) != 0) throw Failure(ExitCode::bad_input, path.string(), std::strerror(errno));
    return text;
}

} // namespace ingot::tools
