// Code objects for GPUs by every compiler that is installed, with no GPU: the right machine, the right
// instructions.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include "codegen/code_object.h"
#include "gpu_compilers.h"
#include "ir/error.h"
#include "kernel_bodies.h"

namespace ingot::codegen::test {
namespace {

constexpr const char* dot_kernel = R"(
DEVICE int dot4(int a, int b, int c) {
#if defined(INGOT_DOT4_sudot4)
    return __builtin_amdgcn_sudot4(true, a, true, b, c, false);
#elif defined(INGOT_DOT4_sdot4)
    return __builtin_amdgcn_sdot4(a, b, c, false);
#else
    return __dp4a(a, b, c);
#endif
}
KERNEL void ingot_kernel(const int* a, const int* b, int* out) {
    out[LANE] = dot4(a[LANE], b[LANE], out[LANE]);
}
)";

// What one dot product of four bytes becomes.
const char* dot_instruction(const Target& target) {
    switch (target.gpu->dot4) {
    case Dot4::sudot4:
        return "v_dot4_i32_iu8";
    case Dot4::sdot4:
        return "v_dot4c_i32_i8"; // the short form, which adds to what its result held
    case Dot4::dp4a:
        break;
    }
    return "dp4a.s32.s32";
}

// Matrix instructions in the forms that a family adds to the one before, and how they are spelled.
struct MatrixExample {
    Matrix family;
    const char* source;
    std::vector<const char*> instructions;
};

const MatrixExample matrix_examples[] = {
    {.family = Matrix::wmma_gfx11,
     .source = R"(
typedef int Int4 __attribute__((ext_vector_type(4)));
typedef int Int8 __attribute__((ext_vector_type(8)));
typedef _Float16 Half16 __attribute__((ext_vector_type(16)));
typedef float Float8 __attribute__((ext_vector_type(8)));
KERNEL void THREADS(32) ingot_kernel(const Int4* a, Int8* c, const Half16* h, Float8* f) {
    c[LANE] = __builtin_amdgcn_wmma_i32_16x16x16_iu8_w32(true, a[LANE], true, a[LANE + 32], c[LANE], false);
    f[LANE] = __builtin_amdgcn_wmma_f32_16x16x16_f16_w32(h[LANE], h[LANE + 32], f[LANE]);
}
)",
     .instructions = {"v_wmma_i32_16x16x16_iu8", "v_wmma_f32_16x16x16_f16"}},
    {.family = Matrix::wmma_gfx12,
     .source = R"(
typedef int Int2 __attribute__((ext_vector_type(2)));
typedef int Int8 __attribute__((ext_vector_type(8)));
typedef _Float16 Half8 __attribute__((ext_vector_type(8)));
typedef float Float8 __attribute__((ext_vector_type(8)));
KERNEL void THREADS(32) ingot_kernel(const Int2* a, Int8* c, const Half8* h, Float8* f) {
    c[LANE] = __builtin_amdgcn_wmma_i32_16x16x16_iu8_w32_gfx12(true, a[LANE], true, a[LANE + 32], c[LANE], false);
    f[LANE] = __builtin_amdgcn_wmma_f32_16x16x16_f16_w32_gfx12(h[LANE], h[LANE + 32], f[LANE]);
}
)",
     .instructions = {"v_wmma_i32_16x16x16_iu8", "v_wmma_f32_16x16x16_f16"}},
    {.family = Matrix::mfma_gfx90a,
     .source = R"(
typedef int Int4 __attribute__((ext_vector_type(4)));
typedef _Float16 Half4 __attribute__((ext_vector_type(4)));
typedef float Float4 __attribute__((ext_vector_type(4)));
KERNEL void THREADS(64) ingot_kernel(const int* a, Int4* c, const Half4* h, Float4* f) {
    c[LANE] = __builtin_amdgcn_mfma_i32_16x16x16i8(a[LANE], a[LANE + 64], c[LANE], 0, 0, 0);
    f[LANE] = __builtin_amdgcn_mfma_f32_16x16x16f16(h[LANE], h[LANE + 64], f[LANE], 0, 0, 0);
}
)",
     .instructions = {"v_mfma_i32_16x16x16i8", "v_mfma_f32_16x16x16f16"}},
    {.family = Matrix::mfma_gfx942,
     .source = R"(
typedef int Int4 __attribute__((ext_vector_type(4)));
KERNEL void THREADS(64) ingot_kernel(const long* a, Int4* c) {
    c[LANE] = __builtin_amdgcn_mfma_i32_16x16x32_i8(a[LANE], a[LANE + 64], c[LANE], 0, 0, 0);
}
)",
     .instructions = {"v_mfma_i32_16x16x32_i8"}},
    {.family = Matrix::mfma_gfx950,
     .source = R"(
typedef int Int4 __attribute__((ext_vector_type(4)));
typedef _Float16 Half8 __attribute__((ext_vector_type(8)));
typedef float Float4 __attribute__((ext_vector_type(4)));
KERNEL void THREADS(64) ingot_kernel(const Int4* a, Int4* c, const Half8* h, Float4* f) {
    c[LANE] = __builtin_amdgcn_mfma_i32_16x16x64_i8(a[LANE], a[LANE + 64], c[LANE], 0, 0, 0);
    f[LANE] = __builtin_amdgcn_mfma_f32_16x16x32_f16(h[LANE], h[LANE + 64], f[LANE], 0, 0, 0);
}
)",
     .instructions = {"v_mfma_i32_16x16x64_i8", "v_mfma_f32_16x16x32_f16"}},
    // wgmma is in sm_90a only, so this holds the flag too.
    {.family = Matrix::wgmma_sm90,
     .source = R"(
KERNEL void THREADS(128) ingot_kernel(int* c, unsigned long long a, unsigned long long b) {
    int x = 0, y = 0, z = 0, w = 0;
    asm volatile("wgmma.fence.sync.aligned;");
    asm volatile("{.reg .pred p; setp.ne.b32 p, 1, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n8k32.s32.s8.s8 {%0, %1, %2, %3}, %4, %5, p;}"
                 : "+r"(x), "+r"(y), "+r"(z), "+r"(w) : "l"(a), "l"(b));
    asm volatile("wgmma.commit_group.sync.aligned;");
    asm volatile("wgmma.wait_group.sync.aligned 0;");
    c[LANE] = x + y + z + w;
}
)",
     .instructions = {"wgmma.mma_async.sync.aligned.m64n8k32.s32.s8.s8"}},
};

