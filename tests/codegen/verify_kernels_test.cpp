// The judge of kernels finds one that is wrong.
#include "kernel_bodies.h"

#include "codegen/verify_kernels.h"

namespace ingot::codegen::test {
namespace {

using namespace ir;

Graph of_two(Op op) {
    Body b(Rows::many);
    b.result(b.add(op, {b.activations(64), b.activations(64)}));
    return b.finish();
}

TEST(VerifyKernels, RunsTheCodeThatItIsGiven) {
    const Graph sum = of_two(Op::add), difference = of_two(Op::sub);
    KernelCompiler compiler(*host_targets().front(), compiler_options());
    const std::vector<KernelSpec> specs = {{.name = "sum", .body = &sum},
                                           {.name = "difference", .body = &difference}};
    const CompiledKernels code = compiler.compile(specs);
    const std::vector<std::string> right = {code.kernels[0].object, code.kernels[1].object};
    const auto checks = [&](std::vector<std::string> objects) {
        return verify_kernels(compiler, specs, {.sizes = {3}, .objects = std::move(objects)});
    };
    for (const KernelCheck& c : checks(right)) {
        EXPECT_EQ(c.nmse, 0) << c.kernel;
        EXPECT_FALSE(c.quantized);
    }
    const auto swapped = checks({right[1], right[0]});
    ASSERT_EQ(swapped.size(), 2u);
    for (const KernelCheck& c : swapped)
        EXPECT_GT(c.nmse, 0.1) << c.kernel;
}

TEST(VerifyKernels, TellsWhatWorksOn8Bits) {
    const Graph body = residual_body(32, 64, Element::q4_1, true, false, Rows::one);
    KernelCompiler compiler(*host_targets().front(), compiler_options());
    const auto checks = verify_kernels(compiler, {{{.name = "product", .body = &body}}}, {.sizes = {1}});
    ASSERT_EQ(checks.size(), 1u);
    EXPECT_TRUE(checks[0].quantized);
}

} // namespace
} // namespace ingot::codegen::test
