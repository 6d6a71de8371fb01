// What code objects say of their kernels, and the occupancy that follows, judged by what the compilers print.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <regex>
#include <unistd.h>

#include <fmt/format.h>

#include "codegen/occupancy.h"
#include "codegen/resources.h"
#include "gpu_compilers.h"
#include "ir/error.h"
#include "kernel_bodies.h"

namespace ingot::codegen::test {
namespace {

// 4 KiB of group memory, four arguments of 28 bytes.
constexpr const char* reversing_kernel = R"(
KERNEL void THREADS(256) ingot_kernel(const float* a, const float* b, float* out, int n) {
    SHARED float kept[1024];
    for (int i = int(LANE); i < 1024; i += 256) kept[i] = a[i] + b[i];
#ifdef INGOT_AMDGCN
    __builtin_amdgcn_fence(__ATOMIC_SEQ_CST, "workgroup");
    __builtin_amdgcn_s_barrier();
#else
    __syncthreads();
#endif
    for (int i = int(LANE); i < 1024; i += 256) out[i] = kept[(1023 - i) ^ n];
}
)";

// An array that no register can hold, because what is written and read of it is known only when it runs.
constexpr const char* scratch_kernel = R"(
KERNEL void THREADS(64) ingot_kernel(const int* where, int* out) {
    int kept[64] = {};
    for (int i = 0; i < 64; ++i) kept[where[i] & 63] += i;
    out[LANE] = kept[where[LANE] & 63];
}
)";

class KernelsResources : public GpuCompilers {};

TEST_P(KernelsResources, AreThoseOfTheSource) {
    const KernelResources r = read_resources(target, compile(reversing_kernel), "ingot_kernel");
    EXPECT_EQ(r.group_memory, 4096u);
    EXPECT_EQ(r.group_threads, 256u);
    EXPECT_EQ(r.scratch, 0u);
    EXPECT_EQ(r.spills, 0u);
    EXPECT_GE(r.argument_bytes, 28u);
    EXPECT_GT(r.registers, 2u);
    EXPECT_LE(r.registers, 64u);
    EXPECT_EQ(r.scalar_registers > 0, target.machine == Machine::amdgcn);
}

TEST_P(KernelsResources, ShowScratch) {
    const KernelResources r = read_resources(target, compile(scratch_kernel), "ingot_kernel");
    EXPECT_GE(r.scratch, 256u);
    EXPECT_LE(r.scratch, 512u);
    EXPECT_EQ(r.group_memory, 0u);
}

TEST_P(KernelsResources, AreAnErrorForDamagedObjects) {
    const std::string object = compile(reversing_kernel);
    const KernelResources whole = read_resources(target, object, "ingot_kernel");
    EXPECT_THROW(read_resources(target, object, "another"), ir::Error);
    EXPECT_THROW(read_resources(target_from_name("x86-64-v3"), object, "ingot_kernel"), ir::Error);
    const auto survives = [&](const std::string& bytes) {
        try {
            read_resources(target, bytes, "ingot_kernel");
        } catch (const ir::Error&) { // NOLINT(bugprone-empty-catch): an error is right, too
        }
    };
    for (size_t n = 0; n < object.size(); n += 7)
        survives(object.substr(0, n));
    std::mt19937 random(1);
    for (int round = 0; round < 3000; ++round) {
        std::string changed = object;
        for (int i = 0; i < 4; ++i)
            changed[random() % changed.size()] = static_cast<char>(random());
        survives(changed);
    }
    EXPECT_EQ(read_resources(target, object, "ingot_kernel"), whole);
}

INSTANTIATE_TEST_SUITE_P(All, KernelsResources, testing::ValuesIn(gpu_cases()), case_name);

// The number behind `label` in a listing.
uint32_t printed(const std::string& listing, const std::string& label) {
    std::smatch found;
    const bool there = std::regex_search(listing, found, std::regex(label + R"( *:? *(\d+))"));
    EXPECT_TRUE(there) << label;
    return there ? static_cast<uint32_t>(std::stoul(found[1])) : 0;
}

// Clang prints beside its assembly what it thinks of a kernel.
class ClangsOccupancy : public GpuCompilers {};

TEST_P(ClangsOccupancy, IsOurs) {
    const GpuFacts& gpu = *target.gpu;
    const auto check = [&](uint32_t threads, uint32_t registers, uint32_t memory) {
        // A register that is named is taken, and all below it.
        const std::string source = fmt::format(
            "KERNEL void THREADS({}) ingot_kernel(int* out) {{\n"
            "    asm volatile(\"\" ::: \"v{}\");\n"
            "    {}out[LANE] = 1;\n"
            "}}\n",
            threads, registers - 1,
            memory == 0 ? "" : fmt::format("SHARED volatile int kept[{}]; kept[out[0]] = 1; ", memory / 4));
        const std::string listing = compile(source, Emit::assembly);
        const KernelResources r = read_resources(target, compile(source), "ingot_kernel");
        EXPECT_GE(r.registers, registers);
        EXPECT_EQ(r.registers, printed(listing, gpu.wave == 64 ? "; TotalNumVgprs" : "; NumVgprs")) << source;
        EXPECT_EQ(r.group_memory, printed(listing, "; LDSByteSize")) << source;
        EXPECT_EQ(r.scratch, printed(listing, "; ScratchSize")) << source;
        const Occupancy o = occupancy(target, r, threads, 0);
        const uint32_t ours = (o.waves + gpu.simds - 1) / gpu.simds, clangs = printed(listing, "; Occupancy");
        // Clang counts single waves, where registers are the limit, and we count whole groups.
        if (o.limit == OccupancyLimit::registers && threads > gpu.simds * gpu.wave)
            EXPECT_LE(ours, clangs) << source;
        else
            EXPECT_EQ(ours, clangs) << source << o.groups << " groups, " << o.waves << " waves";
    };
    for (const uint32_t threads : {32u, 64u, 256u, 1024u}) {
        for (const uint32_t registers : {1u, 24u, 25u, 64u, 90u, 128u})
            check(threads, registers, 0);
        for (const uint32_t memory : {4000u, 16384u, gpu.group_memory / 8 * 5, gpu.group_memory})
            check(threads, 1, memory);
    }
}

