// Printing and parsing: what the text looks like, that it round-trips, and what errors say.
#include "ir/print.h"

#include <cmath>
#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/error.h"
#include "ir/verify.h"
#include "tests/ir/random_graph.h"

namespace ingot::ir {
namespace {

constexpr std::string_view example = R"(graph "example" phase planned {
  symbol T = 1..4
  param %0 "tokens" : i32[T] io
  param %1 "table" : q8_0[10, 64] weights
  param %2 "w" : q4_1[32, 64] weights
  %3 = pack(%2) : q4_1[32, 64] panel16 weights
  %4 "bias" = constant() {values = [0.5]} : f32[1] weights
  %5, %6 "out" = fused "layer.0"(%0, %1, %3, %4) : f32[T, 64] transient at 0 size 1024, f32[T, 32] io body "b" phase fused {
    param %0 : i32[T] io
    param %1 : q8_0[10, 64] weights
    param %2 : q4_1[32, 64] panel16 weights
    param %3 : f32[1] weights
    %4 = embed(%0, %1) : f32[T, 64] transient
    %5 = rms_norm(%4, %6) {eps = 1e-05} : f32[T, 64] transient
    return %4, %5
  }
  return %6
}
)";

TEST(Text, PrintsAsTheExampleSays) {
    const Graph g = parse(example);
    EXPECT_EQ(print(g), example);
    EXPECT_EQ(g.nodes.size(), 3U);
    EXPECT_EQ(g.values[6].name, "out");
    EXPECT_EQ(g.values[5].placement, (Placement{.offset = 0, .bytes = 1024}));
    EXPECT_EQ(g.bodies.at(0).name, "b");
    EXPECT_EQ(g.bodies.at(0).phase, Phase::fused);
    EXPECT_EQ(g.type(3).layout, Layout::panel16);
    EXPECT_EQ(g.type(5).dims, (std::vector<Dim>{Dim::symbol(0), 64}));
    EXPECT_EQ(print(g.type(5), g.symbols), "f32[T, 64] transient");
}

TEST(Text, SpaceAndCommentsDoNotMatter) {
    std::string loose;
    for (const char c : example)
        loose += c == '\n' ? std::string(" // \"%9 }\r\n\t ") : std::string(1, c);
    EXPECT_EQ(parse(loose), parse(example));
}

// Not well-formed, but all that a graph can hold.
TEST(Text, RoundTripsEveryNameAndAttribute) {
    std::string bytes;
    for (int i = 0; i < 256; ++i)
        bytes += static_cast<char>(i);
    constexpr double inf = std::numeric_limits<double>::infinity();
    const std::vector<double> reals = {0.0, -0.0, 1.0, -1e300, 5e-324, 0.1, 1e22, inf, -inf, std::nan("")};
    Graph g;
    g.name = bytes;
    g.add_symbol({bytes, 1, 2});
    g.add_symbol({"none", -5, std::numeric_limits<int64_t>::max()});
    g.add_symbol({"", std::numeric_limits<int64_t>::min(), 0});
    g.add_param(bytes, {.dims = {Dim::symbol(0), Dim::symbol(1), Dim::symbol(2),
                                 std::numeric_limits<int64_t>::max()}});
    g.add_param(
        "", {.element = Element::iq2_xxs, .dims = {}, .layout = Layout::kv_channels, .pool = Pool::state});
    Graph body;
    body.symbols = {{"other", 1, 1}};
    body.name = bytes;
    body.results = {7};
    Graph empty_body; // without symbols
    const NodeId n = g.add_node(Op::launch, {0, 4000000000, 0}, {{.dims = {3}}, {.dims = {4}}},
                                {{bytes, bytes},
                                 {"a", reals},
                                 {"b", std::vector<double>()},
                                 {"c", std::vector<int64_t>()},
                                 {"ints", std::vector<int64_t>{std::numeric_limits<int64_t>::min(), -1, 0}},
                                 {"inf", -0.0},
                                 {"nan", int64_t{7}},
                                 {"d", std::vector<double>{std::nan("")}},
                                 {"e", -inf},
                                 {"", std::string()}},
                                bytes, body);
    g.add_node(Op::fused, {}, {{.dims = {1}}}, {}, {}, empty_body);
    g.values[g.nodes[n].results[1]].placement = {.offset = 1, .bytes = std::numeric_limits<int64_t>::max()};
    g.results = {3, 3, 0};
    const std::string text = print(g);
    EXPECT_EQ(text.find_first_not_of("\n !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`"
                                     "abcdefghijklmnopqrstuvwxyz{|}~"),
              std::string::npos);
    const Graph back = parse(text);
    EXPECT_EQ(back, g) << text;
    EXPECT_TRUE(std::signbit(std::get<double>(back.nodes[0].attrs[5].value)));
}

