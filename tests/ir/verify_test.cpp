// Each rule of the verifier is broken once, and the error has to name the node and the rule.
#include "ir/verify.h"

#include <functional>

#include <gtest/gtest.h>

#include "ir/error.h"
#include "ir/print.h"

namespace ingot::ir {
namespace {

// A step with a cache, a region and placements: well-formed, and the ground for the mutations below.
constexpr std::string_view base = R"(graph "g" phase planned {
  symbol T = 1..4
  param %0 "x" : f32[T, 16] io
  param %1 "w" : f32[16, 16] weights
  param %2 "cache" : f16[8, 2, 4, 8] state
  param %3 "positions" : i32[T] io
  param %4 "seqs" : i32[T] io
  param %5 "pages" : i32[1, 3] io
  %6 = pack(%1) : f32[16, 16] panel16 weights
  %7, %8 = fused "first"(%0, %6, %2, %3, %4, %5) : f32[T, 16] transient at 0 size 256, f16[8, 2, 4, 8] state body {
    param %0 : f32[T, 16] io
    param %1 : f32[16, 16] panel16 weights
    param %2 : f16[8, 2, 4, 8] state
    param %3 : i32[T] io
    param %4 : i32[T] io
    param %5 : i32[1, 3] io
    %6 = matmul "blk"(%0, %1) : f32[T, 16] transient
    %7 = kv_append(%2, %6, %3, %4, %5) : f16[8, 2, 4, 8] state
    return %6, %7
  }
  %9 = fused "second"(%7, %8, %3, %4, %5) : f32[T, 16] transient at 256 size 256 body {
    param %0 : f32[T, 16] transient
    param %1 : f16[8, 2, 4, 8] state
    param %2 : i32[T] io
    param %3 : i32[T] io
    param %4 : i32[1, 3] io
    %5 = attention(%0, %1, %1, %2, %3, %4) {scale = 0.5} : f32[T, 16] transient
    return %5
  }
  %10 = fused "third"(%9) : f32[T, 16] io body {
    param %0 : f32[T, 16] transient
    %1 = neg(%0) : f32[T, 16] transient
    return %1
  }
  return %10, %8
}
)";

TEST(Verify, BaseIsWellFormed) {
    EXPECT_NO_THROW(verify(parse(base)));
}

void expect_error(const Graph& g, const std::string& what, const std::string& label) {
    try {
        verify(g);
        ADD_FAILURE() << label << ": nothing was wrong; expected: " << what;
    } catch (const Error& e) {
        EXPECT_EQ(std::string(e.what()), what) << label;
    }
}

struct BrokenIds {
    const char* what;
    std::function<void(Graph&)> change;
};

