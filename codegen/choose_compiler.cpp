#include "codegen/choose_compiler.h"

#include <algorithm>

#include <fmt/format.h>

#include "codegen/code_object.h"
#include "codegen/compiler_flags.h"
#include "codegen/kernel_key.h"
#include "ir/error.h"

namespace ingot::codegen {

namespace {

// Needs no header in either dialect.
constexpr const char* empty_kernel = "extern \"C\" __attribute__((global)) void ingot_kernel() {}\n";

bool knows(WorkerPool& pool, const Target& target, const KernelCache* cache) {
    const CompileRequest request{.name = "empty",
                                 .target = std::string(target.name),
                                 .source = empty_kernel,
                                 .headers = {},
                                 .flags = compiler_flags(target, pool.kind())};
    const std::string key = kernel_key(request, target, pool.compiler());
    if (cache != nullptr)
        if (const auto object = cache->load(key)) return is_object_for(target, *object);
    const std::string object = pool.try_compile(request).value_or("none");
    if (cache != nullptr) cache->store(key, object);
    return is_object_for(target, object);
}

} // namespace

std::unique_ptr<WorkerPool> start_workers(const Target& target, std::optional<Compiler> wanted,
                                          const KernelCache* cache, const WorkerOptions& options) {
    const std::string where = fmt::format("target {}", target.name);
    std::vector<Compiler> compilers = compilers_of(target);
    if (wanted) {
        if (std::find(compilers.begin(), compilers.end(), *wanted) == compilers.end())
            throw ir::Error(where, fmt::format("{} does not compile for it (but: {})", compiler_name(*wanted),
                                               target.compilers));
        compilers = {*wanted};
    }
    std::string problems;
    for (const Compiler compiler : compilers) {
        WorkerOptions chosen = options;
        chosen.compiler = compiler;
        std::string problem;
        try {
            auto pool = std::make_unique<WorkerPool>(chosen);
            // LLVM is the one that it was built with, so it knows every target.
            if (compiler == Compiler::llvm || knows(*pool, target, cache)) return pool;
            problem = fmt::format("{} does not know the target", pool->compiler());
        } catch (const ir::Error& e) {
            problem = e.what();
        }
        problems += fmt::format("{}{}: {}", problems.empty() ? "" : "; ", compiler_name(compiler), problem);
    }
    throw ir::Error(where, fmt::format("no compiler for it can be used. {}", problems));
}

} // namespace ingot::codegen
