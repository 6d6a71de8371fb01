// The checks of a plan's description, on a small plan of which parts are changed.
#include "runtime/error.h"
#include "runtime/plan_file.h"
#include "runtime/plan_writer.h"
#include "runtime/text/tokenizer.h"
#include "tests/runtime/small_plan.h"

#include <cstring>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

namespace ingot::runtime {
namespace {

using test::Bytes;

std::string fault_of(const Bytes& description) {
    try {
        check_description(description, test::small_plan_sizes, "plan");
    } catch (const Error& e) {
        return e.what();
    }
    return "none";
}

TEST(PlanCheck, TakesAValidDescription) {
    EXPECT_EQ(fault_of(test::small_description()), "none");
}

TEST(PlanCheck, TheSmallPlanOpensWithItsVocabulary) {
    const std::string path = testing::TempDir() + "/small.ingot";
    const Bytes description = test::small_description();
    const Bytes code(test::small_plan_sizes.code_bytes);
    write_plan(path, {.description = description, .code = code, .durable = false});
    const Tokenizer tokenizer(vocabulary_of(PlanFile::open(path)));
    std::filesystem::remove(path);
    EXPECT_EQ(tokenizer.encode("ab<|end|>"), (std::vector<std::int32_t>{3, 2, 3}));
}

// Moves a list of 8-aligned structs by 12 bytes, to where it reads one of its own numbers as its length.
void misalign_weight_shares(Bytes& description) {
    const plan::Launch* launch = plan::GetPlan(description.data())->programs()->Get(0)->launches()->Get(0);
    const auto* table = reinterpret_cast<const flatbuffers::Table*>(launch);
    const auto* field = reinterpret_cast<const std::byte*>(table->GetAddressOf(plan::Launch::VT_WEIGHTS));
    std::uint32_t offset = 0;
    std::memcpy(&offset, field, sizeof offset);
    offset += 12;
    std::memcpy(&description[static_cast<std::size_t>(field - description.data())], &offset, sizeof offset);
    EXPECT_EQ(launch->weights()->size(), 4u);
}

TEST(PlanCheck, RefusesListsThatAreNotAligned) {
    Bytes description = test::small_description();
    misalign_weight_shares(description);
    EXPECT_EQ(fault_of(description),
              "plan: program decode, launch l, weight shares: its list is not 8-aligned");
}

TEST(PlanCheck, NamesFromThePlanStayOnOneLine) {
    Bytes description = test::small_description();
    misalign_weight_shares(description);
    const flatbuffers::String* name = plan::GetPlan(description.data())->programs()->Get(0)->name();
    description[static_cast<std::size_t>(reinterpret_cast<const std::byte*>(name->data()) -
                                         description.data())] = std::byte{'\n'};
    EXPECT_EQ(fault_of(description),
              "plan: program \\x0aecode, launch l, weight shares: its list is not 8-aligned");
}

TEST(PlanCheck, StandsAnyByteChanged) {
    const Bytes valid = test::small_description();
    std::size_t refused = 0;
    for (std::size_t i = 0; i < valid.size(); ++i) {
        for (const std::byte flip : {std::byte{1}, std::byte{0x80}, std::byte{0xFF}}) {
            Bytes changed = valid;
            changed[i] ^= flip;
            refused += fault_of(changed) == "none" ? 0 : 1;
        }
    }
    EXPECT_GT(refused, valid.size()); // a third at least; the others change texts and statistics
}

} // namespace
} // namespace ingot::runtime
