#include "codegen/verify_kernels.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "codegen/host_runner.h"
#include "codegen/random_inputs.h"
#include "ir/evaluate.h"
#include "ir/print.h"

namespace ingot::codegen {

using namespace ir;

namespace {

// A kernel that does nothing but quantise values of this shape: how q8a inputs are made.
Graph quantizer(const Graph& like, const Type& type) {
    Graph g;
    g.name = "quantize";
    g.phase = like.phase;
    g.symbols = like.symbols;
    Type plain = type;
    plain.element = Element::f32;
    Type quantized = type;
    quantized.pool = Pool::transient;
    const ValueId x = g.add_param("0", plain);
    const NodeId n = g.add_node(Op::quantize, {x}, {quantized});
    g.results.push_back(g.nodes[n].results[0]);
    return g;
}

// The body as the only node of a graph, which is what the evaluator takes.
Graph around(const Graph& body) {
    Graph g;
    g.name = body.name;
    g.phase = Phase::packed;
    g.symbols = body.symbols;
    Graph inner = body;
    inner.phase = g.phase;
    std::vector<ValueId> operands;
    std::vector<Type> results;
    for (const ValueId v : inner.params) {
        // A caller's values are io; what was transient came from a kernel before.
        if (inner.values[v].type.pool == Pool::transient) inner.values[v].type.pool = Pool::io;
        operands.push_back(g.add_param(inner.values[v].name, inner.type(v)));
    }
    for (const ValueId v : inner.results)
        results.push_back(inner.type(v));
    const NodeId n = g.add_node(Op::fused, operands, results, {}, body.name, std::move(inner));
    g.results = g.nodes[n].results;
    return g;
}

double difference(const Tensor& out, const Tensor& reference) {
    if (out.element == Element::i32) {
        const size_t count = out.data.size() / 4;
        size_t wrong = 0;
        for (size_t i = 0; i < count; ++i)
            if (std::memcmp(&out.data[4 * i], &reference.data[4 * i], 4) != 0) ++wrong;
        return static_cast<double>(wrong) / static_cast<double>(std::max<size_t>(1, count));
    }
    const std::vector<float> a = out.to_floats(), b = reference.to_floats();
    double error = 0, size = 0;
    for (size_t i = 0; i < a.size(); ++i) {
        const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
        error += d * d;
        size += static_cast<double>(b[i]) * static_cast<double>(b[i]);
    }
    if (error == 0) return 0;
    const double nmse = error / size;
    return std::isfinite(nmse) ? nmse : std::numeric_limits<double>::infinity();
}

// What result `r` should be. The choice of a largest value is judged by the values that the kernel itself
// computed: of two that differ by less than rounding, either may be the larger.
Tensor expectation(const Graph& body, size_t r, const std::vector<Tensor>& out,
                   const std::vector<Tensor>& reference) {
    const Node* n = body.producer(body.results[r]);
    if (n == nullptr || n->op != Op::argmax) return reference[r];
    const auto values = std::find(body.results.begin(), body.results.end(), n->operands[0]);
    if (values == body.results.end()) return reference[r];
    const Tensor& logits = out[static_cast<size_t>(values - body.results.begin())];
    const std::vector<float> all = logits.to_floats();
    const auto columns = static_cast<size_t>(logits.dims.back());
    std::vector<int32_t> ids;
    for (size_t at = 0; at < all.size(); at += columns) {
        const auto row = std::span(all).subspan(at, columns);
        const bool nan = std::any_of(row.begin(), row.end(), [](float v) { return std::isnan(v); });
        ids.push_back(nan ? -1
                          : static_cast<int32_t>(std::max_element(row.begin(), row.end()) - row.begin()));
    }
    return Tensor::from_ints(reference[r].dims, ids);
}

bool works_quantized(const Graph& body) {
    const auto is_q8a = [](const Value& v) { return v.type.element == Element::q8a; };
    return std::any_of(body.values.begin(), body.values.end(), is_q8a);
}

constexpr size_t npos = std::numeric_limits<size_t>::max();

} // namespace

std::vector<KernelCheck> verify_kernels(KernelCompiler& compiler, std::span<const KernelSpec> specs,
                                        const VerifyOptions& options,
                                        const std::function<void(const KernelCheck&)>& report) {
    std::vector<KernelSpec> all(specs.begin(), specs.end());
    std::vector<std::unique_ptr<Graph>> extra;
    std::vector<std::vector<size_t>> quantizers(specs.size());
    for (size_t i = 0; i < specs.size(); ++i)
        for (const ValueId v : specs[i].body->params) {
            if (specs[i].body->type(v).element != Element::q8a) {
                quantizers[i].push_back(npos);
                continue;
            }
            quantizers[i].push_back(all.size());
            extra.push_back(std::make_unique<Graph>(quantizer(*specs[i].body, specs[i].body->type(v))));
            all.push_back({.name = "quantize", .body = extra.back().get()});
        }
    const CompiledKernels compiled = compiler.compile(all);
    const RunKernel run_kernel = options.run ? options.run : run_host_kernel;

    std::vector<KernelCheck> checks;
    std::vector<bool> seen(compiled.kernels.size(), false);
    std::mt19937_64 random(options.seed);
    for (size_t i = 0; i < specs.size(); ++i) {
        if (seen[compiled.kernel_of[i]]) continue;
        seen[compiled.kernel_of[i]] = true;
        const Graph& body = *specs[i].body;
        CompiledKernel kernel = compiled.kernels[compiled.kernel_of[i]];
        if (!options.objects.empty()) kernel.object = options.objects[i];
        std::vector<int64_t> done;
        for (const int64_t wanted : options.sizes) {
            KernelRun run{.inputs = {}, .symbols = {}, .threads = options.threads};
            int64_t size = body.symbols.empty() ? 1 : wanted;
            for (const Symbol& s : body.symbols)
                size = run.symbols[s.name] = std::clamp(wanted, s.min, s.max);
            if (std::find(done.begin(), done.end(), size) != done.end()) continue;
            done.push_back(size);
            run.inputs = random_inputs(body, run.symbols, random);
            EvalInputs reference{.params = {}, .weights = nullptr, .symbols = run.symbols};
            for (size_t p = 0; p < body.params.size(); ++p) {
                if (const size_t q = quantizers[i][p]; q != npos) {
                    const KernelRun plain{.inputs = {run.inputs[p]}, .symbols = run.symbols, .threads = 1};
                    run.inputs[p] = run_kernel(compiled.kernels[compiled.kernel_of[q]], compiled.source_of[q],
                                               *all[q].body, plain)[0];
                }
                reference.params[body.values[body.params[p]].name] = run.inputs[p];
            }
            const std::vector<Tensor> out = run_kernel(kernel, compiled.source_of[i], body, run);
            const std::vector<Tensor> expected = evaluate(around(body), reference);
            for (size_t r = 0; r < out.size(); ++r) {
                checks.push_back({.kernel = kernel.name,
                                  .key = kernel.key,
                                  .result = print(body.type(body.results[r]), body.symbols),
                                  .size = size,
                                  .nmse = difference(out[r], expectation(body, r, out, expected)),
                                  .quantized = works_quantized(body)});
                if (report) report(checks.back());
            }
        }
    }
    return checks;
}

} // namespace ingot::codegen
