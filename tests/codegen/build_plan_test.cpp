// From planned graphs to a plan file that opens, with its weights inside or left in the model file.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>
#include <set>

#include "codegen/build_plan.h"
#include "codegen/random_inputs.h"
#include "ir/error.h"
#include "ir/print.h"
#include "kernel_bodies.h"
#include "passes/pipeline.h"
#include "passes/plan_memory.h"
#include "plan_generated.h"
#include "runtime/error.h"
#include "runtime/external_weights.h"
#include "runtime/plan_file.h"

namespace ingot::codegen::test {
namespace {

using namespace ir;
namespace fs = std::filesystem;

constexpr int64_t width = 64, channels = 32, heads = 2;

// A model of one attention layer and a head, as two programs that share weights, cache and hidden state.
class Plan : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "/ingot-plan-XXXXXX";
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder = pattern;
        std::mt19937_64 random(std::random_device{}());
        // The model file is nothing but its tensors, one after the other.
        add_tensor("table", random_weight(Element::q8_0, 100, width, random));
        for (const char* name : {"wq", "wk", "wv", "wo"})
            add_tensor(name, random_weight(Element::q4_1, heads * channels, width, random));
        add_tensor("norm", Tensor::from_floats({width}, std::vector<float>(width, 1.5F)));
        for (auto& [name, place] : places) {
            Tensor& t = weights[name];
            t.owned = nullptr;
            t.data = std::span<const std::byte>(file).subspan(place, t.data.size());
        }
    }
    void TearDown() override { fs::remove_all(folder); }

    void add_tensor(const std::string& name, const Tensor& t) {
        places[name] = file.size();
        file.insert(file.end(), t.data.begin(), t.data.end());
        weights[name] = t;
    }

    static ValueId weight(Graph& g, const std::string& name, Element e, std::vector<Dim> dims) {
        return g.add_param(name, {.element = e, .dims = std::move(dims), .pool = Pool::weights});
    }

    static void name_output(Graph& g, ValueId v, const char* name) {
        g.values[v].name = name;
        g.values[v].type.pool = Pool::io;
        g.results.push_back(v);
    }

    // The layer: f32 [T, width] named hidden.
    Graph prefill() const {
        Graph g;
        g.name = "prefill";
        const Dim t = Dim::symbol(g.add_symbol({.name = "T", .min = 1, .max = 40}));
        const auto ids = [&](const char* name, std::vector<Dim> dims) {
            return g.add_param(name, {.element = Element::i32, .dims = std::move(dims), .pool = Pool::io});
        };
        const ValueId tokens = ids("tokens", {t}), positions = ids("positions", {t}), seqs = ids("seqs", {t}),
                      table = ids("pages", {sequences, pages_per_sequence});
        const auto cache = [&](const char* name, Layout layout) {
            return g.add_param(name, {.element = Element::f16,
                                      .dims = {pages, heads, page_positions, channels},
                                      .layout = layout,
                                      .pool = Pool::state});
        };
        const ValueId kc = cache("k", Layout::kv_channels), vc = cache("v", Layout::rows);
        const ValueId embedding = weight(g, "table", Element::q8_0, {100, width});
        std::vector<ValueId> w;
        for (const char* name : {"wq", "wk", "wv", "wo"})
            w.push_back(weight(g, name, Element::q4_1, {heads * channels, width}));
        const ValueId norm = weight(g, "norm", Element::f32, {width});
        const ValueId frequencies =
            g.nodes[g.add_node(Op::constant, {},
                               {{.element = Element::f32, .dims = {2}, .pool = Pool::weights}},
                               {{"values", std::vector<double>{1, 0.25}}}, "frequencies")]
                .results[0];
        const ValueId x = g.add(Op::embed, {tokens, embedding});
        const ValueId angles = g.add(Op::rope_angles, {positions, frequencies}, {{"head_dim", channels}});
        const ValueId n = g.add(Op::rms_norm, {x, norm}, {{"eps", 1e-5}});
        const auto turned = [&](ValueId v) { return g.add(Op::rope, {v, angles}, {{"head_dim", channels}}); };
        const ValueId q = turned(g.add(Op::matmul, {n, w[0]})), k = turned(g.add(Op::matmul, {n, w[1]}));
        const ValueId v = g.add(Op::matmul, {n, w[2]});
        const ValueId ks = g.add(Op::kv_append, {kc, k, positions, seqs, table});
        const ValueId vs = g.add(Op::kv_append, {vc, v, positions, seqs, table});
        const ValueId a = g.add(Op::attention, {q, ks, vs, positions, seqs, table}, {{"scale", 0.2}});
        name_output(g, g.add(Op::add, {g.add(Op::matmul, {a, w[3]}, {}, "blk.0.attn_output"), x}), "hidden");
        g.results.push_back(ks);
        g.results.push_back(vs);
        return planned(std::move(g));
    }

