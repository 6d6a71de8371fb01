// Kernel specs → code objects, through the cache and the worker pool.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codegen/kernel_cache.h"
#include "codegen/kernel_source.h"
#include "codegen/resources.h"
#include "codegen/targets.h"
#include "codegen/worker_pool.h"
#include "ir/graph.h"

namespace ingot::codegen {

// What is to be compiled: the body of a fused node, for the compiler's target.
struct KernelSpec {
    std::string name; // of the node, for people and errors
    const ir::Graph* body = nullptr;
};

// Or a source that no graph stands behind.
struct NamedSource {
    std::string name;
    KernelSource source;
};

struct CompiledKernel {
    std::string name; // of the first node that wanted it
    std::string key;
    std::string symbol;
    std::string object;
    size_t source_bytes = 0;   // with headers
    KernelResources resources; // of a GPU's
    bool from_cache = false;
};

struct CompiledKernels {
    std::vector<CompiledKernel> kernels; // each once
    std::vector<size_t> kernel_of;       // by spec: index into kernels
    std::vector<KernelSource> source_of; // by spec
    std::string compiler;                // build id
    double seconds = 0;
};

struct CompilerOptions {
    std::optional<std::filesystem::path> cache; // empty: compile everything, keep nothing
    std::optional<Compiler> compiler;           // empty: the first of the target's row that can be used
    WorkerOptions worker;
};

class KernelCompiler {
  public:
    // Starts a worker; throws ir::Error where no compiler can be used (choose_compiler.h).
    KernelCompiler(const Target& target, CompilerOptions options);

    const Target& target() const { return target_; }
    const std::string& compiler() const { return pool_->compiler(); }

    // The request a spec makes: what `--emit source` shows.
    CompileRequest request(const KernelSpec& spec) const;
    // Assembly (of NVRTC: PTX) or LLVM code as text, for `--emit asm`. Throws ir::Error where the compiler
    // has no such thing.
    std::string listing(const KernelSpec& spec, Emit emit);

    // Compiles what the cache does not have. `progress(done, total)` counts kernels; it may be called from
    // other threads, one call at a time. Throws ir::Error naming the kernel for a body that has no kernel, or
    // a failed compilation.
    CompiledKernels compile(std::span<const KernelSpec> specs,
                            const std::function<void(size_t done, size_t total)>& progress = {});
    CompiledKernels compile_sources(std::span<const NamedSource> sources,
                                    const std::function<void(size_t done, size_t total)>& progress = {});

  private:
    Target target_;
    std::optional<KernelCache> cache_;
    WorkerOptions worker_;
    std::unique_ptr<WorkerPool> pool_;
};

} // namespace ingot::codegen
