#include "tools/driver/plan_cache.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "codegen/kernel_key.h"
#include "frontend/mapped_file.h"
#include "runtime/host_abi.h"
#include "tools/driver/build_info.h"
#include "tools/driver/file_memo.h"

namespace ingot::tools {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view suffix = ".ingot", sha256_memo = "sha256";

void add_part(std::string& bytes, std::string_view part) {
    for (int shift = 0; shift < 64; shift += 8)
        bytes += static_cast<char>((uint64_t{part.size()} >> shift) & 0xFF);
    bytes += part;
}

// Every regular file below `directory` that is there when it is looked at.
void each_file(const fs::path& directory, const std::function<void(const fs::path&, uint64_t bytes)>& visit) {
    std::error_code error;
    for (fs::recursive_directory_iterator at(directory, error), end; !error && at != end;
         at.increment(error)) {
        std::error_code vanished;
        if (!at->is_regular_file(vanished)) continue;
        const uint64_t size = at->file_size(vanished);
        if (!vanished) visit(at->path(), size);
    }
}

} // namespace

std::string file_sha256(const fs::path& file, const fs::path& cache) {
    return memoised(cache, file, sha256_memo, [&] {
        const auto mapped = frontend::MappedFile::open(file.string());
        const std::span<const std::byte> bytes = mapped.bytes();
        return codegen::sha256_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    });
}

bool knows_sha256(const fs::path& file, const fs::path& cache) {
    return remembered(cache, file, sha256_memo).has_value();
}

std::string plan_key(const std::string& model_sha256, const CompileSettings& settings) {
    const codegen::Target& target = target_of(settings);
    std::vector<std::string> disabled = settings.disabled_passes;
    std::sort(disabled.begin(), disabled.end());
    std::string bytes;
    add_part(bytes, "ingot plan key 1");
    add_part(bytes, model_sha256);
    add_part(bytes, target.row);
    add_part(bytes, std::to_string(settings.context));
    add_part(bytes, settings.f32() ? "f32" : "default");
    add_part(bytes, settings.external_weights() ? "external" : "embedded");
    add_part(bytes, std::to_string(disabled.size()));
    for (const std::string& name : disabled)
        add_part(bytes, name);
    add_part(bytes, compiler_build_id(target, compiler_of(settings), cache_directory(settings)));
    add_part(bytes, program_build_id());
    add_part(bytes, std::to_string(ingot_host::abi_version));
    return codegen::sha256_hex(bytes);
}

fs::path cached_plan(const fs::path& model, const CompileSettings& settings) {
    const fs::path cache = cache_directory(settings);
    return cache / "plans" / fmt::format("{}{}", plan_key(file_sha256(model, cache), settings), suffix);
}

std::vector<CachedPlan> list_plans(const fs::path& cache) {
    std::vector<CachedPlan> plans;
    each_file(cache / "plans", [&](const fs::path& path, uint64_t bytes) {
        if (path.extension() == suffix) plans.push_back({.path = path, .bytes = bytes});
    });
    std::sort(plans.begin(), plans.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    return plans;
}

uint64_t clear_plans(const fs::path& cache) {
    uint64_t before = 0, after = 0;
    for (const char* part : {"plans", "memo"}) {
        each_file(cache / part, [&](const fs::path&, uint64_t bytes) { before += bytes; });
        std::error_code ignored;
        fs::remove_all(cache / part, ignored);
        each_file(cache / part, [&](const fs::path&, uint64_t bytes) { after += bytes; });
    }
    return before - std::min(before, after);
}

} // namespace ingot::tools
