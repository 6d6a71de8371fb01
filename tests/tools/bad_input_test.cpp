// Files that can't be used: one line, exit code 2, nothing written.
#include <filesystem>

#include <gmock/gmock.h>

#include "tests/tools/model_file.h"
#include "tests/tools/process.h"

namespace ingot::tools::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class BadInput : public Tool {
  protected:
    // The commands that open a model, each with what it needs beside the file.
    std::vector<std::vector<std::string>> commands_on(const std::string& file) const {
        return {{"compile", file, "-o", (folder / "out").string()},
                {"compile", file, "--emit", "ir", "-o", (folder / "out").string()},
                {"run", file, "-p", "x", "-n", "1"},
                {"tokenize", file, "-p", "x"},
                {"inspect", file},
                {"dump", file, "-o", (folder / "out").string()},
                {"verify", file}};
    }

    // `why` is a part of the message.
    void expect_refused(const std::vector<std::string>& args, const std::string& what,
                        const std::string& why = {}) const {
        const Ended ended = ingot(args);
        EXPECT_THAT(ended.err, HasSubstr(why)) << what;
        EXPECT_TRUE(fails_with(ended, 2)) << what << ": " << testing::PrintToString(args);
        EXPECT_FALSE(fs::exists(folder / "out")) << what;
        EXPECT_FALSE(fs::exists(cache / "ingot" / "plans")) << what;
    }
};

TEST_F(BadInput, FilesOfAnotherKind) {
    write_file(folder / "empty", "");
    write_file(folder / "text", "this is no model\n");
    write_file(folder / "almost", "GGU");
    for (const char* name : {"absent", "empty", "text", "almost", "."})
        for (const auto& args : commands_on((folder / name).string()))
            expect_refused(args, name);
}

TEST_F(BadInput, ModelsThatAreCutShort) {
    const auto model = tiny_model();
    const std::string whole = bytes_of(model);
    const size_t header = model.header().size();
    std::vector<size_t> lengths = {4, 5, 8, 16, 23, 24, 25, header - 1, header, whole.size() - 1};
    for (size_t length = 31; length < header; length += header / 12)
        lengths.push_back(length);
    for (const size_t length : lengths) {
        write_file(folder / "model.gguf", std::string_view(whole).substr(0, length));
        for (const auto& args : {commands_on((folder / "model.gguf").string())[0],
                                 commands_on((folder / "model.gguf").string())[4]})
            expect_refused(args, std::to_string(length) + " bytes");
    }
    write_file(folder / "model.gguf", std::string_view(whole).substr(0, header));
    for (const auto& args : commands_on((folder / "model.gguf").string()))
        expect_refused(args, "header alone");
}

TEST_F(BadInput, ModelsThatContradictThemselves) {
    const std::string file = (folder / "model.gguf").string();
    const auto refused = [&](const frontend::test::GgufBuilder& model, const std::string& what,
                             const std::string& why) {
        write_file(file, bytes_of(model));
        expect_refused(commands_on(file)[0], what, why);
        expect_refused(commands_on(file)[2], what, why);
    };
    refused(tiny_model().u32("llama.block_count", 0), "no layers", "llama.block_count");
    refused(tiny_model().u32("llama.block_count", 1000000000), "too many layers", "llama.block_count");
    refused(tiny_model().u32("llama.attention.head_count_kv", 3), "heads that don't divide", "head_count_kv");
    refused(tiny_model().u32("tokenizer.ggml.eos_token_id", 258), "an id out of range", "eos_token_id");
    refused(tiny_model().text("tokenizer.ggml.pre", "unheard-of"), "an unknown pre-tokenizer", "unheard-of");
    refused(tiny_model().text("general.architecture", "unheard-of"), "an unknown family", "unheard-of");
    refused(tiny_model().remove_tensor("blk.1.ffn_up.weight"), "a missing tensor", "blk.1.ffn_up.weight");
    refused(tiny_model().tensor("blk.1.attn_norm.weight", {63}), "another size", "blk.1.attn_norm.weight");
    refused(tiny_model().again("llama.block_count"), "a key that is there twice", "llama.block_count");
}

