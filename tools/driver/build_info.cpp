#include "tools/driver/build_info.h"

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

std::string compiler_build_id(const std::filesystem::path& cache) {
    const codegen::WorkerOptions options;
    try {
        return memoised(cache, codegen::find_worker(options), "compiler build id",
                        [&] { return codegen::WorkerPool(options).compiler(); });
    } catch (const ir::Error& e) {
        throw Failure(ExitCode::failed, e.where(), e.message());
    }
}

} // namespace ingot::tools
