// The GGUF reader on wrong files: each gives one line that names the file and what is wrong.
#include "frontend/gguf/reader.h"
#include "tests/frontend/gguf_builder.h"

#include <functional>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ingot::frontend::test {
namespace {

using gguf::File;
using testing::HasSubstr;
using testing::StartsWith;

constexpr uint64_t near_limits[] = {
    (1ull << 31) - 1, 1ull << 31, (1ull << 31) + 1, (1ull << 32) - 1, 1ull << 32,     (1ull << 32) + 1,
    (1ull << 63) - 1, 1ull << 63, (1ull << 63) + 1, UINT64_MAX - 7,   UINT64_MAX - 1, UINT64_MAX,
};

std::string error_of(const Bytes& bytes) {
    // A copy of just this size, so that a sanitizer sees a read of one byte too many.
    const std::vector<std::byte> exact(bytes.begin(), bytes.end());
    try {
        File::parse(exact, "x.gguf");
    } catch (const ir::Error& error) {
        EXPECT_EQ(error.where(), "x.gguf");
        return error.what();
    }
    return "no error";
}

void expect_error(const GgufBuilder& g, const std::string& fragment) {
    const std::string error = error_of(g.bytes());
    EXPECT_THAT(error, StartsWith("x.gguf: "));
    EXPECT_THAT(error, HasSubstr(fragment));
    EXPECT_EQ(error.find_first_of("\n\r\x1B"), error.npos) << "not one printable line: " << error;
}

// A right file that each test below spoils in one place.
GgufBuilder right() {
    GgufBuilder g;
    g.u32("one", 1).text("two", "text").array<float>("three", 6, {1, 2});
    g.tensor("a", {32, 2}).tensor("b", {32, 2}, ir::Element::q4_1).tensor("c", {4});
    return g;
}

TEST(GgufBadInput, TheRightFileIsRight) {
    EXPECT_EQ(error_of(right().bytes()), "no error");
}

TEST(GgufBadInput, Header) {
    const auto with = [](auto change) {
        GgufBuilder g = right();
        change(g);
        return g;
    };
    expect_error(with([](auto& g) { g.magic = "GGUG"; }), "is not a GGUF file: it starts with 'GGUG'");
    expect_error(with([](auto& g) { g.magic = "\x1B\n\xFF!"; }), "it starts with '\\x1B\\x0A\\xFF!'");
    expect_error(with([](auto& g) { g.magic = "FUGG"; }), "is a big-endian GGUF file; convert it");
    expect_error(with([](auto& g) { g.version = 0x03000000; }), "is a big-endian GGUF file; convert it");
    for (const uint32_t version : {0u, 1u, 4u, UINT32_MAX})
        expect_error(with([&](auto& g) { g.version = version; }),
                     "is GGUF version " + std::to_string(version) + "; versions 2 and 3 can be read");
    for (const uint64_t count : near_limits) {
        expect_error(with([&](auto& g) { g.tensor_count = count; }), "tensors, but");
        expect_error(with([&](auto& g) { g.metadata_count = count; }), "metadata keys, but");
    }
    expect_error(with([](auto& g) { g.metadata_count = 4; }), "");
    expect_error(with([](auto& g) { g.metadata_count = 2; }), "");
    expect_error(with([](auto& g) { g.tensor_count = 4; }), "");
}

TEST(GgufBadInput, Keys) {
    expect_error(right().u32("", 1), "key 3 is empty");
    expect_error(right().again("two"), "two keys are named 'two'");
    expect_error(right().u32(std::string("one\0x", 5), 1), "key 3, 'one\\x00x', has a NUL in it");
    expect_error(right().u32("a\xFF", 1), "key 3, 'a\\xFF', is not UTF-8");
    expect_error(right().u32("\xED\xA0\x80", 1), "is not UTF-8");
    expect_error(right().u32(std::string(65536, 'k'), 1), "key 3 is 65536 bytes long; at most 65535");
    EXPECT_EQ(error_of(right().u32(std::string(65535, 'k'), 1).bytes()), "no error");
    expect_error(right().again("line\nfeed").again("line\nfeed"), "'line\\x0Afeed'");
}

TEST(GgufBadInput, Values) {
    for (const uint32_t type : {13u, 14u, 255u, UINT32_MAX})
        expect_error(right().raw("bad", type, Bytes(8)), "key 'bad' has the unknown value type");
    expect_error(right().boolean("bad", 2), "key 'bad': a bool is 2, not 0 or 1");
    expect_error(right().boolean("bad", 255), "key 'bad': a bool is 255, not 0 or 1");
    expect_error(right().array<uint8_t>("bad", 7, {0, 1, 3}), "key 'bad': a bool is 3, not 0 or 1");
    expect_error(right().array<uint8_t>("bad", 9, {0, 0}), "key 'bad' is an array of arrays");
    expect_error(right().array<uint8_t>("bad", 13, {0, 0}), "key 'bad' has the unknown value type 13");
}

TEST(GgufBadInput, LengthsNearTheLimits) {
    for (const uint64_t length : near_limits) {
        Bytes text;
        append(text, length);
        expect_error(right().raw("bad", 8, text), "the file ends inside the value of key 'bad'");
        for (uint32_t element = 0; element < 13; ++element) {
            if (element == 9) continue;
            Bytes array;
            append(array, element);
            append(array, length);
            expect_error(right().raw("bad", 9, array), "key 'bad' is an array of " + std::to_string(length));
        }
        Bytes texts; // one string whose own length lies
        append<uint32_t>(texts, 8);
        append<uint64_t>(texts, 1);
        append(texts, length);
        expect_error(right().raw("bad", 9, texts), "the file ends inside the value of key 'bad'");

        // The key's own length.
        Bytes bytes = right().header();
        std::memcpy(bytes.data() + 24, &length, sizeof length);
        EXPECT_THAT(error_of(bytes), HasSubstr("key 0 is " + std::to_string(length) + " bytes long"));
    }
}

TEST(GgufBadInput, Alignment) {
    for (const uint32_t bad : {0u, 1u, 2u, 3u, 4u, 7u, 33u, 48u, 1u << 21, 1u << 31, UINT32_MAX})
        expect_error(right().u32("general.alignment", bad),
                     "key 'general.alignment' is " + std::to_string(bad) +
                         "; it must be a power of two of 8 to 1048576");
    expect_error(right().u64("general.alignment", 1ull << 40),
                 "key 'general.alignment' is u64 1099511627776, but must be a u32");
    expect_error(right().u64("general.alignment", 32), "must be a u32");
    expect_error(right().i32("general.alignment", 32), "must be a u32");
    expect_error(right().f32("general.alignment", 32), "must be a u32");
    expect_error(right().text("general.alignment", "32"), "must be a u32");
    expect_error(right().array<uint32_t>("general.alignment", 4, {32}), "must be a u32");
    for (uint64_t good = 8; good <= 1 << 20; good *= 2) {
        GgufBuilder g = right();
        g.alignment = good;
        EXPECT_EQ(error_of(g.u32("general.alignment", static_cast<uint32_t>(good)).bytes()), "no error")
            << good;
    }
}

TEST(GgufBadInput, TensorNames) {
    expect_error(right().tensor("", {4}), "tensor 3 has an empty name");
    expect_error(right().tensor_again({.name = "a", .dims = {4}, .data = Bytes(16)}),
                 "two tensors are named 'a'");
    expect_error(right().tensor(std::string("a\0", 2), {4}), "tensor 3, 'a\\x00', has a NUL in it");
    expect_error(right().tensor("\xC0\x80", {4}), "tensor 3, '\\xC0\\x80', is not UTF-8");
    expect_error(right().tensor(std::string(64, 't'), {4}),
                 "the name of tensor 3 is 64 bytes long; at most 63");
    EXPECT_EQ(error_of(right().tensor(std::string(63, 't'), {4}).bytes()), "no error");
}

TEST(GgufBadInput, TensorDims) {
    const auto lie = [](std::vector<uint64_t> dims, uint32_t type = 0) {
        return right().tensor({.name = "bad", .dims = std::move(dims), .type = type, .data = Bytes(128)});
    };
    expect_error(lie({}), "tensor 'bad' has 0 dimensions; 1 to 4 are allowed");
    expect_error(lie({1, 1, 1, 1, 1}), "tensor 'bad' has 5 dimensions; 1 to 4 are allowed");
    for (const uint32_t count : {5u, 255u, 1u << 31, UINT32_MAX})
        expect_error(right().tensor({.name = "bad", .dims = {32}, .data = Bytes(128), .dim_count = count}),
                     "tensor 'bad' has " + std::to_string(count) + " dimensions");
    expect_error(lie({0}), "tensor 'bad': a dimension is 0 in [0]");
    expect_error(lie({32, 0}), "tensor 'bad': a dimension is 0 in [32, 0]");
    expect_error(lie({1ull << 32, 1ull << 32}), "more than 63 bits can count");
    expect_error(lie({1ull << 16, 1ull << 16, 1ull << 16, 1ull << 16}), "more than 63 bits can count");
    expect_error(lie({1ull << 16, 1ull << 16, 1ull << 16, (1ull << 16) + 1}), "more than 63 bits can count");
    expect_error(lie({1ull << 61}), "more bytes than 63 bits can count");
    expect_error(lie({1ull << 31, 1ull << 30}), "more bytes than 63 bits can count");
    // 2^63 elements of Q4_0 are fewer than 2^63 bytes; it is the count that has no room.
    expect_error(lie({1ull << 32, 1ull << 31}, 2), "elements are more than 63 bits can count");
    expect_error(lie({31}, 3), "a row of 31 elements is not whole blocks of 32, as Q4_1 needs");
    expect_error(lie({16, 2}, 8), "a row of 16 elements is not whole blocks of 32, as Q8_0 needs");
    expect_error(lie({128}, 12), "a row of 128 elements is not whole blocks of 256, as Q4_K needs");
    for (const uint64_t dim : near_limits) {
        expect_error(lie({dim}), "tensor 'bad'");
        expect_error(lie({32, dim}), "tensor 'bad'");
        expect_error(lie({dim, dim}), "tensor 'bad'");
        expect_error(lie({dim, dim, dim, dim}), "tensor 'bad'");
    }
}

TEST(GgufBadInput, TensorTypes) {
    for (const uint32_t type : {4u, 5u, 31u, 32u, 33u, 36u, 37u, 38u, 43u, 255u, 1u << 31, UINT32_MAX})
        expect_error(right().tensor({.name = "bad", .dims = {256}, .type = type, .data = Bytes(2048)}),
                     "tensor 'bad' has the unknown element type " + std::to_string(type));
}

TEST(GgufBadInput, TensorPlaces) {
    const auto at = [](uint64_t offset) {
        return right().tensor({.name = "bad", .dims = {32}, .data = Bytes(128), .offset = offset});
    };
    expect_error(at(1), "tensor 'bad' starts at offset 1, not a multiple of the alignment 32");
    expect_error(at(336), "not a multiple of the alignment 32");
    expect_error(at(0), "tensors 'a' and 'bad' overlap");
    expect_error(at(128), "tensors 'a' and 'bad' overlap");
    expect_error(at(256), "overlap"); // b: 80 bytes at 256
    expect_error(at(1 << 20), "ends past the");
    for (const uint64_t offset : near_limits)
        expect_error(at(offset), "tensor 'bad'");
    expect_error(at(UINT64_MAX - 31), "ends past the"); // offset + size wraps

    GgufBuilder near;
    near.tensor({.name = "n", .dims = {9}, .data = Bytes(36)});
    near.tensor({.name = "m", .dims = {4}, .data = Bytes(16), .offset = 32});
    expect_error(near, "tensors 'n' and 'm' overlap: 36 bytes at offset 0 reach past offset 32");

    GgufBuilder g;
    g.tensor({.name = "last", .dims = {32}, .data = Bytes(64)});
    expect_error(g, "tensor 'last' (128 bytes at offset 0) ends past the 64 bytes of data in the file");
    EXPECT_THAT(error_of(right().header()), HasSubstr("ends past the 0 bytes of data"));
}

TEST(GgufBadInput, EveryTruncationIsAnError) {
    GgufBuilder g = right();
    g.texts("four", {"a", "bb"}).boolean("five", 1).f64("six", 6);
    const Bytes whole = g.bytes();
    const Bytes padding_only = g.header();
    EXPECT_EQ(error_of(whole), "no error");
    // The last tensor, c, has 16 bytes and 16 bytes of padding, which are allowed to be cut off.
    for (size_t length = 0; length < whole.size() - 16; ++length) {
        const std::string error = error_of(Bytes(whole.begin(), whole.begin() + static_cast<long>(length)));
        EXPECT_THAT(error, StartsWith("x.gguf: ")) << length;
        EXPECT_THAT(error, HasSubstr("truncated")) << length;
    }
    EXPECT_EQ(error_of(Bytes(whole.begin(), whole.end() - 16)), "no error");
    ASSERT_LT(padding_only.size(), whole.size());
}

TEST(GgufBadInput, EveryTruncationOfAModelsHeaderIsAnError) {
    const GgufBuilder model = tiny_llama();
    const Bytes whole = model.bytes();
    for (size_t length = 0; length <= model.header().size(); ++length) {
        const std::string error = error_of(Bytes(whole.begin(), whole.begin() + static_cast<long>(length)));
        EXPECT_THAT(error, HasSubstr("truncated")) << length;
    }
}

TEST(GgufBadInput, RandomDamageNeverCrashes) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const Bytes header = tiny_llama().header();
    const Bytes whole = tiny_llama().bytes();
    const auto pick = [&](size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random); };
    size_t refused = 0;
    constexpr size_t rounds = 3000;
    for (size_t round = 0; round < rounds; ++round) {
        Bytes bytes = whole;
        for (size_t k = 1 + pick(3); k > 0; --k) {
            const size_t at = pick(header.size());
            switch (pick(3)) {
            case 0:
                bytes[at] ^= static_cast<std::byte>(1 << pick(8));
                break;
            case 1:
                bytes[at] = static_cast<std::byte>(pick(256));
                break;
            default: {
                const uint64_t value = near_limits[pick(std::size(near_limits))];
                if (at + sizeof value <= header.size()) std::memcpy(bytes.data() + at, &value, sizeof value);
            }
            }
        }
        refused += error_of(bytes) != "no error";
    }
    EXPECT_GT(refused, rounds / 10); // damage to names and values may go unseen; to sizes it may not
}

} // namespace
} // namespace ingot::frontend::test
