// Code objects for GPUs by every compiler that is installed, with no GPU: the right machine, the right
// instructions.
#include <fstream>

#include "codegen/code_object.h"
#include "gpu_compilers.h"
#include "ir/error.h"

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

TEST_P(GpuCompilers, MakeAnObjectForTheirTarget) {
    const std::string object = compile(dot_kernel);
    for (const Target& other : all_targets())
        EXPECT_EQ(is_object_for(other, object), other.name == target.name) << other.name;
}

INSTANTIATE_TEST_SUITE_P(All, GpuCompilers, testing::ValuesIn(gpu_cases()), case_name);

} // namespace
} // namespace ingot::codegen::test
