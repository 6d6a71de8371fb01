// Files that can't be used: one line, exit code 2, nothing written.
#include <cstring>

#include "runtime/digest.h"
#include "runtime/plan_header.h"
#include "tests/tools/bad_input.h"
#include "tests/tools/model_file.h"

namespace ingot::tools::test {
namespace {

using testing::HasSubstr;

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
    EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
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

// The plan with the name of another target, and the digest that goes with it.
std::string for_another_machine(std::string plan) {
    for (size_t at = 0; (at = plan.find("x86-64-v", at)) != plan.npos; ++at)
        plan[at + 8] = '9';
    runtime::PlanHeader header;
    std::memcpy(&header, plan.data(), sizeof header);
    header.digest = {};
    std::memcpy(plan.data(), &header, sizeof header);
    header.digest = runtime::sha256({std::as_bytes(std::span(plan)).first(header.weights.offset)});
    std::memcpy(plan.data(), &header, sizeof header);
    return plan;
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

    const Ended foreign = run(for_another_machine(whole));
    EXPECT_TRUE(fails_with(foreign, 2));
    EXPECT_THAT(foreign.err, HasSubstr("compile with --target x86-64-v"));

    // The weights are not read again by every run, but verify looks at them.
    std::string flipped = whole;
    flipped.back() = static_cast<char>(flipped.back() ^ 1);
    write_file(plan, flipped);
    const Ended damaged = ingot({"verify", plan});
    EXPECT_TRUE(fails_with(damaged, 2));
    EXPECT_THAT(damaged.err, HasSubstr("the weights are damaged; compile the model again"));

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
