// Tensors, number formats and block formats.
#include "ir/tensor.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/error.h"
#include "ir/float16.h"

namespace ingot::ir {
namespace {

using testing::Each;
using testing::ElementsAre;

// Value of a binary16 from its definition, to check the conversions against.
double f16_value(uint16_t h) {
    const int exponent = h >> 10 & 31, mantissa = h & 1023;
    const double sign = h >> 15 != 0 ? -1.0 : 1.0;
    if (exponent == 31) return mantissa != 0 ? std::nan("") : sign * std::numeric_limits<double>::infinity();
    if (exponent == 0) return sign * std::ldexp(mantissa, -24);
    return sign * std::ldexp(1024 + mantissa, exponent - 25);
}

TEST(Float16, EveryHalfIsExact) {
    for (uint32_t h = 0; h < 65536; ++h) {
        const auto half = static_cast<uint16_t>(h);
        const double expected = f16_value(half);
        const float f = f16_to_f32(half);
        if (std::isnan(expected)) {
            ASSERT_TRUE(std::isnan(f) && std::isnan(f16_to_f32(f32_to_f16(f)))) << h;
            continue;
        }
        ASSERT_EQ(f, expected) << h;
        ASSERT_EQ(std::signbit(f), std::signbit(expected)) << h;
        ASSERT_EQ(f32_to_f16(f), half) << h;
        ASSERT_EQ(bf16_to_f32(half), std::bit_cast<float>(h << 16)) << h;
    }
}

TEST(Float16, RoundsToNearestEven) {
    const uint64_t seed = std::random_device{}();
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    for (int i = 0; i < 300000; ++i) {
        // Half of them lie exactly between two halves or next to that.
        auto bits = static_cast<uint32_t>(random());
        if (i % 2 == 0) bits = ((bits & 0xffffe000U) | 0x1000U) + static_cast<uint32_t>(random() % 3) - 1;
        const float f = std::bit_cast<float>(bits);
        if (std::isnan(f)) continue;
        const uint16_t h = f32_to_f16(f);
        const auto magnitude = static_cast<uint16_t>(h & 0x7fff);
        const double x = std::fabs(f), here = f16_value(magnitude);
        ASSERT_EQ(h >> 15 != 0, std::signbit(f));
        if (magnitude == 0x7c00) {
            ASSERT_GE(x, 65520.0) << f;
            continue;
        }
        // Ahead of infinity lies 65536, as far as rounding is concerned.
        const double above = magnitude == 0x7bff ? 65536.0 : f16_value(static_cast<uint16_t>(magnitude + 1));
        const double below = magnitude == 0 ? 0.0 : f16_value(static_cast<uint16_t>(magnitude - 1));
        const bool even = magnitude % 2 == 0;
        ASSERT_TRUE(x - here < above - x || (even && x - here == above - x)) << f;
        ASSERT_TRUE(magnitude == 0 || here - x < x - below || (even && here - x == x - below)) << f;
    }
    EXPECT_EQ(f32_to_bf16(1.00390625F), 0x3f80); // a tie goes to even
    EXPECT_EQ(f32_to_bf16(1.01171875F), 0x3f82);
    EXPECT_EQ(f32_to_bf16(std::numeric_limits<float>::max()), 0x7f80);
    EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(std::bit_cast<float>(0x7f800001U)))));
}

struct Bytes {
    std::vector<std::byte> data;
    template <class T>
    Bytes& add(T v) {
        const size_t at = data.size();
        data.resize(at + sizeof v);
        std::memcpy(data.data() + at, &v, sizeof v);
        return *this;
    }
    Bytes& codes(size_t count) { // byte i holds i in its low half and 15 - i in its high half
        for (size_t i = 0; i < count; ++i)
            add(static_cast<uint8_t>(i | (15 - i) << 4));
        return *this;
    }
};

std::vector<float> dequantized(Element e, const Bytes& bytes, size_t count) {
    std::vector<float> out(count);
    dequantize(e, bytes.data, out);
    return out;
}

