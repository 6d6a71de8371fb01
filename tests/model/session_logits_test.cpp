// Random models in odd shapes and in every weight format, compiled and run by a session, against the
// reference evaluator.
#include "compiled_model.h"
#include "golden.h"
#include "random_llama.h"

#include "frontend/reference_logits.h"
#include "runtime/open_device.h"
#include "runtime/session.h"

#include <random>

#include <gtest/gtest.h>

namespace ingot::tests {
namespace {

struct Case {
    std::string name;
    RandomLlama model;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
    return out << c.name;
}

// Multi-query attention; K = 288 and 352 are no multiples of what
// kernels unroll by, and the vocabulary is no multiple of a panel's 16 rows.
frontend::test::TinyLlama odd_shape(ir::Element matrices) {
    return {.layers = 1,
            .embedding = 288,
            .heads = 4,
            .kv_heads = 1,
            .head_dim = 80,
            .ffn = 352,
            .vocabulary = 333,
            .tied = false,
            .matrices = matrices};
}

std::vector<Case> cases() {
    using ir::Element;
    std::vector<Case> all;
    for (const Element e : {Element::f32, Element::f16, Element::bf16, Element::q4_0, Element::q4_1,
                            Element::q5_0, Element::q5_1, Element::q8_0})
        all.push_back({std::string(ir::info(e).text), {.shape = odd_shape(e), .biases = true}});
    all.push_back({"mha_tied_two_layers",
                   {.shape = {.layers = 2,
                              .embedding = 96,
                              .heads = 3,
                              .kv_heads = 3,
                              .head_dim = 32,
                              .ffn = 160,
                              .vocabulary = 401,
                              .matrices = Element::q4_1}}});
    all.push_back({"wide_heads",
                   {.shape = {.layers = 2,
                              .embedding = 256,
                              .heads = 2,
                              .kv_heads = 1,
                              .head_dim = 256,
                              .ffn = 96,
                              .vocabulary = 320,
                              .matrices = Element::q8_0},
                    .biases = true}});
    return all;
}

class SessionLogits : public testing::TestWithParam<Case> {
  protected:
    static constexpr frontend::ImportOptions sizes{
        .context = 96, .max_tokens = 24, .max_rows = 8, .max_sequences = 3, .page_positions = 32};

    void expect_logits(bool f32, double limit) {
        const TemporaryFile gguf("random.gguf", random_llama(GetParam().model).bytes());
        const CompiledOptions options{.f32 = f32, .import = sizes, .cached = true};
        const auto session = runtime::Session::open(compile_model(gguf.path(), options),
                                                    runtime::open_device("host"), {.queue = {.threads = 2}});
        ASSERT_EQ(session->vocabulary_size(), GetParam().model.shape.vocabulary);

        const auto file = frontend::gguf::File::open(gguf.path().string());
        CompiledOptions reference_options = options;
        reference_options.import.max_tokens = 64; // the evaluator takes all ids as one step
        const frontend::Model model = planned_model(file, reference_options);
        std::mt19937_64 random(7);
        std::vector<std::int32_t> ids(45);
        for (auto& id : ids)
            id = static_cast<std::int32_t>(random() % session->vocabulary_size());
        std::vector<std::vector<float>> expected;
        frontend::reference_logits(model, ids, 0, [&](size_t, std::span<const float> logits) {
            expected.emplace_back(logits.begin(), logits.end());
        });
        ASSERT_EQ(expected.size(), ids.size());

        // All positions, by the prefill program and the head.
        const runtime::SequenceId all = session->create_sequence();
        double worst = 0;
        session->logits_for_all(all, ids, [&](std::uint32_t index, std::span<const float> logits) {
            worst = std::max(worst, nmse({logits.begin(), logits.end()}, expected[index]));
        });
        EXPECT_LE(worst, limit) << "prefill";
        // One after the other, by the decode program.
        const runtime::SequenceId one = session->create_sequence();
        double worst_decoded = 0;
        for (size_t i = 0; i < ids.size(); ++i) {
            session->decode(one, ids[i]);
            const auto logits = session->logits();
            worst_decoded = std::max(worst_decoded, nmse({logits.begin(), logits.end()}, expected[i]));
        }
        EXPECT_LE(worst_decoded, limit) << "decode";
    }
};

// Nothing but the order of summation differs.
TEST_P(SessionLogits, InF32AreTheReferences) {
    expect_logits(true, 1e-10);
}

// And here and there an activation that another order of summation rounds to the next code.
TEST_P(SessionLogits, AsUsersRunItAreThoseOfTheSameGraph) {
    expect_logits(false, 5e-4);
}

INSTANTIATE_TEST_SUITE_P(Models, SessionLogits, testing::ValuesIn(cases()),
                         [](const auto& p) { return p.param.name; });

} // namespace
} // namespace ingot::tests
