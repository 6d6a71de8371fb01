// What a worker program does; worker_process.h is the other end.
#pragma once

#include <functional>

#include "codegen/worker_protocol.h"

namespace ingot::codegen {

// The connection to whoever started this process: standard input and output.
class WorkerService {
  public:
    // From here on everything that this process prints goes to standard error: it must not end up between
    // the messages.
    WorkerService();

    // Greets, then answers requests until the input ends. Returns the exit status of the process: 1 where the
    // other end doesn't speak the protocol or is gone.
    int run(const WorkerHello& hello,
            const std::function<CompileReply(const CompileRequest&)>& compile) const;

  private:
    int replies_ = -1;
};

} // namespace ingot::codegen