TEST(Tensor, BlockFormatsDecode) {
    const uint16_t two = f32_to_f16(2.0F), minus_half = f32_to_f16(-0.5F);
    const uint32_t high = 0x80000001; // the fifth bits of elements 0 and 31
    const std::vector<float> q4_0 = dequantized(Element::q4_0, Bytes{}.add(two).codes(16), 32);
    const std::vector<float> q4_1 =
        dequantized(Element::q4_1, Bytes{}.add(two).add(minus_half).codes(16), 32);
    const std::vector<float> q5_0 = dequantized(Element::q5_0, Bytes{}.add(two).add(high).codes(16), 32);
    const std::vector<float> q5_1 =
        dequantized(Element::q5_1, Bytes{}.add(two).add(minus_half).add(high).codes(16), 32);
    for (int i = 0; i < 32; ++i) {
        const int code = i < 16 ? i : 31 - i, fifth = i == 0 || i == 31 ? 16 : 0;
        const auto at = static_cast<size_t>(i);
        EXPECT_EQ(q4_0[at], 2.0F * static_cast<float>(code - 8)) << i;
        EXPECT_EQ(q4_1[at], 2.0F * static_cast<float>(code) - 0.5F) << i;
        EXPECT_EQ(q5_0[at], 2.0F * static_cast<float>(code + fifth - 16)) << i;
        EXPECT_EQ(q5_1[at], 2.0F * static_cast<float>(code + fifth) - 0.5F) << i;
    }
    Bytes q8;
    for (const uint16_t scale : {two, minus_half}) {
        q8.add(scale);
        for (int i = 0; i < 32; ++i)
            q8.add(static_cast<int8_t>(i * 8 - 128));
    }
    const std::vector<float> q8_0 = dequantized(Element::q8_0, q8, 64);
    EXPECT_EQ(q8_0[0], -256.0F);
    EXPECT_EQ(q8_0[31], 240.0F);
    EXPECT_EQ(q8_0[32], 64.0F);
    EXPECT_THROW(dequantized(Element::q8_0, q8, 96), Error) << "past the end";
    EXPECT_THROW(dequantized(Element::q8_0, q8, 33), Error) << "half a block";
    EXPECT_THROW(dequantized(Element::q4_k, Bytes{std::vector<std::byte>(144)}, 256), Error)
        << "does not run";
}

TEST(Tensor, QuantizesRowsOfActivations) {
    std::vector<float> x(128);
    for (size_t i = 0; i < 64; ++i)
        x[i] = static_cast<float>(i) - 20.0F; // row 0
    x[64] = 1e-42F;                           // row 1: a block of denormals, a block of zeros
    const std::vector<std::byte> bytes = quantize_q8a(x);
    ASSERT_EQ(bytes.size(), 2 * 2 * 44U);
    const auto load = [&]<class T>(size_t at, T v) {
        std::memcpy(&v, bytes.data() + at, sizeof v);
        return v;
    };
    // Block 0 of row 0 holds -20..11: the scale is 20/127; -20 becomes -127.
    EXPECT_EQ(load(0, int8_t{}), -127);
    EXPECT_FLOAT_EQ(load(32, float{}), 20.0F / 127.0F);
    EXPECT_FLOAT_EQ(load(44 + 32, float{}), 43.0F / 127.0F);
    int32_t sum = 0;
    for (size_t i = 0; i < 32; ++i)
        sum += load(i, int8_t{});
    EXPECT_EQ(load(36, int32_t{}), sum);
    EXPECT_FLOAT_EQ(load(40, float{}), 20.0F / 127.0F * static_cast<float>(sum));
    EXPECT_EQ(load(88, int8_t{}), 127);
    EXPECT_EQ(load(88 + 44, int8_t{}), 0);
    EXPECT_EQ(load(88 + 44 + 32, float{}), 0.0F);

    Tensor t = Tensor::zeros(Element::q8a, {2, 64});
    *t.owned = bytes;
    t.data = *t.owned;
    const std::vector<float> back = t.to_floats();
    for (size_t i = 0; i < 64; ++i)
        EXPECT_NEAR(back[i], x[i], (i < 32 ? 20.0 : 43.0) / 254.0 * 1.0001);
}

TEST(Tensor, TiesRoundToEvenAndNothingFiniteOverflows) {
    std::vector<float> x(32, 0.0F);
    x[0] = 127.0F;
    x[1] = 0.5F;
    x[2] = 1.5F;
    x[3] = -2.5F;
    const std::vector<std::byte> bytes = quantize_q8a(x);
    EXPECT_EQ(static_cast<int8_t>(bytes[1]), 0);
    EXPECT_EQ(static_cast<int8_t>(bytes[2]), 2);
    EXPECT_EQ(static_cast<int8_t>(bytes[3]), -2);
    x[0] = std::numeric_limits<float>::max();
    std::vector<float> out(32);
    dequantize(Element::q8a, quantize_q8a(x), out);
    EXPECT_FLOAT_EQ(out[0], std::numeric_limits<float>::max());
}

TEST(Tensor, ABlockWithNoScaleIsNanThroughout) {
    for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
        std::vector<float> x(32, 1.0F), out(32);
        x[7] = bad;
        dequantize(Element::q8a, quantize_q8a(x), out);
        EXPECT_THAT(out, Each(testing::IsNan()));
    }
}

TEST(Tensor, MutableDataCopiesWhatIsShared) {
    Tensor a = Tensor::from_floats({2}, std::vector<float>{1, 2});
    const std::byte* before = a.data.data();
    EXPECT_EQ(a.mutable_data().data(), before);
    const Tensor b = a;
    a.mutable_data()[3] = std::byte{0x40};
    EXPECT_THAT(b.to_floats(), ElementsAre(1, 2));
    EXPECT_NE(a.to_floats()[0], 1.0F);
    const std::vector<std::byte> file(8);
    Tensor view = Tensor::view(Element::f32, {2}, file);
    EXPECT_EQ(view.owned, nullptr);
    EXPECT_NE(view.mutable_data().data(), file.data());
    EXPECT_THROW(Tensor::view(Element::f32, {3}, file), Error);
    EXPECT_EQ(Tensor::view(Element::f32, {1}, file).data.size(), 4U);
}

} // namespace
} // namespace ingot::ir