    Graph head() const {
        Graph g;
        g.name = "head";
        const Dim o = Dim::symbol(g.add_symbol({.name = "O", .min = 1, .max = 4}));
        const ValueId hidden =
            g.add_param("hidden", {.element = Element::f32, .dims = {40, width}, .pool = Pool::io});
        const ValueId ids = g.add_param("ids", {.element = Element::i32, .dims = {o}, .pool = Pool::io});
        const ValueId table = weight(g, "table", Element::q8_0, {100, width}),
                      norm = weight(g, "norm", Element::f32, {width});
        const ValueId n = g.add(Op::rms_norm, {g.add(Op::gather_rows, {hidden, ids}), norm}, {{"eps", 1e-5}});
        const ValueId logits = g.add(Op::matmul, {n, table});
        name_output(g, logits, "logits");
        name_output(g, g.add(Op::argmax, {logits}), "next");
        return planned(std::move(g));
    }

    static Graph planned(Graph g) {
        passes::run_pipeline(g, {});
        return g;
    }

    BuildInput input(const std::vector<Graph>& graphs) const {
        BuildInput in{.programs = {},
                      .weights = &weights,
                      .model = {.name = "tiny",
                                .architecture = "test",
                                .sha256 = std::string(64, 'a'),
                                .path = "tiny.gguf",
                                .file = file,
                                .layers = 1,
                                .embedding = width,
                                .vocabulary_size = 100,
                                .context = 96,
                                .training_context = 96}};
        for (const Graph& g : graphs) {
            const auto report = passes::memory_report(g);
            in.programs.push_back(
                {.graph = &g, .peak_transient = report.peak, .lower_bound_transient = report.lower_bound});
        }
        return in;
    }

    fs::path folder;
    std::vector<std::byte> file;
    std::map<std::string, size_t> places;
    Weights weights;
};

std::vector<std::byte> weights_of(const runtime::PlanFile& plan) {
    std::vector<std::byte> bytes(plan.header().weights.bytes);
    EXPECT_EQ(pread(plan.descriptor(), bytes.data(), bytes.size(),
                    static_cast<off_t>(plan.header().weights.offset)),
              static_cast<ssize_t>(bytes.size()));
    return bytes;
}