TEST(Verify, StructureIsCheckedOnAnyGraph) {
    constexpr ValueId far = 4000000000;
    const std::vector<BrokenIds> table = {
        {"graph g: a symbol has no name", [](Graph& g) { g.symbols[0].name = ""; }},
        {"graph g: two symbols are named \"T\"", [](Graph& g) { g.symbols.push_back({"T", 1, 1}); }},
        {"graph g: it has 65 symbols; it may have 64",
         [](Graph& g) {
             while (g.symbols.size() < 65)
                 g.symbols.push_back({"S" + std::to_string(g.symbols.size()), 1, 1});
         }},
        {"graph g: symbol T has bounds 0..4; they must be 1 <= min <= max",
         [](Graph& g) { g.symbols[0].min = 0; }},
        {"graph g: symbol T has bounds 1..0; they must be 1 <= min <= max",
         [](Graph& g) { g.symbols[0].max = 0; }},
        {"graph g: params are values 0..5 in order, but param 1 is %4000000000",
         [](Graph& g) { g.params[1] = far; }},
        {"graph g, node %7 fused (first): value %2 \"cache\" is a param and has a producer",
         [](Graph& g) { g.values[2].producer = 1; }},
        {"graph g: value %3 is a param without a name", [](Graph& g) { g.values[3].name = ""; }},
        {"graph g: two params are named \"x\"", [](Graph& g) { g.values[1].name = "x"; }},
        {"graph g, node %7 fused (first): operand %4000000000 is not defined before its use",
         [](Graph& g) { g.nodes[1].operands[1] = far; }},
        {"graph g, node %7 fused (first): operand %9 is not defined before its use",
         [](Graph& g) { g.nodes[1].operands[0] = 9; }},
        {"graph g, node fused (third): it has no result", [](Graph& g) { g.nodes[3].results.clear(); }},
        {"graph g, node %4000000000 fused (third): values are numbered in order: its result is %4000000000 "
         "and should be %10",
         [](Graph& g) { g.nodes[3].results[0] = far; }},
        {"graph g, node %9 fused (second): its result %9 names another producer",
         [](Graph& g) { g.values[9].producer = 3; }},
        {"graph g, node %6 pack: only regions have a body", [](Graph& g) { g.nodes[0].body = 0; }},
        {"graph g, node %9 fused (second): it has no body", [](Graph& g) { g.nodes[2].body = no_id; }},
        {"graph g, node %9 fused (second): bodies are numbered in order: its body is 2 and should be 1",
         [](Graph& g) { g.nodes[2].body = 2; }},
        {"graph g, node %10 fused (third): bodies are numbered in order: its body is 2 and should be 2",
         [](Graph& g) { g.bodies.pop_back(); }},
        {"graph g: body 3 belongs to no node", [](Graph& g) { g.bodies.emplace_back(); }},
        {"graph g: value %11 is neither a param nor a result", [](Graph& g) { g.values.emplace_back(); }},
        {"graph g: result %4000000000 is not defined", [](Graph& g) { g.results[0] = far; }},
        {"graph g, node %7 fused (first), body, node %6 matmul (blk): operand %99 is not defined before its "
         "use",
         [](Graph& g) { g.bodies[0].nodes[0].operands[0] = 99; }},
        {"graph g: value %0 \"x\" has 0 dims; it must have 1 to 4",
         [](Graph& g) { g.values[0].type.dims.clear(); }},
        {"graph g: value %0 \"x\" has 5 dims; it must have 1 to 4",
         [](Graph& g) { g.values[0].type.dims.assign(5, Dim(1)); }},
        {"graph g: value %0 \"x\" has a bad type: a dim refers to symbol 1 of 1",
         [](Graph& g) { g.values[0].type.dims[0] = Dim::symbol(1); }},
        {"graph g: value %0 \"x\" has a bad type: a dim is less than 1",
         [](Graph& g) { g.values[0].type.dims[0] = 0; }},
        {"graph g: value %0 \"x\" has a bad type: its size in bytes exceeds 63 bits",
         [](Graph& g) { g.values[0].type.dims = {int64_t{1} << 31, int64_t{1} << 31}; }},
        {"graph g: value %1 \"w\" has a bad type: a row of 16 elements is not whole q4_1 blocks of 32",
         [](Graph& g) { g.values[1].type.element = Element::q4_1; }},
        {"graph g: value %0 \"x\" has layout panel16, which is for weights of two constant dims",
         [](Graph& g) { g.values[0].type.layout = Layout::panel16; }},
        {"graph g: value %1 \"w\" has layout kv_channels, which is for floats of four dims in state",
         [](Graph& g) { g.values[1].type.layout = Layout::kv_channels; }},
        {"graph g: value %3 \"positions\" has a bad type: panel16 needs two dims",
         [](Graph& g) { g.values[3].type.layout = Layout::panel16; }},
        {"graph g, node %6 pack: value %6 has a bad type: panel16_pair needs an even number of rows, not 15",
         [](Graph& g) {
             g.values[6].type.dims[0] = 15;
             g.values[6].type.layout = Layout::panel16_pair;
         }},
    };
    for (const BrokenIds& broken : table) {
        Graph g = parse(base);
        broken.change(g);
        print(g); // is not to crash on any of these
        expect_error(g, broken.what, broken.what);
    }
}

// The text of `base` with one place changed.
struct BrokenText {
    const char *from, *to, *what;
};

