// The commands on a tiny model: what they print, as text and as JSON.
#include <filesystem>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "ir/print.h"
#include "tests/tools/model_file.h"
#include "tests/tools/process.h"

namespace ingot::tools::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

class Commands : public Tool {
  protected:
    void SetUp() override {
        Tool::SetUp();
        model = (folder / "model.gguf").string();
        write_file(model, bytes_of(tiny_model()));
    }
    // The JSON that a command prints.
    json json_of(std::vector<std::string> args, const std::string& input = {}) const {
        args.emplace_back("--json");
        const Ended ended = ingot(args, input);
        EXPECT_EQ(ended.code, 0) << ended.err;
        return json::parse(ended.out, nullptr, false);
    }

    std::string model;
};

TEST_F(Commands, TokenizeGivesIds) {
    const Ended plain = ingot({"tokenize", model, "-p", "ab<|end|>"});
    EXPECT_EQ(plain.code, 0) << plain.err;
    EXPECT_EQ(json::parse(plain.out), (json{97, 98, end_token}));
    EXPECT_EQ(ingot({"tokenize", model, "-p", "a<|end|>", "--no-special"}).out,
              "[97, 60, 124, 101, 110, 100, 124, 62]\n");
    EXPECT_EQ(ingot({"tokenize", model, "-f", "-"}, std::string("\xff\0\n", 3)).out, "[255, 0, 10]\n");
    const json object = json_of({"tokenize", model, "-p", "é"});
    EXPECT_EQ(object["ids"], (json{0xc3, 0xa9}));
    EXPECT_EQ(object["pieces"].size(), 2u);

    write_file(model, bytes_of(tiny_model().boolean("tokenizer.ggml.add_bos_token", 1)));
    EXPECT_EQ(ingot({"tokenize", model, "-p", "a"}).out, "[256, 97]\n");
    EXPECT_EQ(ingot({"tokenize", model, "-p", "a", "--no-bos"}).out, "[97]\n");
}

TEST_F(Commands, InspectOfAModel) {
    const json object = json_of({"inspect", model});
    EXPECT_EQ(object["kind"], "gguf");
    EXPECT_EQ(object["tensors"].size(), 20u) << "embedding, norm, and nine a layer";
    EXPECT_EQ(object["types"]["Q8_0"]["tensors"], 15);
    const Ended text = ingot({"inspect", model, "--tensors"});
    EXPECT_THAT(text.out, HasSubstr("blk.1.ffn_down.weight"));
    EXPECT_THAT(text.out, HasSubstr("llama.block_count"));
}

TEST_F(Commands, DumpAndOptAgree) {
    const Ended imported = ingot({"dump", model, "--phase", "imported"});
    ASSERT_EQ(imported.code, 0) << imported.err;
    EXPECT_EQ(ir::parse_all(imported.out).size(), 3u);
    std::vector<std::string> all;
    for (const json& pass : json_of({"opt", "--list"}))
        all.push_back(pass["name"]);
    std::string names;
    for (const std::string& name : all)
        names += (names.empty() ? "" : ",") + name;
    const Ended optimised = ingot({"opt", "-", "--passes", names}, imported.out);
    EXPECT_EQ(optimised.code, 0) << optimised.err;
    EXPECT_EQ(optimised.out, ingot({"dump", model}).out) << "planned is the default";
    EXPECT_EQ(ingot({"compile", model, "--stop-after", "planned"}).out, optimised.out);

    EXPECT_EQ(json_of({"dump", model, "--program", "head"})[0]["name"], "head");
    EXPECT_EQ(json_of({"opt", "-"}, imported.out).size(), 3u);
    EXPECT_THAT(ingot({"dump", model, "--format", "dot"}).out, testing::StartsWith("digraph"));
    const Ended to_file = ingot({"dump", model, "-o", (folder / "g.ir").string()});
    EXPECT_EQ(to_file.out, "");
    EXPECT_EQ(read_file(folder / "g.ir"), optimised.out);
}

