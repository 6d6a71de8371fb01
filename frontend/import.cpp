#include "frontend/import.h"

#include "frontend/families/llama.h"

#include <array>

#include <fmt/format.h>

namespace ingot::frontend {

namespace {

struct Family {
    std::string_view architecture;
    Model (*import)(const gguf::File&, const ImportOptions&);
};

constexpr std::array families = {Family{"llama", import_llama}};

constexpr int64_t largest_context = int64_t{1} << 20;

} // namespace

Model import_model(const gguf::File& file, const ImportOptions& options) {
    if (options.context < 0 || options.context > largest_context)
        throw ir::Error("context",
                        fmt::format("{} positions; choose 1 to {}", options.context, largest_context));
    const auto architecture = file.require<std::string_view>("general.architecture");
    for (const Family& f : families)
        if (f.architecture == architecture) return f.import(file, options);
    std::string known;
    for (const Family& f : families)
        known += fmt::format("{}{}", known.empty() ? "" : ", ", f.architecture);
    file.fail(
        fmt::format("architecture \"{}\" is not supported; this build imports: {}", architecture, known));
}

} // namespace ingot::frontend