TEST(Verify, RulesOnNodesAndStorage) {
    const BrokenText table[] = {
        // Bodies.
        {"    param %0 : f32[T, 16] io\n", "    symbol T = 1..5\n    param %0 : f32[T, 16] io\n",
         "graph g, node %7 fused (first): its body has other symbols than the graph around it"},
        {"(%0, %6, %2,", "(%6, %2,", "graph g, node %7 fused (first): it has 5 operands, its body 6 params"},
        {"return %6, %7", "return %6", "graph g, node %7 fused (first): it has 2 results, its body 1"},
        {"(%0, %6, %2,", "(%0, %1, %2,",
         "graph g, node %7 fused (first): operand 1 is f32[16, 16] weights, the body's param f32[16, 16] "
         "panel16 weights"},
        {"%9 = fused \"second\"(%7, %8, %3, %4, %5) : f32[T, 16]",
         "%9 = fused \"second\"(%7, %8, %3, %4, %5) : f32[T, 8]",
         "graph g, node %9 fused (second): result 0 is f32[T, 8] transient, the body's result f32[T, 16] "
         "transient"},
        // Op table.
        {"neg(%0)", "neg(%0, %0)",
         "graph g, node %10 fused (third), body, node %1 neg: it has 2 operands and takes 1"},
        {"attention(%0, %1, %1, %2, %3, %4)", "attention(%0, %1)",
         "graph g, node %9 fused (second), body, node %5 attention: it has 2 operands and takes 6 to 7"},
        {"{scale = 0.5} ", "",
         "graph g, node %9 fused (second), body, node %5 attention: attribute 1 must be 'scale'"},
        {"{scale = 0.5}", "{size = 0.5}",
         "graph g, node %9 fused (second), body, node %5 attention: attribute 1 must be 'scale', not 'size'"},
        {"{scale = 0.5}", "{scale = 1}",
         "graph g, node %9 fused (second), body, node %5 attention: attribute 'scale' must be a real"},
        {"{scale = 0.5}", "{scale = 0.5, more = 1}",
         "graph g, node %9 fused (second), body, node %5 attention: it has no attribute 'more'"},
        // Type rules.
        {"%6 = matmul \"blk\"(%0, %1) : f32[T, 16] transient",
         "%6 = matmul \"blk\"(%0, %1) : f32[T, 17] transient",
         "graph g, node %7 fused (first): result 0 is f32[T, 16] transient, the body's result f32[T, 17] "
         "transient"},
        {"%1 = neg(%0) : f32[T, 16] transient\n    return %1",
         "%1 = neg(%0) : f32[T, 16] transient\n    %2 = neg(%0) : f32[16] transient\n    return %1",
         "graph g, node %10 fused (third), body, node %2 neg: its result is f32[16] transient, the type rule "
         "gives f32[T, 16] transient"},
        {"%6 = pack(%1) : f32[16, 16] panel16 weights", "%6 = pack(%0) : f32[16, 16] panel16 weights",
         "graph g, node %6 pack: weight is f32[T, 16] io; it must be in weights"},
        // Phases.
        {"phase planned", "phase fused", "graph g, node %6 pack: pack may not stand in phase fused"},
        {"phase planned", "phase lowered",
         "graph g, node %7 fused (first): fused may not stand in phase lowered"},
        {"%1 = neg(%0) : f32[T, 16] transient\n    return %1",
         "%1 = neg(%0) : f32[T, 16] transient\n    %2 = fused(%0) : f32[T, 16] transient body {param %0 : "
         "f32[T, 16] transient return %0}\n    return %1",
         "graph g, node %10 fused (third), body, node %2 fused: fused may not stand in a body"},
        // Pools.
        {"f32[T, 16] transient at 0 size 256, f16[8, 2, 4, 8] state body",
         "f32[T, 16] weights, f16[8, 2, 4, 8] state body",
         "graph g, node %7 fused (first): result 0 is f32[T, 16] weights, the body's result f32[T, 16] "
         "transient"},
        {"return %10, %8", "return %8",
         "graph g, node %10 fused (third): value %10 is in io and is not a result of the graph"},
        {"param %0 \"x\" : f32[T, 16] io", "param %0 \"x\" : f32[T, 16] transient",
         "graph g, node %7 fused (first): operand 0 is f32[T, 16] transient, the body's param f32[T, 16] io"},
        // Effects.
        {"return %10, %8", "return %10, %2",
         "graph g: result %2 is an old version: node %7 fused (first) has changed it"},
        {"\"second\"(%7, %8,", "\"second\"(%7, %2,",
         "graph g, node %9 fused (second): it reads %2, an old version: node %7 fused (first) has changed "
         "it"},
        {"    return %6, %7",
         "    %8 = kv_append(%7, %6, %3, %4, %5) : f16[8, 2, 4, 8] state\n    return %6, %7",
         "graph g, node %7 fused (first), body: result %7 is an old version: node %8 kv_append has changed "
         "it"},
        {"    return %6, %7",
         "    %8 = kv_append(%2, %6, %3, %4, %5) : f16[8, 2, 4, 8] state\n    return %6, %7",
         "graph g, node %7 fused (first), body, node %8 kv_append: %2 is changed in place before, by node %7 "
         "kv_append"},
        {"    return %6, %7", "    return %6, %2",
         "graph g, node %7 fused (first): value %8 is in state and is not a new version of an operand"},
        {"    return %5\n", "    %6 = kv_append(%1, %5, %2, %3, %4) : f16[8, 2, 4, 8] state\n    return %5\n",
         "graph g, node %9 fused (second), body, node %6 kv_append: value %6 is a new version that the body "
         "does not return"},
        // Placements.
        {"io body {\n    param %0 : f32[T, 16] transient",
         "io at 512 size 256 body {\n    param %0 : f32[T, 16] transient",
         "graph g, node %10 fused (third): value %10 has a placement, but is in io"},
        {" at 256 size 256", "", "graph g, node %9 fused (second): value %9 has no placement"},
        {" at 256 size 256", " at 256 size 255",
         "graph g, node %9 fused (second): value %9 is placed in 255 bytes and needs 256"},
        {" at 256 size 256", " at 255 size 256",
         "graph g, node %9 fused (second): value %9 is placed at 255..511, where %7 is still live at 0..256"},
        {" at 256 size 256", " at 9223372036854775800 size 256",
         "graph g, node %9 fused (second): value %9 is placed past the end of memory"},
        {"%6 = matmul \"blk\"(%0, %1) : f32[T, 16] transient",
         "%6 = matmul \"blk\"(%0, %1) : f32[T, 16] transient at 0 size 256",
         "graph g: a value inside of a body has a placement"},
    };
    for (const BrokenText& broken : table) {
        std::string text(base);
        const size_t at = text.find(broken.from);
        ASSERT_NE(at, std::string::npos) << broken.from;
        text.replace(at, std::string_view(broken.from).size(), broken.to);
        const Graph g = parse(text);
        expect_error(g, broken.what, broken.to);
    }
}

