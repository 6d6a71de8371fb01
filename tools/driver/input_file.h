// Which kind of file the user gave, and whole files of text.
#pragma once

#include <filesystem>
#include <string>

namespace ingot::tools {

enum class FileKind { gguf, plan };

// By the file's first bytes. Throws Failure{bad_input} for a file that can't be read or is neither.
FileKind kind_of(const std::filesystem::path& path);

// The bytes of a file, or of standard input for "-". Throws Failure{bad_input}: can't be read, or above 1
// GiB.
std::string read_text(const std::filesystem::path& path);

} // namespace ingot::tools
