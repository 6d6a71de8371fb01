// Code objects for GPUs by every compiler that is installed, with no GPU: the right machine, the right
// instructions.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

#include "codegen/choose_compiler.h"
#include "codegen/code_object.h"
#include "codegen/compiler_flags.h"
#include "ir/error.h"
#include "kernel_bodies.h"

namespace ingot::codegen::test {
namespace {

// What a kernel needs of either dialect.
constexpr const char* dialect = R"(
#ifdef INGOT_AMDGCN
#define KERNEL extern "C" __attribute__((global))
#define DEVICE static __attribute__((device))
#define LANE __builtin_amdgcn_workitem_id_x()
#else
#define KERNEL extern "C" __global__
#define DEVICE static __device__
#define LANE threadIdx.x
#endif
)";

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

CompileRequest request(const Target& target, Compiler compiler, const std::string& source, Emit emit) {
    return {.name = "test",
            .source = dialect + source,
            .headers = {},
            .flags = compiler_flags(target, compiler),
            .emit = emit};
}

// Workers of a compiler, or the reason why it can't be used here.
struct Workers {
    std::unique_ptr<WorkerPool> pool;
    std::string why_not;
};
Workers workers(const Target& target, Compiler compiler) {
    try {
        return {.pool = start_workers(target, compiler, nullptr, compiler_options().worker), .why_not = {}};
    } catch (const ir::Error& e) {
        return {.pool = nullptr, .why_not = e.what()};
    }
}

struct GpuCase {
    const Target* target;
    Compiler compiler;
};

std::vector<GpuCase> cases() {
    std::vector<GpuCase> all;
    for (const Target& target : all_targets())
        for (const Compiler compiler : compilers_of(target))
            if (target.is_gpu()) all.push_back({.target = &target, .compiler = compiler});
    return all;
}

class GpuCompilers : public testing::TestWithParam<GpuCase> {
  protected:
    void SetUp() override {
        used = workers(target, GetParam().compiler);
        if (!used.pool) GTEST_SKIP() << used.why_not;
    }
    std::string compile(const std::string& source, Emit emit = Emit::object) {
        const CompileRequest wanted = request(target, GetParam().compiler, source, emit);
        return used.pool->compile({&wanted, 1}).front();
    }

    const Target& target = *GetParam().target;
    Workers used;
};

TEST_P(GpuCompilers, MakeAnObjectForTheirTarget) {
    const std::string object = compile(dot_kernel);
    for (const Target& other : all_targets())
        EXPECT_EQ(is_object_for(other, object), other.name == target.name) << other.name;
}

INSTANTIATE_TEST_SUITE_P(All, GpuCompilers, testing::ValuesIn(cases()), [](const auto& test) {
    return std::string(test.param.target->name) + "_" + std::string(compiler_name(test.param.compiler));
});

} // namespace
} // namespace ingot::codegen::test
