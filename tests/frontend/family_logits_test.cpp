// The graphs that a family imports, run by the reference evaluator, against what llama.cpp computes in f32.
#include "frontend/import.h"
#include "frontend/reference_logits.h"
#include "ir/verify.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace ingot::tests {

using namespace ir;

namespace {

// float32, C order, [rows, columns]; the header's length stands at byte 8 (NumPy format 1.0).
std::vector<float> read_npy(const std::filesystem::path& path, size_t count) {
    std::ifstream in(path, std::ios::binary);
    std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
    uint16_t header = 0;
    if (bytes.size() < 10) return {};
    std::memcpy(&header, bytes.data() + 8, 2);
    if (bytes.size() != 10 + header + 4 * count) return {};
    std::vector<float> out(count);
    std::memcpy(out.data(), bytes.data() + 10 + header, 4 * count);
    return out;
}

std::vector<float> logits_from(const frontend::Model& model, const std::vector<int32_t>& ids, size_t first) {
    std::vector<float> all;
    frontend::reference_logits(model, ids, first, [&](size_t, std::span<const float> logits) {
        all.insert(all.end(), logits.begin(), logits.end());
    });
    return all;
}

double nmse(const std::vector<float>& out, const std::vector<float>& ref) {
    double error = 0;
    double power = 0;
    for (size_t i = 0; i < ref.size(); ++i) {
        error += std::pow(static_cast<double>(out[i]) - ref[i], 2);
        power += std::pow(static_cast<double>(ref[i]), 2);
    }
    return error / power; // NaN if either holds one, which no comparison accepts
}

} // namespace

TEST(FamilyLogits, LlamaComputesWhatLlamaCppComputes) {
    const std::filesystem::path shared = INGOT_SHARED_DIR;
    const std::filesystem::path skeleton = shared / "data/families/llama-dense.gguf.head";
    if (!std::filesystem::exists(skeleton)) GTEST_SKIP() << skeleton << " is absent: nothing to compare with";
    const std::filesystem::path gguf = std::filesystem::path(INGOT_BINARY_DIR) / "llama-dense.gguf";
    const std::string fill = std::string(INGOT_PYTHON) + " " + (shared / "tools/fill_gguf.py").string() +
                             " " + skeleton.string() + " " + gguf.string() + " --seed 1";
    if (std::system(fill.c_str()) != 0)
        GTEST_SKIP() << "python3 with numpy is absent: the model can't be made";

    const auto file = frontend::gguf::File::open(gguf.string());
    const frontend::Model model = frontend::import_model(file, {.cache = Element::f32});
    for (const Graph& g : model.graphs)
        verify(g);
    std::vector<int32_t> ids;
    for (int32_t i = 0; i < 96; ++i)
        ids.push_back((i * 7919 + 13) % 128);
    const std::vector<float> expected = read_npy(shared / "data/families/llama-dense.npy", 96 * 128);
    ASSERT_FALSE(expected.empty());
    const std::vector<float> got = logits_from(model, ids, 0);
    ASSERT_EQ(got.size(), expected.size());
    EXPECT_LE(nmse(got, expected), 1e-6);
}

TEST(FamilyLogits, SmolLM2ComputesWhatLlamaCppComputes) {
    const std::filesystem::path golden =
        std::filesystem::path(INGOT_SHARED_DIR) / "data/smollm2/first_logits.npy";
    if (!std::filesystem::exists(golden)) GTEST_SKIP() << golden << " is absent: nothing to compare with";
    if (!std::filesystem::exists(INGOT_MODEL))
        GTEST_SKIP() << "no model: give CMake -DINGOT_MODEL=FILE (tools/setup)";
    const std::vector<float> all = read_npy(golden, size_t{8} * 49152);
    ASSERT_FALSE(all.empty());
    const auto file = frontend::gguf::File::open(INGOT_MODEL);
    const frontend::Model model = frontend::import_model(file, {.context = 64, .cache = Element::f32});
    // "The capital of France is", the first of the file's prompts.
    const std::vector<float> got = logits_from(model, {504, 3575, 282, 4649, 314}, 4);
    EXPECT_LE(nmse(got, {all.begin(), all.begin() + 49152}), 1e-6);
}

} // namespace ingot::tests
