// For tests and fuzzing: the description of a small, valid plan.
#pragma once

#include "plan_generated.h"
#include "runtime/plan_check.h"
#include "runtime/plan_version.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ingot::runtime::test {

using Bytes = std::vector<std::byte>;

// What goes with it: 128 bytes of code, and its weights in the model file.
inline constexpr CheckedSizes small_plan_sizes = {.code_bytes = 128, .weights_bytes = 0};

// One of everything that plan.fbs knows.
inline Bytes small_description() {
    flatbuffers::FlatBufferBuilder b;
    const auto s = [&](const char* text) { return b.CreateString(text); };
    const auto buffer = [](plan::Pool pool, std::uint64_t offset, std::uint64_t bytes) {
        return plan::BufferRef(pool, offset, bytes);
    };
    const std::vector kernels = {plan::CreateKernel(b, s("k"), s("f"), s("00"), s("c"), 64, 64, 1,
                                                    plan::CreateKernelResources(b, 1, 2, 3))};
    const std::vector<plan::BufferRef> operands = {buffer(plan::Pool::weights, 0, 256),
                                                   buffer(plan::Pool::transient, 64, 64)};
    const std::vector<plan::WeightShare> shares = {plan::WeightShare(0, 4, 64)};
    const std::vector launches = {plan::CreateLaunch(b, 0, s("l"), b.CreateVectorOfStructs(operands),
                                                     b.CreateVectorOfStructs(shares), 256)};
    const std::vector symbols = {plan::CreateSymbol(b, s("T"), 1, 4)};
    const plan::BufferRef tokens = buffer(plan::Pool::io, 0, 64);
    const plan::BufferRef pages = buffer(plan::Pool::io, 64, 64);
    const std::vector bindings = {
        plan::CreateBinding(b, s("tokens"), s("i32"), b.CreateVector(std::vector<std::int32_t>{-1, 2}),
                            &tokens),
        plan::CreateBinding(b, s("pages"), s("i32"), b.CreateVector(std::vector<std::int32_t>{2, 4}),
                            &pages)};
    const std::vector programs = {plan::CreateProgram(b, s("decode"), b.CreateVector(symbols),
                                                      b.CreateVector(launches), b.CreateVector(bindings), 1,
                                                      s("ir"), 64, 64)};
    const std::vector<plan::CachePlane> planes = {plan::CachePlane(0, 64), plan::CachePlane(512, 64)};
    const auto cache = plan::CreateCache(b, 16, 8, 2, 4, 128, b.CreateVectorOfStructs(planes));
    const auto texts = [&](const std::vector<std::string>& all) { return b.CreateVectorOfStrings(all); };
    const auto vocabulary = plan::CreateVocabulary(
        b, s("bpe"), s("gpt-2"), texts({"a", "b", "ab", "<|end|>"}),
        b.CreateVector(std::vector<float>{0, 0, 0, 0}), b.CreateVector(std::vector<std::int32_t>{1, 1, 1, 3}),
        texts({"a b"}), 3, 3, -1, -1, -1, true, false, false, s("{{ messages }}"));
    const std::vector tensors = {plan::CreateTensor(b, s("w"), s("f32"), s("rows"), 8, 8, 0, 256)};
    const std::vector sources = {plan::CreateExternalSource(b, s("w"), s("f32"), 0, 256, 8, 8)};
    const std::vector external = {plan::CreateExternalPiece(b, 0, 256, s("rows"), b.CreateVector(sources))};
    const auto root = plan::CreatePlan(
        b, format_major, format_minor, s("m"), s("llama"), s("00"), s("m.gguf"), 1024, s("x86-64-v3"),
        s("default"), s("c"), 1, 64, 64, 8, 1, 4, b.CreateVector(kernels), b.CreateVector(programs), cache,
        vocabulary, b.CreateVector(tensors), b.CreateVector(external), 256, 1024, 128, 128, 64);
    plan::FinishPlanBuffer(b, root);
    const auto* begin = reinterpret_cast<const std::byte*>(b.GetBufferPointer());
    return Bytes(begin, begin + b.GetSize());
}

} // namespace ingot::runtime::test
