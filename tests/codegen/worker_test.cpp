// The compile worker and its client: what happens when a kernel, or the compiler itself, is at fault.
#include <gtest/gtest.h>

#include <chrono>
#include <dlfcn.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

#include "codegen/choose_compiler.h"
#include "codegen/compiler_flags.h"
#include "codegen/templates.h"
#include "codegen/worker_pool.h"
#include "ir/error.h"
#include "kernel_bodies.h"

namespace ingot::codegen::test {
namespace {

namespace fs = std::filesystem;

class Worker : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "/ingot-worker-XXXXXX";
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder = pattern;
    }
    void TearDown() override { fs::remove_all(folder); }

    WorkerOptions options() const {
        WorkerOptions o = compiler_options().worker;
        o.failures = folder / "failed";
        return o;
    }
    static CompileRequest request(const std::string& source) {
        return {.name = "blk.0.test",
                .target = "x86-64-v3",
                .source = source,
                .headers = {},
                .flags = compiler_flags(target_from_name("x86-64-v3"), Compiler::llvm)};
    }
    // A folder with a program that isn't the worker.
    fs::path script(const std::string& text) const {
        const fs::path path = folder / "ingot-worker";
        std::ofstream(path) << "#!/bin/sh\n" << text << "\n";
        chmod(path.c_str(), 0755);
        return folder;
    }
    static std::string failure(WorkerPool& pool, const CompileRequest& r) {
        try {
            pool.compile({&r, 1});
        } catch (const ir::Error& e) {
            return e.what();
        }
        return "no error";
    }

    fs::path folder;
};

const std::string good = "extern \"C\" __attribute__((visibility(\"default\"))) int answer() { return 42; }";

TEST_F(Worker, MakesAnObjectThatLoads) {
    WorkerPool pool(options());
    const CompileRequest r = request(good);
    const std::string object = pool.compile({&r, 1}).front();
    const fs::path path = folder / "answer.so";
    std::ofstream(path, std::ios::binary) << object;
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(library, nullptr) << dlerror();
    EXPECT_EQ(reinterpret_cast<int (*)()>(dlsym(library, "answer"))(), 42);
    dlclose(library);
}

