// The GGUF reader on right files: every value and tensor comes back as it was written.
#include "frontend/gguf/reader.h"
#include "frontend/gguf/text.h"
#include "tests/frontend/gguf_builder.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ingot::frontend::test {
namespace {

using gguf::File;
using testing::ElementsAre;
using testing::HasSubstr;

// Everything of one value and of one array of each of the thirteen types.
GgufBuilder every_type() {
    GgufBuilder g;
    g.u8("v.u8", 255).i8("v.i8", -128).u16("v.u16", 65535).i16("v.i16", -32768);
    g.u32("v.u32", UINT32_MAX).i32("v.i32", INT32_MIN).u64("v.u64", UINT64_MAX).i64("v.i64", INT64_MIN);
    g.f32("v.f32", -0.1f).f64("v.f64", 1e300).boolean("v.true", 1).boolean("v.false", 0);
    g.text("v.text", "a\nb \xC3\xA4").text("v.empty", "");
    g.array<uint8_t>("a.u8", 0, {0, 255})
        .array<int8_t>("a.i8", 1, {-1})
        .array<uint16_t>("a.u16", 2, {1, 2, 3});
    g.array<int16_t>("a.i16", 3, {-300}).array<uint32_t>("a.u32", 4, {UINT32_MAX, 0});
    g.array<int32_t>("a.i32", 5, {INT32_MIN, 7}).array<float>("a.f32", 6, {0.5f, -2});
    g.array<uint8_t>("a.bool", 7, {1, 0, 1}).texts("a.text", {"", "one", "two words"});
    g.array<uint64_t>("a.u64", 10, {UINT64_MAX}).array<int64_t>("a.i64", 11, {INT64_MIN});
    g.array<double>("a.f64", 12, {1e-300}).array<float>("a.none", 6, {}).texts("a.no_text", {});
    return g;
}

TEST(Gguf, ReadsEveryMetadataType) {
    for (const uint32_t version : {2u, 3u}) {
        GgufBuilder g = every_type();
        g.version = version;
        const Bytes bytes = g.bytes();
        const File file = File::parse(bytes, "x.gguf");
        EXPECT_EQ(file.version(), version);
        EXPECT_EQ(file.metadata().size(), 28u);
        EXPECT_EQ(file.metadata().front().key, "v.u8");
        EXPECT_EQ(file.metadata().back().key, "a.no_text");

        EXPECT_EQ(file.require<uint32_t>("v.u8"), 255u);
        EXPECT_EQ(file.require<int32_t>("v.i8"), -128);
        EXPECT_EQ(file.require<uint64_t>("v.u16"), 65535u);
        EXPECT_EQ(file.require<int64_t>("v.i16"), -32768);
        EXPECT_EQ(file.require<uint32_t>("v.u32"), UINT32_MAX);
        EXPECT_EQ(file.require<int32_t>("v.i32"), INT32_MIN);
        EXPECT_EQ(file.require<uint64_t>("v.u64"), UINT64_MAX);
        EXPECT_EQ(file.require<int64_t>("v.i64"), INT64_MIN);
        EXPECT_EQ(file.require<float>("v.f32"), -0.1f);
        EXPECT_EQ(file.require<double>("v.f64"), 1e300);
        EXPECT_TRUE(file.require<bool>("v.true"));
        EXPECT_FALSE(file.require<bool>("v.false"));
        EXPECT_EQ(file.require<std::string_view>("v.text"), "a\nb \xC3\xA4");
        EXPECT_EQ(file.require<std::string_view>("v.empty"), "");

        EXPECT_THAT(file.require<std::vector<uint32_t>>("a.u8"), ElementsAre(0u, 255u));
        EXPECT_THAT(file.require<std::vector<uint32_t>>("a.u16"), ElementsAre(1u, 2u, 3u));
        EXPECT_THAT(file.require<std::vector<uint32_t>>("a.u32"), ElementsAre(UINT32_MAX, 0u));
        EXPECT_THAT(file.require<std::vector<int32_t>>("a.i32"), ElementsAre(INT32_MIN, 7));
        EXPECT_THAT(file.require<std::vector<float>>("a.f32"), ElementsAre(0.5f, -2.f));
        EXPECT_THAT(file.require<std::vector<std::string_view>>("a.text"),
                    ElementsAre("", "one", "two words"));
        EXPECT_TRUE(file.require<std::vector<float>>("a.none").empty());
        EXPECT_TRUE(file.require<std::vector<std::string_view>>("a.no_text").empty());

        EXPECT_EQ(gguf::to_text(*file.find("a.i8")), "[-1]");
        EXPECT_EQ(gguf::to_text(*file.find("a.i16")), "[-300]");
        EXPECT_EQ(gguf::to_text(*file.find("a.bool")), "[true, false, true]");
        EXPECT_EQ(gguf::to_text(*file.find("a.u64")), "[18446744073709551615]");
        EXPECT_EQ(gguf::to_text(*file.find("a.i64")), "[-9223372036854775808]");
        EXPECT_EQ(gguf::to_text(*file.find("a.f64")), "[1e-300]");
        EXPECT_EQ(gguf::to_text(*file.find("a.text"), 2), "['', 'one', ... 3 in all]");
        EXPECT_EQ(gguf::describe(*file.find("v.text")), "string 'a\\x0Ab \xC3\xA4'");
        EXPECT_EQ(gguf::describe(*file.find("a.bool")), "array of 3 bool");
    }
}

std::string error_of(const auto& action) {
    try {
        action();
    } catch (const ir::Error& error) {
        return error.what();
    }
    return "no error";
}

TEST(Gguf, TypedGettersNameKeyWantedAndActualType) {
    const Bytes bytes = every_type().bytes();
    const File file = File::parse(bytes, "x.gguf");
    EXPECT_FALSE(file.get<uint32_t>("absent").has_value());
    EXPECT_EQ(error_of([&] { file.require<uint32_t>("absent"); }),
              "x.gguf: key 'absent' is missing; it must be an integer of 0 to 4294967295");
    EXPECT_EQ(error_of([&] { file.get<uint32_t>("v.text"); }),
              "x.gguf: key 'v.text' is string 'a\\x0Ab \xC3\xA4', but must be an integer of 0 to 4294967295");
    EXPECT_THAT(error_of([&] { file.get<uint32_t>("v.u64"); }), HasSubstr("u64 18446744073709551615"));
    EXPECT_THAT(error_of([&] { file.get<uint64_t>("v.i8"); }), HasSubstr("i8 -128"));
    EXPECT_THAT(error_of([&] { file.get<int64_t>("v.u64"); }), HasSubstr("must be"));
    EXPECT_THAT(error_of([&] { file.get<uint32_t>("v.f32"); }), HasSubstr("must be an integer"));
    EXPECT_THAT(error_of([&] { file.get<uint32_t>("v.true"); }), HasSubstr("bool true"));
    EXPECT_THAT(error_of([&] { file.get<uint32_t>("a.u32"); }), HasSubstr("array of 2 u32"));
    EXPECT_THAT(error_of([&] { file.get<float>("v.u8"); }), HasSubstr("must be a floating-point number"));
    EXPECT_THAT(error_of([&] { file.get<float>("v.f64"); }), HasSubstr("f64 1e+300"));
    EXPECT_THAT(error_of([&] { file.get<bool>("v.u8"); }), HasSubstr("must be a bool"));
    EXPECT_THAT(error_of([&] { file.get<std::string_view>("a.text"); }), HasSubstr("must be a string"));
    EXPECT_THAT(error_of([&] { file.get<std::vector<float>>("a.f64"); }),
                HasSubstr("must be an array of f32"));
    EXPECT_THAT(error_of([&] { file.get<std::vector<float>>("v.f32"); }),
                HasSubstr("must be an array of f32"));
    EXPECT_THAT(error_of([&] { file.get<std::vector<int32_t>>("a.u32"); }), HasSubstr("array of i32"));
    EXPECT_THAT(error_of([&] { file.get<std::vector<uint32_t>>("a.i32"); }), HasSubstr("array of integers"));
    EXPECT_THAT(error_of([&] { file.get<std::vector<uint32_t>>("a.none"); }), HasSubstr("array of 0 f32"));
    EXPECT_THAT(error_of([&] { file.get<std::vector<std::string_view>>("v.text"); }),
                HasSubstr("array of string"));
}

TEST(Gguf, ReadsTensorsOfEveryElementType) {
    GgufBuilder g;
    int fill = 1;
    for (const ir::ElementInfo& element : ir::all_elements())
        if (element.gguf_id >= 0)
            g.tensor(std::string(element.text), {element.block_elements * 2, 3, 1, 2},
                     *ir::element_from_gguf(static_cast<uint32_t>(element.gguf_id)), fill++);
    const Bytes bytes = g.bytes();
    const File file = File::parse(bytes, "x.gguf");
    EXPECT_EQ(file.alignment(), 32u);
    EXPECT_EQ(file.data_offset() % 32, 0u);
    fill = 1;
    for (const ir::ElementInfo& element : ir::all_elements()) {
        if (element.gguf_id < 0) continue;
        const gguf::TensorInfo* tensor = file.find_tensor(element.text);
        ASSERT_NE(tensor, nullptr) << element.text;
        EXPECT_THAT(tensor->dims, ElementsAre(element.block_elements * 2, 3, 1, 2));
        EXPECT_EQ(tensor->rows(), 6u);
        EXPECT_EQ(tensor->bytes, 12 * element.block_bytes);
        ASSERT_EQ(tensor->data.size(), tensor->bytes);
        EXPECT_EQ(tensor->data.data(), bytes.data() + file.data_offset() + tensor->offset)
            << "a copy was made";
        EXPECT_EQ(tensor->data.front(), static_cast<std::byte>(fill));
        EXPECT_EQ(tensor->data.back(), static_cast<std::byte>(fill++));
        const std::string error = error_of([&] { require_runnable(file, *tensor); });
        const std::string refusal =
            "x.gguf: tensor '" + std::string(element.text) + "' is " + std::string(element.gguf) +
            ", which this build cannot compute with; convert the model to one of " + gguf::runnable_types();
        EXPECT_EQ(error, element.runs ? "no error" : refusal);
    }
    EXPECT_EQ(file.find_tensor("none"), nullptr);
    for (const char* name : {"F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"})
        EXPECT_THAT(gguf::runnable_types(), HasSubstr(name));
}

TEST(Gguf, AcceptsGapsAnyOrderOtherAlignmentsAndTrailingBytes) {
    GgufBuilder g;
    g.alignment = 8;
    g.u32("general.alignment", 8);
    g.tensor({.name = "later", .dims = {2}, .type = 0, .data = Bytes(8), .offset = 64});
    g.tensor({.name = "first", .dims = {1}, .type = 0, .data = Bytes(4), .offset = 0});
    Bytes bytes = g.bytes();
    bytes.resize(bytes.size() + 100);
    const File file = File::parse(bytes, "x.gguf");
    EXPECT_EQ(file.alignment(), 8u);
    EXPECT_EQ(file.find_tensor("later")->data.data() - file.find_tensor("first")->data.data(), 64);
    EXPECT_EQ(file.tensors()[0].name, "later");
}

TEST(Gguf, AcceptsAFileWithoutTensorsThatEndsBeforeTheDataSection) {
    const Bytes bytes = GgufBuilder().u32("a", 1).header();
    ASSERT_NE(bytes.size() % 32, 0u);
    EXPECT_TRUE(File::parse(bytes, "x.gguf").tensors().empty());
}

TEST(Gguf, FindsEachOfManyKeys) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    GgufBuilder g;
    std::vector<std::string> keys;
    for (uint32_t i = 0; i < 500; ++i)
        keys.push_back("k" + std::to_string(i));
    std::ranges::shuffle(keys, random);
    for (uint32_t i = 0; i < keys.size(); ++i)
        g.u32(keys[i], i).tensor(keys[i], {i + 1});
    const Bytes bytes = g.bytes();
    const File file = File::parse(bytes, "x.gguf");
    for (uint32_t i = 0; i < keys.size(); ++i) {
        EXPECT_EQ(file.require<uint32_t>(keys[i]), i);
        EXPECT_EQ(file.find_tensor(keys[i])->row_length(), i + 1);
        EXPECT_EQ(file.find(keys[i] + "x"), nullptr);
    }
}

