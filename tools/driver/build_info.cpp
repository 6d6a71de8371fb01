#include "tools/driver/build_info.h"

#include "codegen/choose_compiler.h"
#include "codegen/loaded_objects.h"
#include "codegen/worker_pool.h"
#include "ir/error.h"
#include "tools/driver/failure.h"
#include "tools/driver/file_memo.h"

namespace ingot::tools {

std::string version() {
    return INGOT_VERSION;
}

std::string program_build_id() {
    const std::string ids = codegen::loaded_build_ids([](std::string_view name) { return name.empty(); });
    return ids.substr(std::min<size_t>(1, ids.size()));
}

// What can't be used for want of a compiler is no fault of the input.
template <class Ask>
static std::string failing(Ask ask) {
    try {
        return ask();
    } catch (const ir::Error& e) {
        throw Failure(ExitCode::failed, e.where(), e.message());
    }
}

std::string compiler_build_id(codegen::Compiler compiler, const std::filesystem::path& cache) {
    const codegen::WorkerOptions options{.compiler = compiler};
    const auto ask = [&] { return codegen::WorkerPool(options).compiler(); };
    // The others are libraries that the worker's file says nothing of.
    if (compiler != codegen::Compiler::llvm) return failing(ask);
    return failing(
        [&] { return memoised(cache, codegen::find_worker(options).path, "compiler build id", ask); });
}

std::string compiler_build_id(const codegen::Target& target, std::optional<codegen::Compiler> wanted,
                              const std::filesystem::path& cache) {
    if (!target.is_gpu()) return compiler_build_id(codegen::Compiler::llvm, cache);
    return failing([&] {
        const codegen::KernelCache kernels(cache);
        return codegen::start_workers(target, wanted, &kernels, {})->compiler();
    });
}

} // namespace ingot::tools
