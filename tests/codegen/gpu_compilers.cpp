#include "gpu_compilers.h"

#include "codegen/compiler_flags.h"
#include "codegen/disassemble.h"
#include "ir/error.h"
#include "kernel_bodies.h"

namespace ingot::codegen::test {

namespace {

constexpr const char* dialect = R"(
#ifdef INGOT_AMDGCN
#define KERNEL extern "C" __attribute__((global))
#define THREADS(n) __attribute__((amdgpu_flat_work_group_size(n, n)))
#define DEVICE static __attribute__((device))
#define SHARED __attribute__((shared))
#define LANE __builtin_amdgcn_workitem_id_x()
#else
#define KERNEL extern "C" __global__
#define THREADS(n) __launch_bounds__(n)
#define DEVICE static __device__
#define SHARED __shared__
#define LANE threadIdx.x
#endif
)";

} // namespace

std::vector<GpuCase> gpu_cases() {
    std::vector<GpuCase> all;
    for (const Target& target : all_targets())
        for (const Compiler compiler : compilers_of(target))
            if (target.is_gpu()) all.push_back({.target = &target, .compiler = compiler});
    return all;
}

std::string case_name(const testing::TestParamInfo<GpuCase>& test) {
    return std::string(test.param.target->name) + "_" + std::string(compiler_name(test.param.compiler));
}

void PrintTo(const GpuCase& c, std::ostream* out) {
    *out << c.target->name << " by " << compiler_name(c.compiler);
}

CompileRequest gpu_request(const GpuCase& c, const std::string& source, Emit emit) {
    return {.name = "test",
            .target = std::string(c.target->name),
            .source = dialect + source,
            .headers = {},
            .flags = compiler_flags(*c.target, c.compiler),
            .emit = emit};
}

void GpuCompilers::SetUp() {
    try {
        pool = start_workers(target, GetParam().compiler, nullptr, compiler_options().worker);
    } catch (const ir::Error& e) {
        GTEST_SKIP() << e.what();
    }
}

std::string GpuCompilers::compile(const std::string& source, Emit emit) {
    const CompileRequest request = gpu_request(GetParam(), source, emit);
    return pool->compile({&request, 1}).front();
}

std::string GpuCompilers::listing(const std::string& source) {
    if (target.machine == Machine::nvptx) return compile(source, Emit::assembly);
    const NamedObject object{.kernel = "test", .object = compile(source)};
    return disassemble({&object, 1}, compiler_options().worker).front();
}

} // namespace ingot::codegen::test