TEST(Text, RandomRealsRoundTrip) {
    const uint64_t seed = std::random_device{}();
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    Graph g;
    std::vector<double> reals;
    for (int i = 0; i < 20000; ++i)
        reals.push_back(std::bit_cast<double>(random()));
    g.add_node(Op::constant, {}, {{.dims = {20000}}}, {{"values", reals}});
    EXPECT_EQ(parse(print(g)), g);
}

TEST(Text, AttributesDifferWhereTheirBitsDo) {
    EXPECT_NE((Attr{"a", 0.0}), (Attr{"a", -0.0}));
    EXPECT_EQ((Attr{"a", std::nan("")}), (Attr{"a", std::nan("")}));
    EXPECT_NE((Attr{"a", 1.0}), (Attr{"a", int64_t{1}}));
    EXPECT_NE((Attr{"a", std::vector<double>{0.0}}), (Attr{"a", std::vector<double>{-0.0}}));
}

TEST(Text, SeveralGraphsFollowEachOther) {
    const std::string two = std::string(example) + "// next\n" + std::string(example);
    EXPECT_THAT(parse_all(two), testing::SizeIs(2));
    EXPECT_THAT(parse_all(" // nothing\n"), testing::IsEmpty());
    try {
        parse(two, "two.ir");
        FAIL();
    } catch (const Error& e) {
        EXPECT_STREQ(e.what(), "two.ir:20:1: one graph is expected, and here is more");
    }
}

struct BadText {
    const char *text, *message;
};

std::string body_of(const std::string& inner) {
    return "graph \"g\" phase imported {\n" + inner + "}";
}

TEST(Text, ErrorsSayWhereAndWhat) {
    const BadText bad_bodies[] = {
        {"symbol T = 1..2 symbol T = 1..3 return", "x:2:24: two symbols are named \"T\""},
        {"symbol T = 1 return", "x:2:14: '..' is expected"},
        {"symbol T = 1..99999999999999999999 return", "x:2:15: the number is out of range"},
        {"param %1 : f32[1] io return", "x:2:7: values are numbered in order: here %0 is expected"},
        {"param %0 : f32[0] io return", "x:2:16: it must be at least 1"},
        {"param %0 : f32[-1] io return", "x:2:16: it must be at least 1"},
        {"param %0 : f32[T] io return", "x:2:16: no symbol is named \"T\""},
        {"param %0 : f32[1.0] io return", "x:2:16: a dim is expected"},
        {"param %0 : f33[1] io return", "x:2:12: 'f33' is not an element type"},
        {"param %0 : f32[1] heap return", "x:2:19: 'heap' is not a layout or pool"},
        {"param %0 : f32[1] panel16 rows return", "x:2:27: 'rows' is not a layout or pool"},
        {"param %0 : f32[1 2] io return", "x:2:18: ']' is expected"},
        {"param 0 : f32[1] io return", "x:2:7: a value is expected"},
        {"param % : f32[1] io return", "x:2:8: a value is written %0, %1, ..."},
        {"param %4294967295 : f32[1] io return", "x:2:7: this is not a value's number"},
        {"param %0 : f32[1] io at 1 return", "x:2:27: 'size' is expected"},
        {"param %0 : f32[1] io at -1 size 1 return", "x:2:25: it must be at least 0"},
        {"%0 = mull() : f32[1] io return", "x:2:6: 'mull' is not an op"},
        {"%0 = () : f32[1] io return", "x:2:6: an op is expected"},
        {"%0 = mul( : f32[1] io return", "x:2:11: a value is expected"},
        {"%0 = mul() {a 1} : f32[1] io return", "x:2:15: '=' is expected"},
        {"%0 = mul() {a = } : f32[1] io return", "x:2:17: an integer is expected"},
        {"%0 = mul() {a = [1, 2.0]} : f32[1] io return", "x:2:21: an integer is expected"},
        {"%0 = mul() {a = [2.0, 1]} : f32[1] io return", "x:2:23: a real is expected"},
        {"%0 = mul() {a = 1e999} : f32[1] io return", "x:2:17: the number is out of range"},
        {"%0 = mul() {a = 12ab} : f32[1] io return", "x:2:19: a number ends here and a name starts"},
        {"%0 = mul() {a = -} : f32[1] io return", "x:2:18: a number is expected after '-'"},
        {"%0 = mul() {a = ints[1]} : f32[1] io return", "x:2:22: ']' is expected"},
        {"%0 = mul() {a = \"b} : f32[1] io return", "x:2:17: the string does not end"},
        {"%0 = mul() {a = \"\\q\"} : f32[1] io return", "x:2:19: an escape is one of \\\" \\\\ \\n \\xHH"},
        {"%0 = mul() {a = \"\\xg0\"} : f32[1] io return", "x:2:20: \\x needs two digits, 0-9 or a-f"},
        {"%0, %1 = mul() : f32[1] io return", "x:2:28: ',' is expected"},
        {"%0 = mul() return", "x:2:12: ':' is expected"},
        {"param %0 : f32[1] io", "x:2:21: 'return' is expected"},
        {"return %0,", "x:2:11: a value is expected"},
        {"\n\n  &", "x:4:3: the byte 0x26 can't stand here"},
        {"\x80", "x:2:1: the byte 0x80 can't stand here"},
    };
    for (const BadText& bad : bad_bodies) {
        try {
            parse(body_of(bad.text), "x");
            ADD_FAILURE() << bad.text;
        } catch (const Error& e) {
            EXPECT_STREQ(e.what(), bad.message) << bad.text;
        }
    }
    const BadText bad_files[] = {
        {"", "x:1:1: 'graph' is expected"},
        {"graph g", "x:1:7: a string is expected"},
        {"graph \"g\" phase raw {return}", "x:1:17: 'raw' is not a phase"},
        {"graph \"g\" phase fused {return", "x:1:30: '}' is expected"},
    };
    for (const BadText& bad : bad_files) {
        try {
            parse(bad.text, "x");
            ADD_FAILURE() << bad.text;
        } catch (const Error& e) {
            EXPECT_STREQ(e.what(), bad.message) << bad.text;
        }
    }
}