constexpr std::string_view head = R"(graph "g" phase imported {
  param %0 "x" : f32[4, 16] io
  param %1 "cache" : f32[2, 2, 4, 8] state
  param %2 "positions" : i32[4] io
  param %3 "pages" : i32[1, 1] io
)";

TEST(Verify, RulesBeforeFusion) {
    const std::pair<const char*, const char*> table[] = {
        {"%4 = neg(%0) : f32[4, 16] weights return %4",
         "graph g, node %4 neg: its result is f32[4, 16] weights, the type rule gives f32[4, 16] transient"},
        {"%4 = constant() {values = [1.0]} : f32[1] transient return %4",
         "graph g, node %4 constant: its result must be in weights, in rows"},
        {"%4 = constant() {values = [1.0]} : f32[2] weights return %4",
         "graph g, node %4 constant: its dims say 2 values, it has 1"},
        {"%4 = constant() {values = [0.5]} : i32[1] weights return %4",
         "graph g, node %4 constant: 0.5 is not an i32"},
        {"%4 = constant() {values = []} : f16[1] weights return %4",
         "graph g, node %4 constant: its element must be f32 or i32"},
        {"%4 = fused(%0) : f32[4, 16] transient body {param %0 : f32[4, 16] io %1 = neg(%0) : f32[4, 16] "
         "transient return %1} return %4",
         "graph g, node %4 fused: fused may not stand in phase imported"},
        {"%4 = quantize(%0) : q8a[4, 16] transient return %4",
         "graph g, node %4 quantize: value %4 has a bad type: a row of 16 elements is not whole q8a blocks "
         "of 32"},
        {"%4 = kv_append(%1, %0, %2, %2, %3) : f32[2, 2, 4, 8] transient return %4",
         "graph g, node %4 kv_append: its result is f32[2, 2, 4, 8] transient, the type rule gives f32[2, 2, "
         "4, 8] state"},
        {"%4 = kv_append(%1, %0, %2, %2, %3) : f32[2, 2, 4, 8] state %5 = kv_append(%1, %0, %2, %2, %3) : "
         "f32[2, 2, 4, 8] state return %5",
         "graph g, node %5 kv_append: %1 is changed in place before, by node %4 kv_append"},
        {"%4 = kv_append(%1, %0, %2, %2, %3) : f32[2, 2, 4, 8] state %5 = attention(%0, %4, %1, %2, %2, %3) "
         "{scale = 1.0} : f32[4, 16] transient return %5",
         "graph g, node %5 attention: it reads %1, an old version: node %4 kv_append has changed it"},
        {"%4, %5 = neg(%0) : f32[4, 16] transient, f32[4, 16] transient return %4",
         "graph g, node %4 neg: it has 2 results and gives 1"},
    };
    for (const auto& [text, what] : table)
        expect_error(parse(std::string(head) + text + "}"), what, text);
    // An attention that reads an old version before the change is right.
    EXPECT_NO_THROW(verify(parse(
        std::string(head) + "%4 = attention(%0, %1, %1, %2, %2, %3) {scale = 1.0} : f32[4, 16] transient "
                            "%5 = kv_append(%1, %4, %2, %2, %3) : f32[2, 2, 4, 8] state return %4, %5}")));
}

