// A plan file opens as it was written, and not at all once anything of it is damaged or doesn't fit together.
#include "runtime/plan_file.h"

#include "plan_generated.h"
#include "runtime/digest.h"
#include "runtime/error.h"
#include "runtime/plan_version.h"
#include "runtime/plan_writer.h"

#include <cstring>
#include <fstream>
#include <functional>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ingot::runtime {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// What the tests below change in the description of a plan that is right otherwise.
struct Facts {
    std::uint64_t code_offset = 0, code_bytes = 128;
    std::uint64_t weights_bytes = 0, transient_bytes = 4096, io_bytes = 4096;
    std::uint32_t kernel = 0;
    plan::BufferRef operand{plan::Pool::transient, 64, 128};
    plan::WeightShare share{0, 2, 64};
    std::string binding = "hidden", element = "f32", second_program = "head";
    std::vector<std::int32_t> dims{-1, 8};
    plan::BufferRef buffer{plan::Pool::io, 0, 512};
    std::int32_t symbol_min = 1, symbol_max = 16;
    std::uint64_t tensor_offset = 0;
    std::vector<float> scores{0, 1};
    std::uint32_t page_positions = 64, pages = 2, context = 128;
    std::vector<plan::CachePlane> planes{{0, 4096}, {8192, 4096}};
};

std::vector<std::byte> describe(const Facts& f) {
    flatbuffers::FlatBufferBuilder b;
    const std::vector kernels = {
        plan::CreateKernelDirect(b, "k", "run", "key", "compiler", f.code_offset, f.code_bytes)};
    const auto program = [&](const char* name, const std::string& binding) {
        const std::vector symbols = {plan::CreateSymbolDirect(b, "T", f.symbol_min, f.symbol_max)};
        const std::vector<plan::BufferRef> operands = {f.operand};
        const std::vector<plan::WeightShare> shares = {f.share};
        const std::vector launches = {plan::CreateLaunchDirect(b, f.kernel, "launch", &operands, &shares)};
        const std::vector bindings = {
            plan::CreateBindingDirect(b, binding.c_str(), f.element.c_str(), &f.dims, &f.buffer)};
        return plan::CreateProgramDirect(b, name, &symbols, &launches, &bindings);
    };
    const std::vector programs = {program("prefill", "hidden"), program(f.second_program.c_str(), f.binding)};
    const std::vector tensors = {
        plan::CreateTensorDirect(b, "w", "f32", "rows", 1, 32, f.tensor_offset, 128)};
    std::uint64_t page_bytes = 0;
    for (const plan::CachePlane& plane : f.planes)
        page_bytes += plane.page_bytes();
    const auto cache = plan::CreateCacheDirect(b, f.page_positions, f.pages, 1, 2, page_bytes, &f.planes);
    const std::vector tokens = {b.CreateString("a"), b.CreateString("b")};
    const std::vector<std::int32_t> types = {1, 1};
    const auto vocabulary = plan::CreateVocabularyDirect(b, "spm", "", &tokens, &f.scores, &types);
    b.Finish(plan::CreatePlanDirect(b, format_major, format_minor, "model", "llama", "sha", "path", 0,
                                    "x86-64-v3", "default", "compiler", 1, f.context, 128, 8, 1, 2, &kernels,
                                    &programs, cache, vocabulary, &tensors, nullptr, f.weights_bytes, 16384,
                                    f.transient_bytes, f.io_bytes),
             plan::PlanIdentifier());
    const auto* bytes = reinterpret_cast<const std::byte*>(b.GetBufferPointer());
    return {bytes, bytes + b.GetSize()};
}

class PlanFileTest : public testing::Test {
  protected:
    static constexpr std::uint64_t weights = 4096 + 512;

    void SetUp() override {
        std::string pattern = testing::TempDir() + "/ingot-plan-file-XXXXXX";
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder = pattern;
        path = folder / "x.ingot";
    }
    void TearDown() override { fs::remove_all(folder); }

