// The graphs that a family imports, run by the reference evaluator, against what llama.cpp computes in f32.
#include "frontend/import.h"
#include "ir/evaluate.h"
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

std::vector<int32_t> counting(size_t n) {
    std::vector<int32_t> out(n);
    for (size_t i = 0; i < n; ++i)
        out[i] = static_cast<int32_t>(i);
    return out;
}

// Logits after every one of `ids`, or the last, by the prefill graph and then the head's, a few rows at a
// time.
std::vector<float> reference_logits(const frontend::Model& model, const std::vector<int32_t>& ids,
                                    bool last_only = false) {
    const Graph& prefill = model.graphs[1];
    const Graph& head = model.graphs[2];
    const auto tokens = static_cast<int64_t>(ids.size());
    EvalInputs in;
    in.weights = &model.weights;
    in.params["tokens"] = Tensor::from_ints({tokens}, ids);
    in.params["positions"] = Tensor::from_ints({tokens}, counting(ids.size()));
    in.params["seqs"] = Tensor::from_ints({tokens}, std::vector<int32_t>(ids.size(), 0));
    for (ValueId p : prefill.params) {
        const Value& v = prefill.values[p];
        std::vector<int64_t> dims;
        for (const Dim& d : v.type.dims)
            dims.push_back(d.is_symbol() ? tokens : d.constant());
        if (v.name == "pages") {
            std::vector<int32_t> pages(static_cast<size_t>(dims[0] * dims[1]), 0);
            for (int64_t i = 0; i < dims[1]; ++i)
                pages[static_cast<size_t>(i)] = static_cast<int32_t>(dims[1] - 1 - i);
            in.params["pages"] = Tensor::from_ints(dims, pages);
        } else if (v.type.pool == Pool::state) {
            in.params[v.name] = Tensor::zeros(v.type.element, dims);
        }
    }
    const std::vector<float> rows = evaluate(prefill, in)[0].to_floats();
    const int64_t height = head.type(head.find_param("hidden")).dims[0].constant();
    std::vector<float> hidden(static_cast<size_t>(height * model.facts.embedding), 0.0F);
    std::copy(rows.begin(), rows.end(), hidden.begin());
    std::vector<float> logits;
    for (int32_t first = last_only ? static_cast<int32_t>(tokens) - 1 : 0; first < tokens; first += 16) {
        EvalInputs h;
        h.weights = &model.weights;
        h.params["hidden"] = Tensor::from_floats({height, model.facts.embedding}, hidden);
        std::vector<int32_t> ask;
        for (int32_t i = first; i < std::min<int32_t>(first + 16, static_cast<int32_t>(tokens)); ++i)
            ask.push_back(i);
        h.params["ids"] = Tensor::from_ints({static_cast<int64_t>(ask.size())}, ask);
        const std::vector<float> part = evaluate(head, h)[0].to_floats();
        logits.insert(logits.end(), part.begin(), part.end());
    }
    return logits;
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
    const std::vector<float> got = reference_logits(model, ids);
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
    const std::vector<float> got = reference_logits(model, {504, 3575, 282, 4649, 314}, true);
    EXPECT_LE(nmse(got, {all.begin(), all.begin() + 49152}), 1e-6);
}

} // namespace ingot::tests