TEST(Text, NestingIsLimited) {
    const auto nested = [](int depth) {
        std::string text = "graph \"g\" phase fused {";
        for (int i = 0; i < depth; ++i)
            text += "%0 = fused() : f32[1] io body {";
        for (int i = 0; i <= depth; ++i)
            text += "return}";
        return text;
    };
    EXPECT_NO_THROW(parse(nested(8)));
    EXPECT_THROW(parse(nested(9)), Error);
    EXPECT_THROW(parse(nested(100000)), Error);
}

TEST(Text, SymbolsAreLimited) {
    const auto with = [](int symbols) {
        std::string text;
        for (int i = 0; i < symbols; ++i)
            text += "symbol s" + std::to_string(i) + " = 1..1 ";
        return body_of(text + "return");
    };
    EXPECT_EQ(parse(with(64)).symbols.size(), 64U);
    EXPECT_THROW(parse(with(65)), Error);
}

TEST(Text, EveryPrefixIsAnError) {
    const std::string text(example.substr(0, example.size() - 1));
    for (size_t n = 0; n < text.size(); ++n)
        EXPECT_THROW(parse(text.substr(0, n)), Error) << n;
    EXPECT_NO_THROW(parse(text));
}

TEST(Text, ChangedBytesGiveAGraphOrAnError) {
    const uint64_t seed = std::random_device{}();
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    int graphs = 0, errors = 0;
    for (int i = 0; i < 3000; ++i) {
        std::string text =
            i % 2 == 0 ? std::string(example) : print(test::random_graph(seed + static_cast<uint64_t>(i)));
        for (uint64_t changes = random() % 3 + 1; changes > 0; --changes)
            text[random() % text.size()] = static_cast<char>(random() % 256);
        try {
            const Graph g = parse(text);
            ASSERT_EQ(parse(print(g)), g) << text;
            ++graphs;
            verify(g);
        } catch (const Error& e) {
            ASSERT_FALSE(e.where().empty());
            ++errors;
        }
    }
    EXPECT_GT(graphs, 0);
    EXPECT_GT(errors, 0);
}

} // namespace
} // namespace ingot::ir