TEST_F(BadInput, SettingsThatDontFit) {
    const std::string file = (folder / "model.gguf").string();
    write_file(file, bytes_of(tiny_model()));
    expect_refused({"compile", file, "--target", "m68k"}, "target", "x86-64-v3");
    expect_refused({"compile", file, "--disable-pass", "no-such-pass"}, "pass", "no-such-pass");
    expect_refused({"compile", file, "--disable-pass", "fuse-regions"}, "a pass that begins a phase",
                   "begins a phase");
    expect_refused({"compile", file, "--stop-after", "tomorrow"}, "phase", "imported, canonical");
    expect_refused({"compile", file, "--stop-after", "fused", "--emit", "source"}, "kernels before planning",
                   "planned graphs");
    expect_refused({"compile", file, "--context", "99999999999"}, "context", "99999999999");
    expect_refused({"dump", file, "--phase", "tomorrow"}, "phase", "imported, canonical");
    expect_refused({"dump", file, "--program", "nobody"}, "program", "decode, prefill, head");
    expect_refused({"inspect", file, "--lifetimes"}, "arenas of a model", "give a plan");
    expect_refused({"compile", file, "-o", "/dev/null"}, "an output that is no file", "/dev/null");
    EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(BadInput, GraphsThatAreNone) {
    EXPECT_TRUE(fails_with(ingot({"opt", "-"}, "graph \"g\" phase imported {\n  %0 = add(%1, %2)"), 2));
    EXPECT_TRUE(fails_with(ingot({"opt", "-"}, std::string(1000, '\xff')), 2));
    EXPECT_TRUE(fails_with(ingot({"opt", (folder / "absent.ir").string()}), 2));
    const std::string good = "graph \"g\" phase imported {\n  param %0 \"a\" : f32[4] io\n  return %0\n}\n";
    EXPECT_EQ(ingot({"opt", "-"}, good).out, good);
    EXPECT_TRUE(fails_with(ingot({"opt", "-", "--passes", "no-such-pass"}, good), 2));
    EXPECT_TRUE(fails_with(ingot({"opt", "-", "--passes", "plan-memory"}, good), 2)) << "of another phase";
    EXPECT_EQ(ingot({"opt", "-"}, "").out, "");
}

TEST_F(BadInput, Plans) {
    if (!can_compile()) GTEST_SKIP() << "no compile worker in this build";
    const std::string model = (folder / "model.gguf").string(), plan = (folder / "model.ingot").string();
    write_file(model, bytes_of(tiny_model()));
    ASSERT_EQ(ingot({"compile", model, "-o", plan}).code, 0);
    const std::string whole = read_file(plan);
    const auto run = [&](const std::string& bytes) {
        write_file(plan, bytes);
        return ingot({"run", plan, "-p", "x", "-n", "1"});
    };
    ASSERT_EQ(run(whole).code, 0);
    for (const size_t length :
         {size_t{8}, size_t{100}, size_t{4095}, size_t{4096}, whole.size() / 2, whole.size() - 1})
        EXPECT_TRUE(fails_with(run(whole.substr(0, length)), 2)) << length << " bytes";
    for (size_t at = 4096; at < 4096 + 40000 && at < whole.size(); at += 5003) {
        std::string flipped = whole;
        flipped[at] = static_cast<char>(flipped[at] ^ 16);
        EXPECT_TRUE(fails_with(run(flipped), 2)) << "byte " << at;
    }
    std::string version = whole;
    version[8] = static_cast<char>(version[8] + 1);
    const Ended newer = run(version);
    EXPECT_TRUE(fails_with(newer, 2));
    EXPECT_THAT(newer.err, HasSubstr("use a newer Ingot"));

    write_file(plan, whole);
    EXPECT_TRUE(fails_with(ingot({"compile", plan}), 2));
    EXPECT_TRUE(fails_with(ingot({"run", plan, "-p", "x", "--context", "64"}), 2));
    EXPECT_TRUE(fails_with(ingot({"dump", plan, "--phase", "imported"}), 2));
    EXPECT_TRUE(fails_with(ingot({"run", plan, "-p", ""}), 2));
    EXPECT_TRUE(fails_with(ingot({"run", plan, "-p", std::string(500, 'x')}), 2))
        << "longer than the context";
    EXPECT_TRUE(fails_with(ingot({"run", plan, "-p", "x", "--device", "abacus"}), 2));
    EXPECT_TRUE(fails_with(ingot({"run", plan, "-p", "x", "--temp", "-1"}), 2));
}

} // namespace
} // namespace ingot::tools::test
