#include "codegen/worker_service.h"

#include <unistd.h>

namespace ingot::codegen {

WorkerService::WorkerService() : replies_(dup(STDOUT_FILENO)) {
    if (dup2(STDERR_FILENO, STDOUT_FILENO) < 0) replies_ = -1;
}

int WorkerService::run(const WorkerHello& hello,
                       const std::function<CompileReply(const CompileRequest&)>& compile) const {
    if (replies_ < 0 || !write_message(replies_, encode(hello))) return 1;
    while (const auto message = read_message(STDIN_FILENO)) {
        const auto request = decode_request(*message);
        if (!request || !write_message(replies_, encode(compile(*request)))) return 1;
    }
    return 0;
}

} // namespace ingot::codegen