    void write(Facts facts) const {
        facts.weights_bytes = weights;
        const std::vector<std::byte> description = describe(facts), code(128, std::byte{0x90});
        write_plan(path, {.description = description,
                          .code = code,
                          .weights_bytes = weights,
                          .produce_weights =
                              [](WeightsSink& sink) {
                                  const std::vector<std::byte> bytes(weights, std::byte{7});
                                  sink.write(0, bytes);
                              },
                          .durable = false});
    }
    std::string content() const {
        std::ifstream in(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    void put(const std::string& bytes) const {
        std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    }
    // Of opening the plan and reading all of it.
    std::string error(Code* code = nullptr) const {
        try {
            PlanFile::open(path)->verify_weights();
        } catch (const Error& e) {
            EXPECT_EQ(e.where(), path.string());
            EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
            if (code != nullptr) *code = e.code();
            return e.what();
        }
        return "no error";
    }
    // The file with another header and the digest that goes with it.
    static std::string with_header(const std::string& whole, const std::function<void(PlanHeader&)>& change) {
        std::string bytes = whole;
        PlanHeader header;
        std::memcpy(&header, bytes.data(), sizeof header);
        const std::size_t head = header.weights.offset;
        change(header);
        header.digest = {};
        std::memcpy(bytes.data(), &header, sizeof header);
        header.digest = sha256({std::as_bytes(std::span(bytes)).first(head)});
        std::memcpy(bytes.data(), &header, sizeof header);
        return bytes;
    }

    fs::path folder, path;
};

TEST_F(PlanFileTest, OpensAsItWasWritten) {
    write({});
    EXPECT_EQ(error(), "no error");
    const auto file = PlanFile::open(path);
    EXPECT_EQ(file->description().programs()->size(), 2u);
    EXPECT_EQ(file->code_of(0).size(), 128u);
    EXPECT_EQ(file->code_of(0)[127], std::byte{0x90});
    EXPECT_EQ(file->header().weights.bytes, weights);
    EXPECT_EQ(file->header().file_bytes, fs::file_size(path));
    put(with_header(content(), [](PlanHeader&) {}));
    EXPECT_EQ(error(), "no error") << "the digest below is the right one";
}

TEST_F(PlanFileTest, EveryFlippedByteIsNoticed) {
    write({});
    const std::string whole = content();
    const auto seed = std::random_device{}();
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    const auto set = [&](std::size_t at, int byte) {
        file.seekp(static_cast<std::streamoff>(at)).put(static_cast<char>(byte)).flush();
    };
    for (std::size_t at = 0; at < whole.size(); ++at) {
        set(at, whole[at] ^ std::uniform_int_distribution(1, 255)(random));
        Code code = Code::io;
        EXPECT_NE(error(&code), "no error") << "byte " << at;
        EXPECT_TRUE(code == Code::bad_file || code == Code::version) << "byte " << at;
        set(at, whole[at]);
    }
    EXPECT_EQ(error(), "no error");
}

TEST_F(PlanFileTest, EveryOtherLengthIsNoticed) {
    write({});
    const std::string whole = content();
    for (std::size_t bytes = whole.size(); bytes-- > 0;) {
        fs::resize_file(path, bytes);
        Code code = Code::io;
        EXPECT_NE(error(&code), "no error") << bytes;
        EXPECT_EQ(code, Code::bad_file);
    }
    for (const std::size_t more : {1, 4096, 1 << 20}) {
        put(whole + std::string(more, '\0'));
        EXPECT_THAT(error(), HasSubstr("the file has"));
    }
}

TEST_F(PlanFileTest, OtherVersionsSayWhatToDo) {
    write({});
    const std::string whole = content();
    const auto with = [&](std::uint32_t major, std::uint32_t minor) {
        put(with_header(whole, [&](PlanHeader& h) {
            h.format_major = major;
            h.format_minor = minor;
        }));
        Code code = Code::io;
        const std::string text = error(&code);
        EXPECT_EQ(code, Code::version);
        return text;
    };
    EXPECT_THAT(with(format_major + 1, 0), HasSubstr("use a newer Ingot"));
    EXPECT_THAT(with(format_major, format_minor + 1), HasSubstr("use a newer Ingot"));
    EXPECT_THAT(with(UINT32_MAX, UINT32_MAX), HasSubstr("4294967295.4294967295"));
    EXPECT_THAT(with(format_major - 1, 7), HasSubstr("compile the model again"));
}

TEST_F(PlanFileTest, HeadersThatLie) {
    write({});
    const std::string whole = content();
    constexpr std::uint64_t near_limits[] = {0,          1,          4097,       5000,           1ULL << 31,
                                             1ULL << 32, 1ULL << 63, 1ULL << 40, UINT64_MAX - 1, UINT64_MAX};
    for (const std::uint64_t value : near_limits) {
        const std::function<void(PlanHeader&)> changes[] = {
            [&](PlanHeader& h) { h.file_bytes = value; },
            [&](PlanHeader& h) { h.description.offset = value; },
            [&](PlanHeader& h) { h.description.bytes = value; },
            [&](PlanHeader& h) { h.code.offset = value; },
            [&](PlanHeader& h) { h.code.bytes = value; },
            [&](PlanHeader& h) { h.weights.offset = value; },
            [&](PlanHeader& h) { h.weights.bytes = value; },
            [&](PlanHeader& h) { h.weights_checksum = value; },
            [&](PlanHeader& h) { h.description = h.code = {}; },
        };
        for (const auto& change : changes) {
            put(with_header(whole, change));
            EXPECT_NE(error(), "no error") << value << ", change " << &change - changes;
        }
    }
}

TEST_F(PlanFileTest, DescriptionsThatLieAreNeverWritten) {
    constexpr std::uint64_t top = UINT64_MAX - 63; // 64-aligned
    const struct {
        std::function<void(Facts&)> lie;
        const char* why;
    } lies[] = {
        {[](Facts& f) { f.kernel = 1; }, "there is no kernel 1"},
        {[](Facts& f) { f.code_offset = 64; }, "128 bytes at 64 end past the 128 bytes there are"},
        {[](Facts& f) { f.code_offset = top; }, "end past the 128 bytes"},
        {[](Facts& f) { f.code_bytes = 0; }, "kernel 0 (k): has no code"},
        {[](Facts& f) { f.transient_bytes = 1ULL << 47; }, "more than any machine has"},
        {[](Facts& f) { f.operand = {plan::Pool::transient, 4096, 64}; },
         "operand 0: 64 bytes at 4096 end past"},
        {[](Facts& f) { f.operand = {plan::Pool::transient, 32, 64}; }, "offset 32 is not 64-aligned"},
        {[](Facts& f) { f.operand = {plan::Pool::transient, 64, UINT64_MAX - 32}; }, "end past"},
        {[](Facts& f) { f.operand = {static_cast<plan::Pool>(9), 64, 64}; }, "no pool has the number 9"},
        {[](Facts& f) { f.share = {0, 1ULL << 32, 1ULL << 32}; }, "weight share wraps"},
        {[](Facts& f) { f.share = {4096, 9, 64}; }, "weight share: 576 bytes at 4096 end past"},
        {[](Facts& f) { f.binding = "other"; }, "binding other: overlaps hidden"},
        {[](Facts& f) { f.element = "f99"; }, "has the element f99"},
        {[](Facts& f) { f.dims = {-2}; }, "there is no symbol 1"},
        {[](Facts& f) { f.dims = {17, 8}; }, "needs 544 bytes and has 512"},
        {[](Facts& f) { f.dims = {INT32_MAX, INT32_MAX, INT32_MAX}; }, "its size wraps"},
        {[](Facts& f) { f.dims.assign(9, 1); }, "more than 8 dimensions"},
        {[](Facts& f) { f.buffer = {plan::Pool::state, 0, 512}; }, "is not in the io arena"},
        {[](Facts& f) { f.symbol_min = 17; }, "the bounds 17 to 16"},
        {[](Facts& f) { f.symbol_min = -1; }, "the bounds -1 to 16"},
        {[](Facts& f) { f.second_program = "prefill"; }, "program prefill: there are two of it"},
        {[](Facts& f) { f.tensor_offset = 8192; }, "tensor w: 128 bytes at 8192 end past"},
        {[](Facts& f) { f.scores = {1}; }, "1 scores for 2 tokens"},
        {[](Facts& f) { f.pages = 0; }, "cache: a count is 0"},
        {[](Facts& f) { f.pages = UINT32_MAX; }, "cache plane"},
        {[](Facts& f) { f.context = 129; }, "a context of 129 positions, and page tables for 128"},
        {[](Facts& f) { f.context = 0; }, "a context of 0"},
        {[](Facts& f) { f.planes[1] = {4096, 4096}; }, "two planes overlap"},
        {[](Facts& f) { f.planes[1] = {8192, UINT64_MAX / 4}; }, "cache"},
        {[](Facts& f) { f.planes.clear(); }, "has no planes"},
    };
    for (const auto& [lie, why] : lies) {
        Facts facts;
        lie(facts);
        try {
            write(facts);
            ADD_FAILURE() << why;
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), Code::bad_file);
            EXPECT_THAT(e.what(), HasSubstr(why));
        }
        EXPECT_TRUE(fs::is_empty(folder)) << why;
    }
}

TEST_F(PlanFileTest, WhatIsNoPlanAtAll) {
    EXPECT_THROW(PlanFile::open(folder / "absent"), Error);
    EXPECT_THROW(PlanFile::open(folder), Error);
    put("");
    EXPECT_THAT(error(), HasSubstr("is too short for a plan"));
    put(std::string(100000, 'x'));
    EXPECT_THAT(error(), HasSubstr("is not a plan"));
}

} // namespace
} // namespace ingot::runtime