TEST_F(Plan, OpensAndSaysWhatWasPutIn) {
    const std::vector<Graph> graphs = {prefill(), head()};
    KernelCompiler compiler(*host_targets().front(), compiler_options());
    std::set<BuildProgress::Stage> stages;
    BuildOptions options{.progress = [&](const BuildProgress& p) {
        stages.insert(p.stage);
        EXPECT_LE(p.done, p.total);
    }};
    const BuildReport report = build_plan(input(graphs), compiler, folder / "tiny.ingot", options);
    EXPECT_EQ(stages.size(), 2u);
    EXPECT_EQ(report.kernels, 5u);

    const auto file_of_plan = runtime::PlanFile::open(folder / "tiny.ingot");
    file_of_plan->verify_weights();
    const plan::Plan& p = file_of_plan->description();
    EXPECT_EQ(p.model_name()->str(), "tiny");
    EXPECT_EQ(p.target()->str(), host_targets().front()->name);
    ASSERT_EQ(p.programs()->size(), 2u);
    const plan::Program& first = *p.programs()->Get(0);
    EXPECT_EQ(first.launches()->size(), 4u);
    // The table is embedding and head, and lies there once.
    size_t tables = 0;
    for (const plan::Tensor* t : *p.tensors())
        tables += t->name()->str() == "table" ? 1 : 0;
    EXPECT_EQ(tables, 1u);
    // Attention has a workspace behind its operands; everything else has its node's operands and results.
    const plan::Launch& attention = *first.launches()->Get(2);
    EXPECT_EQ(attention.operands()->size(), 6u + 1u + 1u);
    EXPECT_EQ(attention.operands()->Get(7)->pool(), plan::Pool::state);
    EXPECT_EQ(p.cache()->planes()->size(), 2u);
    EXPECT_EQ(p.cache()->bytes_per_page(), 2u * 2 * heads * page_positions * channels);
    EXPECT_EQ(p.cache()->max_pages_per_sequence(), static_cast<uint32_t>(pages_per_sequence));
    uint64_t read = 0;
    for (const plan::Launch* launch : *first.launches())
        read += launch->bytes_read();
    EXPECT_EQ(read, 4u * heads * channels * width / 32 * 20) << "q4_1 of four products";
    // The lowered graph is in the plan, whole.
    const Graph lowered = parse(first.ir()->str());
    EXPECT_EQ(lowered.phase, Phase::lowered);
    EXPECT_EQ(text_attr(lowered.nodes.back(), "kernel"),
              p.kernels()->Get(first.launches()->Get(3)->kernel())->key()->str());

    const std::vector<std::byte> arena = weights_of(*file_of_plan);
    for (const plan::Tensor* t : *p.tensors())
        if (t->name()->str() == "norm") {
            EXPECT_EQ(std::memcmp(arena.data() + t->offset(), weights["norm"].data.data(), width * 4), 0);
        }
}

TEST_F(Plan, ExternalWeightsBecomeTheSameArena) {
    const std::vector<Graph> graphs = {prefill(), head()};
    KernelCompiler compiler(*host_targets().front(), compiler_options());
    build_plan(input(graphs), compiler, folder / "embedded.ingot", {});
    BuildOptions external_weights;
    external_weights.external_weights = true;
    build_plan(input(graphs), compiler, folder / "external.ingot", external_weights);
    const auto embedded = runtime::PlanFile::open(folder / "embedded.ingot");
    const auto external = runtime::PlanFile::open(folder / "external.ingot");
    EXPECT_EQ(external->header().weights.bytes, 0u);
    std::vector<std::byte> arena(external->description().weights_bytes());
    runtime::pack_external_weights(*external, file, arena, 3);
    EXPECT_EQ(arena, weights_of(*embedded));
    const std::vector<std::byte> shorter(file.begin(), file.end() - 1);
    EXPECT_THROW(runtime::pack_external_weights(*external, shorter, arena), runtime::Error);
    EXPECT_THROW(runtime::pack_external_weights(*embedded, file, arena), runtime::Error);
    EXPECT_THROW(runtime::pack_external_weights(*external, folder / "absent.gguf", arena), runtime::Error);
}

TEST_F(Plan, FaultsLeaveNothingBehind) {
    const std::vector<Graph> graphs = {prefill()};
    KernelCompiler compiler(*host_targets().front(), compiler_options());
    EXPECT_THROW(build_plan(input(graphs), compiler, folder / "no" / "such" / "folder.ingot", {}),
                 runtime::Error);
    Graph early = graphs[0];
    early.phase = Phase::scheduled;
    EXPECT_THROW(build_plan(input({early}), compiler, folder / "early.ingot", {}), Error);
    weights.erase("wo");
    EXPECT_THROW(build_plan(input(graphs), compiler, folder / "lacking.ingot", {}), Error);
    EXPECT_TRUE(fs::is_empty(folder));
}

} // namespace
} // namespace ingot::codegen::test