// What only arithmetic says.
TEST(Occupancy, FollowsFromTheRow) {
    const Target& gfx1100 = target_from_name("gfx1100");
    const KernelResources small{.registers = 40, .group_threads = 256};
    // 1536 registers hold 32 waves of 48, but a SIMD takes 16; 64 waves are 8 groups of 8.
    EXPECT_EQ(occupancy(gfx1100, small, 256, 0).groups, 8u);
    EXPECT_EQ(occupancy(gfx1100, small, 256, 0).share(), 1.0);
    // 1536 / 120 = 12 waves on each of 4 SIMDs: 6 groups of 8.
    const KernelResources large{.registers = 100, .group_threads = 256};
    EXPECT_EQ(occupancy(gfx1100, large, 256, 0).groups, 6u);
    EXPECT_EQ(occupancy(gfx1100, large, 256, 0).limit, OccupancyLimit::registers);
    EXPECT_EQ(occupancy(gfx1100, large, 256, 60000).groups, 2u);
    EXPECT_EQ(occupancy(gfx1100, large, 256, 60000).limit, OccupancyLimit::group_memory);
    // What can't be launched.
    EXPECT_EQ(occupancy(gfx1100, large, 257, 0).groups, 0u);
    EXPECT_EQ(occupancy(gfx1100, large, 0, 0).groups, 0u);
    EXPECT_EQ(occupancy(gfx1100, large, 256, 65537).groups, 0u);
    EXPECT_EQ(occupancy(gfx1100, large, 256, 0xffffffff).groups, 0u);
    // CUDA's occupancy calculator for 9.0: 168 registers leave 3 groups of 128; one group of 200 KiB; 32
    // groups of one warp.
    const Target& hopper = target_from_name("sm_90");
    EXPECT_EQ(occupancy(hopper, {.registers = 168, .group_threads = 1024}, 128, 0).groups, 3u);
    EXPECT_EQ(occupancy(hopper, {.registers = 32, .group_threads = 1024}, 256, 200 << 10).groups, 1u);
    EXPECT_EQ(occupancy(hopper, {.registers = 32, .group_threads = 1024}, 256, 232448).groups, 1u);
    EXPECT_EQ(occupancy(hopper, {.registers = 32, .group_threads = 1024}, 256, 232449).groups, 0u);
    EXPECT_EQ(occupancy(hopper, {.registers = 16, .group_threads = 1024}, 32, 0).groups, 32u);
    EXPECT_EQ(occupancy(hopper, {.registers = 16, .group_threads = 1024}, 32, 0).limit,
              OccupancyLimit::groups);
}

// ptxas, where CUDA has it, says what it made of the same PTX.
TEST(Resources, AgreeWithPtxas) {
    const char* const ptxas = "/usr/local/cuda/bin/ptxas";
    if (access(ptxas, X_OK) != 0) GTEST_SKIP() << "there is no " << ptxas << " (CUDA's package cuda-nvcc)";
    const GpuCase c{.target = &target_from_name("sm_90"), .compiler = Compiler::nvrtc};
    std::unique_ptr<WorkerPool> pool;
    try {
        pool = start_workers(*c.target, c.compiler, nullptr, compiler_options().worker);
    } catch (const ir::Error& e) {
        GTEST_SKIP() << e.what();
    }
    std::string pattern = testing::TempDir() + "/ingot-ptx-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    const std::filesystem::path folder = pattern;
    for (const char* const source : {reversing_kernel, scratch_kernel}) {
        const std::vector<CompileRequest> requests{gpu_request(c, source),
                                                   gpu_request(c, source, Emit::assembly)};
        const std::vector<std::string> outputs = pool->compile(requests);
        const KernelResources r = read_resources(*c.target, outputs[0], "ingot_kernel");
        std::ofstream(folder / "k.ptx") << outputs[1];
        const std::string command = fmt::format("{} -v -arch=sm_90a {}/k.ptx -o {}/k.cubin 2>{}/log", ptxas,
                                                pattern, pattern, pattern);
        ASSERT_EQ(std::system(command.c_str()), 0) << outputs[1];
        std::ifstream in(folder / "log");
        const std::string log((std::istreambuf_iterator<char>(in)), {});
        EXPECT_NE(log.find(fmt::format("Used {} registers", r.registers)), std::string::npos) << log;
        EXPECT_NE(log.find(fmt::format(" {} bytes stack frame", r.scratch)), std::string::npos) << log;
        EXPECT_EQ(log.find(fmt::format(" {} bytes smem", r.group_memory)) != std::string::npos,
                  r.group_memory > 0)
            << log;
    }
    std::filesystem::remove_all(folder);
}

std::vector<GpuCase> by_clang() {
    std::vector<GpuCase> cases;
    for (const GpuCase& c : gpu_cases())
        if (c.compiler == Compiler::llvm) cases.push_back(c);
    return cases;
}

INSTANTIATE_TEST_SUITE_P(All, ClangsOccupancy, testing::ValuesIn(by_clang()), case_name);

} // namespace
} // namespace ingot::codegen::test