TEST_P(GpuCompilers, MakeAnObjectForTheirTarget) {
    const std::string object = compile(dot_kernel);
    for (const Target& other : all_targets())
        EXPECT_EQ(is_object_for(other, object), other.name == target.name) << other.name;
}

TEST_P(GpuCompilers, HaveTheDotProduct) {
    const std::string code = listing(dot_kernel);
    EXPECT_NE(code.find(dot_instruction(target)), std::string::npos) << code;
}

TEST_P(GpuCompilers, HaveTheMatrixInstructions) {
    if (target.gpu->matrix == Matrix::none) return; // this target
    bool tried = false;
    for (const MatrixExample& example : matrix_examples) {
        if (example.family != target.gpu->matrix) continue;
        tried = true;
        const std::string code = listing(example.source);
        for (const char* const instruction : example.instructions)
            EXPECT_NE(code.find(instruction), std::string::npos) << instruction << "\n" << code;
    }
    EXPECT_TRUE(tried);
}

// Equal sources give equal objects, or the cache would not be worth its name.
TEST_P(GpuCompilers, GiveTheSameBytesAgain) {
    EXPECT_EQ(compile(dot_kernel), compile(dot_kernel));
}

TEST_P(GpuCompilers, FindHeadersByTheirNames) {
    CompileRequest request = gpu_request(
        GetParam(), "#include \"gpu/first.h\"\nKERNEL void ingot_kernel(int* out) { *out = second; }\n");
    request.headers = {{"gpu/first.h", "#include \"gpu/below/second.h\"\n"},
                       {"gpu/below/second.h", "constexpr int second = 7;\n"}};
    EXPECT_TRUE(is_object_for(target, pool->compile({&request, 1}).front()));
}

TEST_P(GpuCompilers, ReportABadSource) {
    try {
        compile("KERNEL void ingot_kernel(int* out) { *out = nothing; }\n");
        ADD_FAILURE() << "it compiles";
    } catch (const ir::Error& e) {
        const std::string message = e.what();
        EXPECT_EQ(e.where(), "kernel test");
        EXPECT_NE(message.find("nothing"), std::string::npos) << message;
        EXPECT_NE(message.find(pool->compiler()), std::string::npos) << message;
        EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    }
    EXPECT_FALSE(compile(dot_kernel).empty()) << "and go on";
}

// Whether a failed kernel's source and log were kept, and the log names what failed.
bool kept(const std::filesystem::path& failures, const std::string& target) {
    bool source = false, log = false;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(failures)) {
        source |= entry.path().filename() == "kernel.cpp";
        if (entry.path().filename() != "log.txt") continue;
        std::ifstream in(entry.path());
        const std::string text((std::istreambuf_iterator<char>(in)), {});
        log |= text.find("kernel test\ntarget " + target + "\ncompiler ") == 0;
    }
    return source && log;
}

class TemporaryFolder {
  public:
    TemporaryFolder() {
        std::string pattern = testing::TempDir() + "/ingot-gpu-XXXXXX";
        if (mkdtemp(pattern.data()) != nullptr) path = pattern;
    }
    ~TemporaryFolder() { std::filesystem::remove_all(path); }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    std::filesystem::path path;
};

class SlowCompilers : public GpuCompilers {};