TEST_F(Commands, TimePassesNamesThemAll) {
    const Ended ended = ingot({"compile", model, "--stop-after", "planned", "--time-passes"});
    EXPECT_EQ(ended.code, 0);
    for (const char* pass : {"fold-constants", "fuse-regions", "plan-memory"})
        EXPECT_THAT(ended.err, HasSubstr(pass));
    const Ended less = ingot(
        {"compile", model, "--stop-after", "planned", "--time-passes", "--disable-pass", "share-prologues"});
    EXPECT_THAT(less.err, testing::Not(HasSubstr("share-prologues")));
}

TEST_F(Commands, Devices) {
    const json list = json_of({"devices"});
    ASSERT_FALSE(list.empty());
    EXPECT_EQ(list[0]["name"], "host");
    EXPECT_GE(list[0]["cores"], 1);
}

TEST_F(Commands, RunOfAModelAndOfItsPlan) {
    if (!can_compile()) GTEST_SKIP() << "no compile worker in this build";
    const std::string plan = (folder / "model.ingot").string();
    const json report = json_of({"compile", model, "-o", plan});
    EXPECT_EQ(report["plan"], plan);
    EXPECT_EQ(report["compiled"], report["kernels"]);
    EXPECT_FALSE(fs::exists(cache / "ingot" / "plans")) << "it went where -o says";

    const json of_plan = json_of({"run", plan, "-p", "hello", "-n", "12", "--temp", "0"});
    EXPECT_EQ(of_plan["prompt_ids"], (json{104, 101, 108, 108, 111}));
    EXPECT_LE(of_plan["ids"].size(), 12u);
    EXPECT_GE(of_plan["ids"].size(), 1u);
    EXPECT_GE(of_plan["timings"]["prompt_tokens_per_second"], 0.0);
    const json of_model = json_of({"run", model, "-p", "hello", "-n", "12", "--temp", "0"});
    EXPECT_EQ(of_model["ids"], of_plan["ids"]);
    EXPECT_EQ(of_model["text"], of_plan["text"]);

    const Ended text = ingot({"run", plan, "-f", "-", "-n", "12", "--temp", "0"}, "hello");
    EXPECT_EQ(text.code, 0);
    EXPECT_EQ(text.out, of_plan["text"].get<std::string>() + "\n");
    EXPECT_THAT(text.err, HasSubstr("5 prompt tokens"));
    const json one = json_of({"run", plan, "-p", "x", "-n", "9", "--seed", "4", "--temp", "2"});
    EXPECT_EQ(json_of({"run", plan, "-p", "x", "-n", "9", "--seed", "4", "--temp", "2"})["ids"], one["ids"]);
    EXPECT_NE(json_of({"run", plan, "-p", "x", "-n", "9", "--seed", "5", "--temp", "2"})["ids"], one["ids"]);

    // The context is 128: what remains of it after the prompt, and one token that needs no room.
    const json full = json_of({"run", plan, "-p", std::string(120, 'a'), "-n", "100", "--seed", "3"});
    if (full["stop"] != "end of text") {
        EXPECT_EQ(full["stop"], "context full");
        EXPECT_EQ(full["ids"].size(), 9u);
    }
}