TEST(Verify, PoolsThatNoNodeCanMake) {
    expect_error(parse("graph \"g\" phase imported {param %0 \"x\" : f32[4] transient return}"),
                 "graph g: value %0 \"x\" is a param and can't be transient", "");
    expect_error(parse("graph \"g\" phase fused {%0 = fused() : f32[1] weights body {"
                       "%0 = constant() {values = [1.0]} : f32[1] weights return %0} return %0}"),
                 "graph g, node %0 fused: value %0 is in weights, which fused can't make", "");
}

// Bodies of a hand-made graph may go deeper than text can say.
TEST(Verify, NestingIsLimited) {
    Graph g;
    for (int i = 0; i < 12; ++i) {
        Graph around;
        around.name = "g";
        around.add_node(Op::fused, {}, {{.dims = {1}}}, {}, {}, std::move(g));
        g = std::move(around);
    }
    expect_error(g, "graph g: bodies are nested deeper than 8", "");
}

// One region that changes one storage through two of its operands.
TEST(Verify, ARegionMayNotHaveACacheTwice) {
    const std::string text = R"(graph "g" phase fused {
      param %0 "x" : f32[4, 16] io
      param %1 "cache" : f32[2, 2, 4, 8] state
      param %2 "positions" : i32[4] io
      param %3 "pages" : i32[1, 1] io
      %4, %5 = fused(%0, %1, %1, %2, %3) : f32[2, 2, 4, 8] state, f32[4, 16] transient body {
        param %0 : f32[4, 16] io
        param %1 : f32[2, 2, 4, 8] state
        param %2 : f32[2, 2, 4, 8] state
        param %3 : i32[4] io
        param %4 : i32[1, 1] io
        %5 = kv_append(%1, %0, %3, %3, %4) : f32[2, 2, 4, 8] state
        %6 = attention(%0, %2, %2, %3, %3, %4) {scale = 1.0} : f32[4, 16] transient
        return %5, %6
      }
      return %4, %5
    })";
    expect_error(parse(text),
                 "graph g, node %4 fused: it changes %1 in place and has it as another operand too", "");
}

} // namespace
} // namespace ingot::ir