TEST_P(SlowCompilers, AreStopped) {
    const TemporaryFolder folder;
    WorkerOptions options = compiler_options().worker;
    options.compiler = GetParam().compiler;
    options.timeout_seconds = 1;
    options.failures = folder.path;
    WorkerPool impatient(options);
    // A quarter of a million class templates, none deep below another.
    const CompileRequest slow = gpu_request(GetParam(), R"(
template <int A, int B, int C> struct Paths {
    static constexpr unsigned value = Paths<A - 1, B, C>::value + Paths<A, B - 1, C>::value + Paths<A, B, C - 1>::value;
};
template <int A, int B> struct Paths<A, B, 0> { static constexpr unsigned value = 1; };
template <int A, int C> struct Paths<A, 0, C> { static constexpr unsigned value = 1; };
template <int A> struct Paths<A, 0, 0> { static constexpr unsigned value = 1; };
template <int B, int C> struct Paths<0, B, C> { static constexpr unsigned value = 1; };
template <int B> struct Paths<0, B, 0> { static constexpr unsigned value = 1; };
template <int C> struct Paths<0, 0, C> { static constexpr unsigned value = 1; };
KERNEL void ingot_kernel(unsigned* out) { *out = Paths<60, 60, 60>::value; }
)");
    const auto start = std::chrono::steady_clock::now();
    try {
        impatient.compile({&slow, 1});
        ADD_FAILURE() << "it was fast";
    } catch (const ir::Error& e) {
        const std::string message = e.what();
        EXPECT_EQ(e.where(), "kernel test");
        EXPECT_NE(message.find(", for " + std::string(target.name) + ") was stopped after 1 s"),
                  std::string::npos)
            << message;
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
    EXPECT_TRUE(kept(folder.path, std::string(target.name)));
    const CompileRequest good = gpu_request(GetParam(), dot_kernel);
    EXPECT_TRUE(impatient.try_compile(good)) << "and goes on";
}

INSTANTIATE_TEST_SUITE_P(
    One, SlowCompilers,
    testing::Values(GpuCase{.target = &target_from_name("gfx1030"), .compiler = Compiler::hiprtc},
                    GpuCase{.target = &target_from_name("gfx1100"), .compiler = Compiler::llvm},
                    GpuCase{.target = &target_from_name("sm_90"), .compiler = Compiler::nvrtc}),
    case_name);

INSTANTIATE_TEST_SUITE_P(All, GpuCompilers, testing::ValuesIn(gpu_cases()), case_name);

// What hipRTC 5.2.3 does on a target that it doesn't know: it corrupts its heap. The worker dies of it, we
// don't.
TEST(HipRtc, ACrashIsAnErrorThatNamesTheKernel) {
    const TemporaryFolder folder;
    WorkerOptions options = compiler_options().worker;
    options.compiler = Compiler::hiprtc;
    options.failures = folder.path;
    std::unique_ptr<WorkerPool> pool;
    try {
        pool = std::make_unique<WorkerPool>(options);
    } catch (const ir::Error& e) {
        GTEST_SKIP() << e.what();
    }
    const Target* unknown = nullptr;
    for (const GpuCase& c : gpu_cases())
        if (c.compiler == Compiler::hiprtc && !pool->try_compile(gpu_request(c, dot_kernel)))
            unknown = c.target;
    if (unknown == nullptr) GTEST_SKIP() << pool->compiler() << " knows every target";
    const CompileRequest request = gpu_request({.target = unknown, .compiler = Compiler::hiprtc}, dot_kernel);
    try {
        pool->compile({&request, 1});
        ADD_FAILURE() << "it compiles now";
    } catch (const ir::Error& e) {
        const std::string message = e.what();
        EXPECT_EQ(e.where(), "kernel test");
        EXPECT_NE(message.find(std::string(unknown->name)), std::string::npos) << message;
        EXPECT_NE(message.find(pool->compiler()), std::string::npos) << message;
        EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    }
    EXPECT_TRUE(kept(folder.path, std::string(unknown->name)));
}

// The answer of a compiler that doesn't know a target is remembered, and not asked for again.
TEST(ChooseCompiler, RemembersWhatACompilerKnows) {
    const TemporaryFolder folder;
    const KernelCache cache(folder.path);
    const WorkerOptions options = compiler_options().worker;
    const Target& target = target_from_name("gfx1100");
    const auto choose = [&](const KernelCache* with) -> std::string {
        try {
            return std::string(compiler_name(start_workers(target, std::nullopt, with, options)->kind()));
        } catch (const ir::Error& e) {
            return e.what();
        }
    };
    const std::string without = choose(nullptr);
    EXPECT_EQ(choose(&cache), without);
    const auto remembered = cache.list();
    EXPECT_LE(remembered.size(), 1u); // none where hipRTC isn't installed
    EXPECT_EQ(choose(&cache), without);
    EXPECT_EQ(cache.list().size(), remembered.size());
    if (remembered.empty()) GTEST_SKIP() << "hipRTC is not installed (Debian's libamdhip64-dev)";
    // Whatever stands in the memory is believed; a damaged entry is no entry.
    EXPECT_TRUE(cache.store(remembered.front().key, "something else"));
    EXPECT_EQ(choose(&cache), "llvm");
    std::ofstream(remembered.front().path, std::ios::trunc) << "damaged";
    EXPECT_EQ(choose(&cache), without);
}

} // namespace
} // namespace ingot::codegen::test
