// Which of a target's compilers is used on this machine.
#pragma once

#include <memory>
#include <optional>

#include "codegen/kernel_cache.h"
#include "codegen/targets.h"
#include "codegen/worker_pool.h"

namespace ingot::codegen {

// Workers of the first compiler of the target's row that is installed and knows the target, or of the wanted
// one. A run-time compiler is tried on an empty kernel first, in a process that may die of it: hipRTC 5.2.3
// corrupts its heap when it doesn't know the target. The cache remembers what came of that. Throws ir::Error
// saying of each compiler why it can't be used. `options.compiler` is not looked at.
std::unique_ptr<WorkerPool> start_workers(const Target& target, std::optional<Compiler> wanted,
                                          const KernelCache* cache, const WorkerOptions& options);

} // namespace ingot::codegen