TEST_F(Worker, ReportsABadSourceAndKeepsIt) {
    WorkerPool pool(options());
    const std::string message = failure(pool, request("int f() { return nothing; }"));
    EXPECT_NE(message.find("blk.0.test"), std::string::npos) << message;
    EXPECT_NE(message.find("undeclared identifier 'nothing'"), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    bool kept = false;
    for (const auto& entry : fs::recursive_directory_iterator(folder / "failed"))
        kept |= entry.path().filename() == "kernel.cpp";
    EXPECT_TRUE(kept);
}

TEST_F(Worker, RefusesWhatRefersToSomethingElse) {
    WorkerPool pool(options());
    const std::string message =
        failure(pool, request("extern \"C\" int outside(); __attribute__((visibility(\"default\"))) int f() "
                              "{ return outside(); }"));
    EXPECT_NE(message.find("outside"), std::string::npos) << message;
}

TEST_F(Worker, SeesNoFileOfTheMachine) {
    WorkerPool pool(options());
    const std::string message = failure(pool, request("#include \"/etc/passwd\"\n"));
    EXPECT_NE(message.find("file not found"), std::string::npos) << message;
    EXPECT_NE(failure(pool, request("#include <stdio.h>\n")).find("file not found"), std::string::npos);
}

TEST_F(Worker, SurvivesACrashOfTheCompiler) {
    WorkerPool pool(options());
    const std::string message = failure(pool, request("#pragma clang __debug crash\n"));
    EXPECT_NE(message.find("crashed"), std::string::npos) << message;
    EXPECT_NE(message.find("signal"), std::string::npos) << message;
    EXPECT_NE(message.find(pool.compiler()), std::string::npos) << message;
    const CompileRequest r = request(good);
    EXPECT_FALSE(pool.compile({&r, 1}).front().empty());
}

TEST_F(Worker, LeavesNoTemporaryFiles) {
    const fs::path temporary = folder / "temporary";
    fs::create_directory(temporary);
    const char* const before = getenv("TMPDIR");
    const std::string old = before == nullptr ? "" : before;
    setenv("TMPDIR", temporary.c_str(), 1);
    {
        WorkerPool pool(options());
        const CompileRequest r = request(good);
        EXPECT_FALSE(pool.compile({&r, 1}).front().empty());
        EXPECT_FALSE(fs::is_empty(temporary)) << "workers have no folder of their own";
        failure(pool, request("#pragma clang __debug crash\n"));
    }
    before == nullptr ? unsetenv("TMPDIR") : setenv("TMPDIR", old.c_str(), 1);
    EXPECT_TRUE(fs::is_empty(temporary));
}

TEST_F(Worker, StopsACompilationThatTakesTooLong) {
    WorkerOptions o = options();
    o.timeout_seconds = 0.5;
    WorkerPool pool(o);
    CompileRequest slow =
        request("constexpr long f() { long s = 0; for (long i = 0; i < 4000000000; ++i) s += i; return s; }\n"
                "static_assert(f() > 0);\n");
    slow.flags.emplace_back("-fconstexpr-steps=4294967295");
    const auto start = std::chrono::steady_clock::now();
    const std::string message = failure(pool, slow);
    EXPECT_NE(message.find("stopped after"), std::string::npos) << message;
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
    const CompileRequest r = request(good);
    EXPECT_FALSE(pool.compile({&r, 1}).front().empty());
}

TEST_F(Worker, CompilesManyInOrder) {
    WorkerPool pool(options());
    std::vector<CompileRequest> requests;
    for (int i = 0; i < 20; ++i)
        requests.push_back(request("extern \"C\" __attribute__((visibility(\"default\"))) const char name_" +
                                   std::to_string(i) + "[] = \"this is number " + std::to_string(i) +
                                   ".\";"));
    size_t last = 0;
    const auto outputs = pool.compile(requests, [&](size_t done) { EXPECT_EQ(done, ++last); });
    EXPECT_EQ(last, requests.size());
    for (size_t i = 0; i < outputs.size(); ++i)
        EXPECT_NE(outputs[i].find("number " + std::to_string(i) + "."), std::string::npos);
}

TEST_F(Worker, OneBadKernelAmongManyIsNamed) {
    WorkerPool pool(options());
    std::vector<CompileRequest> requests(8, request(good));
    requests[5] = request("#error here\n");
    requests[5].name = "blk.5.bad";
    try {
        pool.compile(requests);
        ADD_FAILURE() << "no error";
    } catch (const ir::Error& e) {
        EXPECT_EQ(e.where(), "kernel blk.5.bad");
    }
}

TEST_F(Worker, AMissingOrWrongProgramIsOneClearError) {
    WorkerOptions o = options();
    o.folder = folder / "nothing";
    EXPECT_THROW(WorkerPool{o}, ir::Error);
    o.folder = script("exit 3");
    EXPECT_THROW(WorkerPool{o}, ir::Error);
    o.folder = script("echo hello, here is some text that is no message");
    EXPECT_THROW(WorkerPool{o}, ir::Error);
    o.timeout_seconds = 0.3;
    o.folder = script("exec sleep 30");
    const auto start = std::chrono::steady_clock::now();
    EXPECT_THROW(WorkerPool{o}, ir::Error);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST_F(Worker, AWorkerWithoutACompilerSaysWhy) {
    const std::string hello = encode(WorkerHello{.protocol = std::string(worker_protocol_version),
                                                 .compiler = {},
                                                 .problem = "NVRTC is not installed: install it"});
    {
        std::ofstream out(folder / "hello", std::ios::binary);
        const uint64_t size = hello.size();
        out.write(reinterpret_cast<const char*>(&size), sizeof size);
        out << hello;
    }
    WorkerOptions o = options();
    o.folder = script("cat " + (folder / "hello").string() + "; exec sleep 30");
    try {
        const WorkerPool pool(o);
        ADD_FAILURE() << "no error";
    } catch (const ir::Error& e) {
        EXPECT_STREQ(e.what(), "NVRTC is not installed: install it");
    }
}

// All before any work, and by each compiler's own reason.
TEST_F(Worker, NoCompilerForATargetIsOneErrorThatSaysWhatToDo) {
    WorkerOptions o = options();
    o.folder = script("exit 3"); // a broken ingot-worker, and no ingot-worker-rtc
    const auto error = [&](const char* target, std::optional<Compiler> wanted) {
        try {
            start_workers(target_from_name(target), wanted, nullptr, o);
        } catch (const ir::Error& e) {
            return std::string(e.what());
        }
        return std::string("no error");
    };
    const std::string both = error("gfx1030", std::nullopt);
    EXPECT_EQ(both.find("target gfx1030: "), 0u) << both;
    EXPECT_NE(both.find("hiprtc: compile worker: there is no ingot-worker-rtc in " + folder.string()),
              std::string::npos)
        << both;
    EXPECT_NE(both.find("llvm: "), std::string::npos) << both;
    EXPECT_NE(both.find("exited with status 3"), std::string::npos) << both;
    EXPECT_EQ(both.find('\n'), std::string::npos) << both;
    EXPECT_EQ(error("sm_90", Compiler::llvm).find("target sm_90: llvm does not compile for it"), 0u);
    EXPECT_EQ(error("x86-64-v3", Compiler::nvrtc).find("target x86-64-v3: nvrtc does not"), 0u);
}

TEST(WorkerProtocol, MessagesComeBackAsTheyWere) {
    const CompileRequest r{.name = "n",
                           .target = "t",
                           .source = std::string("a\0b", 3),
                           .headers = {{"x.h", ""}, {"y.h", "z"}},
                           .flags = {"-O3", ""},
                           .emit = Emit::assembly};
    const auto back = decode_request(encode(r));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->name, r.name);
    EXPECT_EQ(back->target, r.target);
    EXPECT_EQ(back->source, r.source);
    EXPECT_EQ(back->headers, r.headers);
    EXPECT_EQ(back->flags, r.flags);
    EXPECT_EQ(back->emit, r.emit);
}

// Any bytes are a message or none: nothing is read past their end.
TEST(WorkerProtocol, DamagedMessagesAreRefused) {
    const std::string whole =
        encode(CompileRequest{.name = "n", .source = "s", .headers = {{"x.h", "t"}}, .flags = {"-O3"}});
    for (size_t n = 0; n < whole.size(); ++n)
        EXPECT_FALSE(decode_request(whole.substr(0, n)));
    EXPECT_FALSE(decode_request(whole + "x"));
    for (size_t i = 0; i < whole.size(); ++i) {
        std::string changed = whole;
        changed[i] = static_cast<char>(changed[i] ^ 0x80);
        decode_request(changed);
        decode_reply(changed);
        decode_hello(changed);
    }
}

TEST(Templates, HeadersAreTheOnesThatASourceReaches) {
    const auto names = [](const std::string& source) {
        std::vector<std::string> out;
        for (const SourceFile& f : headers_of(source))
            out.push_back(f.name);
        return out;
    };
    EXPECT_EQ(names("int x;\n"), std::vector<std::string>());
    EXPECT_EQ(names("#include \"simd.h\"\n"), (std::vector<std::string>{"simd.h", "stdint.h"}));
    // A header's own includes are looked up beside it first.
    const auto format = names("#include \"formats/q4_0.h\"\n");
    EXPECT_NE(std::find(format.begin(), format.end(), "formats/block.h"), format.end());
}

} // namespace
} // namespace ingot::codegen::test