// A folder of this test's own, removed at its end.
class GgufOnDisk : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "ingot-gguf-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }
    std::string path(const char* name) const { return folder_ / name; }
    std::string write(const char* name, const Bytes& bytes) const {
        std::ofstream(path(name), std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        return path(name);
    }
    std::filesystem::path folder_;
};

TEST_F(GgufOnDisk, OpensAndStaysValidWhenMoved) {
    const std::string name = write("a.gguf", tiny_llama().bytes());
    File file = File::open(name);
    const gguf::TensorInfo* tensor = file.find_tensor("output_norm.weight");
    const auto key = file.require<std::string_view>("general.architecture");
    File moved = std::move(file);
    std::filesystem::remove(name); // the mapping holds the file
    EXPECT_EQ(moved.find_tensor("output_norm.weight"), tensor);
    EXPECT_EQ(tensor->data[5], std::byte{0x3C});
    EXPECT_EQ(key, "llama");
    EXPECT_EQ(moved.name(), name);
    File other = File::open(write("b.gguf", every_type().bytes()));
    other = std::move(moved);
    EXPECT_EQ(other.find_tensor("output_norm.weight")->data[5], std::byte{0x3C});
}

TEST_F(GgufOnDisk, NamesTheFileAndTheReason) {
    const auto error = [](const std::string& p) { return error_of([&] { File::open(p); }); };
    EXPECT_EQ(error(path("absent")), path("absent") + ": cannot open the file: No such file or directory");
    EXPECT_EQ(error(folder_.string()), folder_.string() + ": is a directory; name a file");
    EXPECT_EQ(error(write("empty", {})), path("empty") + ": the file is empty");
    ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
    EXPECT_THAT(error(path("pipe")), HasSubstr("is not a regular file")); // and does not wait for a writer
    const std::string locked = write("locked", every_type().bytes());
    std::filesystem::permissions(locked, std::filesystem::perms::none);
    if (geteuid() != 0) { // root may read anything
        EXPECT_THAT(error(locked), HasSubstr("Permission denied"));
    }
}

TEST(GgufText, TellsUtf8FromOtherBytes) {
    for (const char* right : {"", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
                              "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"})
        EXPECT_TRUE(gguf::valid_utf8(right)) << right;
    for (const char* wrong :
         {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\xBF", "\xE2\x82",
          "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE",
          "\xFF", "a\xF0\x90\x80", "\xC3\xA4\xA4"})
        EXPECT_FALSE(gguf::valid_utf8(wrong)) << wrong;
    EXPECT_TRUE(gguf::valid_utf8(std::string_view("\0", 1)));
}

TEST(GgufText, QuotesOnOnePrintableLine) {
    EXPECT_EQ(gguf::quoted("plain \xC3\xA4"), "'plain \xC3\xA4'");
    EXPECT_EQ(gguf::quoted(std::string_view("a\0\n\x1B[\xFF\xC2\x85", 8)),
              "'a\\x00\\x0A\\x1B[\\xFF\\xC2\\x85'");
    EXPECT_EQ(gguf::quoted(std::string(1000, 'x')), "'" + std::string(80, 'x') + "...'");
}

} // namespace
} // namespace ingot::frontend::test
