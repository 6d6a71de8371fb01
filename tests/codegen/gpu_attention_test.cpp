// Attention kernels of GPUs by every compiler that is installed, with no GPU: they keep to registers, and
// their loops hold what an expert would write.
#include <iterator>
#include <regex>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "codegen/disassemble.h"
#include "codegen/occupancy.h"
#include "gpu_compilers.h"
#include "ir/error.h"
#include "kernel_bodies.h"

namespace ingot::codegen::test {
namespace {

using namespace ir;

struct AttentionCase {
    int64_t heads, kv_heads, head_dim;
    Element cache = Element::f16;
    bool quantized = true;
    Rows rows = Rows::one;

    std::string name() const {
        return fmt::format("{} heads of {} over {}, cache {}{}, {}", heads, head_dim, kv_heads,
                           cache == Element::f16 ? "f16" : "f32", quantized ? ", quantised" : "",
                           rows == Rows::one ? "one token" : "many tokens");
    }
    // With pages as a plan has them.
    Graph body() const {
        Body b(rows);
        const auto pages = [&](Layout layout) {
            return b.param({.element = cache,
                            .dims = {6, kv_heads, 64, head_dim},
                            .layout = layout,
                            .pool = Pool::state});
        };
        const ValueId q = b.activations(heads * head_dim), k = pages(Layout::kv_octets),
                      v = pages(Layout::rows), positions = b.ids(), seqs = b.ids(), table = b.page_table();
        ValueId a = b.add(Op::attention, {q, k, v, positions, seqs, table}, {{"scale", 0.1}});
        if (quantized) a = b.add(Op::quantize, {a});
        b.result(a);
        return b.finish();
    }
};

class GpuAttention : public GpuCompilers {
  protected:
    // In the order of the cases.
    std::vector<CompiledKernel> compile_cases(const std::vector<AttentionCase>& cases) const {
        std::vector<Graph> bodies;
        for (const AttentionCase& c : cases)
            bodies.push_back(c.body());
        std::vector<KernelSpec> specs;
        for (size_t i = 0; i < cases.size(); ++i)
            specs.push_back({.name = cases[i].name(), .body = &bodies[i]});
        CompilerOptions options = compiler_options();
        options.compiler = GetParam().compiler;
        const CompiledKernels compiled = KernelCompiler(target, options).compile(specs);
        std::vector<CompiledKernel> kernels;
        for (const size_t k : compiled.kernel_of)
            kernels.push_back(compiled.kernels[k]);
        return kernels;
    }
};

TEST_P(GpuAttention, KeepsToRegisters) {
    std::vector<AttentionCase> cases;
    for (const int64_t dim : {64, 80, 128, 256}) {
        for (const Rows rows : {Rows::one, Rows::many})
            cases.push_back({.heads = 32, .kv_heads = 8, .head_dim = dim, .rows = rows});
        cases.push_back({.heads = 32, .kv_heads = 8, .head_dim = dim, .quantized = false});
        cases.push_back(
            {.heads = 8, .kv_heads = 2, .head_dim = dim, .cache = Element::f32, .quantized = false});
        for (const int64_t group : {1, 8})
            cases.push_back({.heads = 2 * group, .kv_heads = 2, .head_dim = dim});
    }
    const std::vector<CompiledKernel> kernels = compile_cases(cases);
    for (size_t i = 0; i < cases.size(); ++i) {
        const KernelResources& r = kernels[i].resources;
        EXPECT_EQ(r.scratch, 0u) << cases[i].name();
        EXPECT_EQ(r.spills, 0u) << cases[i].name();
    }
}

// What decides how many waves there are to wait for memory.
TEST_P(GpuAttention, LeavesRoomForFourWavesAndMore) {
    if (target.machine != Machine::amdgcn) GTEST_SKIP() << "is a matter of AMD's targets alone";
    std::vector<AttentionCase> cases;
    for (const int64_t dim : {64, 80, 128})
        for (const Rows rows : {Rows::one, Rows::many})
            cases.push_back({.heads = 32, .kv_heads = 8, .head_dim = dim, .rows = rows});
    const std::vector<CompiledKernel> kernels = compile_cases(cases);
    for (size_t i = 0; i < cases.size(); ++i) {
        const GpuFacts& gpu = *target.gpu;
        const Occupancy o = occupancy(target, kernels[i].resources, 128, 0);
        EXPECT_GE(o.waves, gpu.simds * (gpu.wave == 64 ? 4 : 8)) << cases[i].name();
    }
}

TEST_P(GpuAttention, MultipliesPairsAndLoadsSixteenBytes) {
    if (target.machine != Machine::amdgcn) GTEST_SKIP() << "is a matter of AMD's targets alone";
    const std::vector<CompiledKernel> kernels =
        compile_cases({{.heads = 32, .kv_heads = 8, .head_dim = 128}});
    const NamedObject object{.kernel = kernels[0].name, .object = kernels[0].object};
    WorkerOptions llvm = compiler_options().worker;
    llvm.compiler = Compiler::llvm;
    try {
        find_worker(llvm);
    } catch (const ir::Error& e) {
        GTEST_SKIP() << "code objects are read by LLVM: " << e.what();
    }
    const std::string code = disassemble({&object, 1}, llvm).front();
    const auto count = [&](const char* instruction) {
        const std::regex pattern(instruction);
        return std::distance(std::sregex_iterator(code.begin(), code.end(), pattern), std::sregex_iterator());
    };
    // Of 32 positions: sixteen octets of keys and as many of values; before the loop some of the first's.
    EXPECT_GE(count("global_load_(b128|dwordx4) "), 32 + 8);
    EXPECT_LE(count("global_load_(b128|dwordx4) "), 32 + 16);
    // 128 channels in pairs, four heads; the same again of values. Some instructions hold two.
    EXPECT_EQ(count("dot2"), 2 * 64 * 4);
    EXPECT_THAT(code, testing::Not(testing::HasSubstr("flat_load")));
    for (const char* const spilling : {"v_writelane", "scratch_", "buffer_store"})
        EXPECT_THAT(code, testing::Not(testing::HasSubstr(spilling)));
    EXPECT_THAT(code, testing::Not(testing::HasSubstr("ds_bpermute"))) << "lanes meet by DPP";
}

INSTANTIATE_TEST_SUITE_P(All, GpuAttention, testing::ValuesIn(gpu_cases()), case_name);

} // namespace
} // namespace ingot::codegen::test