TEST_F(Commands, InspectOfAPlan) {
    if (!can_compile()) GTEST_SKIP() << "no compile worker in this build";
    const std::string plan = (folder / "model.ingot").string();
    ASSERT_EQ(ingot({"compile", model, "-o", plan}).code, 0);
    const json object = json_of({"inspect", plan});
    EXPECT_EQ(object["kind"], "plan");
    for (const json& program : object["programs"]) {
        EXPECT_EQ(program["peak_transient"], program["lower_bound_transient"]);
        EXPECT_EQ(program["kernels_a_layer"], program["layers"] == 0 ? 0 : 5);
        EXPECT_EQ(program["launches"].size(), program["kernels"]);
        for (const json& value : program["lifetimes"]) {
            EXPECT_LE(value["first"], value["last"]);
            EXPECT_LT(value["last"], program["kernels"]);
            EXPECT_LE(value["offset"].get<uint64_t>() + value["bytes"].get<uint64_t>(),
                      program["peak_transient"]);
        }
    }
    EXPECT_EQ(object["device_allocations"],
              json_of({"run", plan, "-p", "x", "-n", "1"})["device_allocations"]);
    EXPECT_LE(object["device_allocations"], 8);
    const Ended text = ingot({"inspect", plan, "--lifetimes", "--tensors"});
    EXPECT_THAT(text.out, HasSubstr("5 a layer in 2 layers"));
    EXPECT_THAT(text.out, HasSubstr("arena of prefill"));
    EXPECT_THAT(text.out, HasSubstr("blk.1.ffn_down.weight"));
    EXPECT_THAT(ingot({"inspect", plan, "--svg", "-"}).out, testing::StartsWith("<svg"));
    const Ended graphs = ingot({"dump", plan});
    EXPECT_EQ(ir::parse_all(graphs.out).at(0).phase, ir::Phase::lowered);
    EXPECT_EQ(graphs.out, ingot({"dump", model, "--phase", "lowered"}).out);
}

TEST_F(Commands, VerifyOfAModelAndOfItsPlan) {
    if (!can_compile()) GTEST_SKIP() << "no compile worker in this build";
    const std::string plan = (folder / "model.ingot").string();
    ASSERT_EQ(ingot({"compile", model, "-o", plan}).code, 0);
    for (const std::string& file : {model, plan}) {
        const json object = json_of({"verify", file});
        EXPECT_GE(object["checks"].size(), 30u);
        for (const json& check : object["checks"])
            EXPECT_TRUE(check["ok"]) << check.dump();
    }
    const Ended text = ingot({"verify", model, "--precision", "f32", "--sizes", "3"});
    EXPECT_EQ(text.code, 0) << text.err;
    EXPECT_THAT(text.out, testing::Not(HasSubstr("5e-04"))) << "nothing is quantised in f32";
}

TEST_F(Commands, EmitShowsTheKernels) {
    if (!can_compile()) GTEST_SKIP() << "no compile worker in this build";
    const Ended source = ingot({"compile", model, "--emit", "source"});
    EXPECT_EQ(source.code, 0) << source.err;
    EXPECT_THAT(source.out, HasSubstr("ingot_kernel"));
    const json list = json_of({"compile", model, "--emit", "source"});
    EXPECT_GE(list.size(), 10u);
    EXPECT_THAT(source.out, HasSubstr(list.at(0)["text"].get<std::string>()));
    const Ended listing = ingot({"compile", model, "--emit", "asm", "--target", "x86-64-v3"});
    EXPECT_EQ(listing.code, 0) << listing.err;
    EXPECT_THAT(listing.out, HasSubstr("ymm"));
    EXPECT_THAT(listing.out, testing::Not(HasSubstr("zmm")));
}

TEST_F(Commands, DisabledPassesStillGiveARightPlan) {
    if (!can_compile()) GTEST_SKIP() << "no compile worker in this build";
    const std::vector<std::string> run = {"run", model,    "-p", "hello",       "-n",
                                          "12",  "--temp", "0",  "--precision", "f32"};
    const json expected = json_of(run)["ids"];
    for (const char* pass :
         {"fold-constants", "merge-common-subexpressions", "remove-dead-nodes", "merge-projections"}) {
        std::vector<std::string> without = run;
        without.insert(without.end(), {"--disable-pass", pass});
        EXPECT_EQ(json_of(without)["ids"], expected) << pass;
    }
    const Ended without = ingot({"compile", model, "--disable-pass", "share-prologues"});
    EXPECT_TRUE(fails_with(without, 1)) << "kernels for several tokens need it";
    EXPECT_THAT(without.err, HasSubstr("share-prologues"));
}

} // namespace
} // namespace ingot::tools::test
