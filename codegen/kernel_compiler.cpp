#include "codegen/kernel_compiler.h"

#include <algorithm>
#include <chrono>
#include <numeric>

#include "codegen/choose_compiler.h"
#include "codegen/compiler_flags.h"
#include "codegen/disassemble.h"
#include "codegen/kernel_key.h"
#include "codegen/templates.h"

namespace ingot::codegen {

namespace {

size_t bytes_of(const CompileRequest& request) {
    size_t bytes = request.source.size();
    for (const SourceFile& header : request.headers)
        bytes += header.text.size();
    return bytes;
}

CompileRequest request_for(const Target& target, Compiler compiler, const std::string& name,
                           const KernelSource& source) {
    return {.name = name,
            .target = std::string(target.name),
            .source = source.text,
            .headers = headers_of(source.text),
            .flags = compiler_flags(target, compiler),
            .emit = Emit::object};
}

} // namespace

KernelCompiler::KernelCompiler(const Target& target, CompilerOptions options) : target_(target) {
    if (options.cache) cache_.emplace(*options.cache);
    if (cache_ && options.worker.failures.empty()) options.worker.failures = cache_->failures();
    worker_ = options.worker;
    pool_ = start_workers(target, options.compiler, cache_ ? &*cache_ : nullptr, options.worker);
}

CompileRequest KernelCompiler::request(const KernelSpec& spec) const {
    return request_for(target_, pool_->kind(), spec.name, kernel_source(target_, *spec.body, spec.name));
}

std::string KernelCompiler::listing(const KernelSpec& spec, Emit emit) {
    CompileRequest wanted = request(spec);
    // hipRTC gives the object alone.
    const bool read_back = emit == Emit::assembly && pool_->kind() == Compiler::hiprtc;
    if (!read_back) wanted.emit = emit;
    std::string output = pool_->compile({&wanted, 1}).front();
    if (!read_back) return output;
    const NamedObject object{.kernel = spec.name, .object = std::move(output)};
    return disassemble({&object, 1}, worker_).front();
}

CompiledKernels KernelCompiler::compile(std::span<const KernelSpec> specs,
                                        const std::function<void(size_t, size_t)>& progress) {
    std::vector<NamedSource> sources;
    for (const KernelSpec& spec : specs)
        sources.push_back({.name = spec.name, .source = kernel_source(target_, *spec.body, spec.name)});
    return compile_sources(sources, progress);
}

CompiledKernels KernelCompiler::compile_sources(std::span<const NamedSource> sources,
                                                const std::function<void(size_t, size_t)>& progress) {
    const auto start = std::chrono::steady_clock::now();
    CompiledKernels out;
    out.compiler = compiler();
    std::map<std::string, size_t> by_source; // layers that compute the same have the same source
    std::vector<CompileRequest> missing;
    std::vector<size_t> missing_at;
    for (const auto& [name, source] : sources) {
        out.source_of.push_back(source);
        const auto [at, is_new] = by_source.try_emplace(source.text, out.kernels.size());
        out.kernel_of.push_back(at->second);
        if (!is_new) continue;
        CompileRequest wanted = request_for(target_, pool_->kind(), name, source);
        CompiledKernel kernel{.name = name,
                              .key = kernel_key(wanted, target_, out.compiler),
                              .symbol = std::string(kernel_symbol),
                              .object = {},
                              .source_bytes = bytes_of(wanted)};
        if (auto object = cache_ ? cache_->load(kernel.key) : std::nullopt) {
            kernel.object = std::move(*object);
            kernel.from_cache = true;
        } else {
            missing.push_back(std::move(wanted));
            missing_at.push_back(out.kernels.size());
        }
        out.kernels.push_back(std::move(kernel));
    }
    // The longest sources take the longest; started last, one of them would leave the other cores idle.
    std::vector<size_t> order(missing.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return missing[a].source.size() > missing[b].source.size(); });
    std::vector<CompileRequest> ordered;
    for (const size_t i : order)
        ordered.push_back(std::move(missing[i]));
    const size_t cached = out.kernels.size() - ordered.size();
    if (progress) progress(cached, out.kernels.size());
    std::vector<std::string> objects = pool_->compile(ordered, [&](size_t done) {
        if (progress) progress(cached + done, out.kernels.size());
    });
    for (size_t i = 0; i < objects.size(); ++i) {
        CompiledKernel& kernel = out.kernels[missing_at[order[i]]];
        kernel.object = std::move(objects[i]);
        // A cache that can't be written costs time the next time, nothing else.
        if (cache_) cache_->store(kernel.key, kernel.object);
    }
    if (target_.is_gpu())
        for (CompiledKernel& kernel : out.kernels)
            kernel.resources = read_resources(target_, kernel.object, kernel.symbol);
    out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return out;
}

} // namespace ingot::codegen
