#include "tests/passes/golden.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "ir/error.h"
#include "ir/print.h"
#include "passes/pipeline.h"
#include "tests/passes/same_numbers.h"

namespace ingot::tests {

using namespace ir;

namespace {

std::string read(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

// Of a line like "// context: alignment=64" or "// context: gpu", if there is one.
passes::PassContext context_of(const GoldenCase& golden, const std::string& text) {
    passes::PassContext context;
    const std::string marker = "// context: ";
    const size_t at = text.find(marker);
    if (at == std::string::npos) return context;
    const size_t begin = at + marker.size();
    std::istringstream settings(text.substr(begin, text.find('\n', begin) - begin));
    for (std::string setting; settings >> setting;) {
        const size_t equals = setting.find('=');
        const std::string name = setting.substr(0, equals);
        const uint64_t value = equals == std::string::npos ? 0 : std::stoull(setting.substr(equals + 1));
        if (name == "alignment" && value > 0)
            context.alignment = value;
        else if (setting == "gpu")
            context.row_tiles = context.key_octets = context.defer_norms = context.products_alone = true;
        else
            throw Error(golden.file.string(), fmt::format("'{}' is not of a pass context", setting));
    }
    return context;
}

class GoldenTest : public testing::Test {
  public:
    GoldenTest(GoldenCase golden, bool update) : golden_(std::move(golden)), update_(update) {}

    void TestBody() override {
        const std::string text = read(golden_.file);
        const std::string marker = fmt::format("// ----- after {}\n", golden_.pass);
        const size_t at = text.find(marker);
        const std::string before_text = text.substr(0, at);
        const Graph before = parse(before_text, golden_.file.filename().string());
        Graph after = before;
        passes::run_passes(after, std::vector{golden_.pass}, context_of(golden_, before_text));
        const std::string got = print(after);
        if (update_) {
            std::ofstream(golden_.file, std::ios::binary) << before_text << marker << got;
            return;
        }
        ASSERT_NE(at, std::string::npos) << golden_.file << " has no line " << marker;
        EXPECT_EQ(text.substr(at + marker.size()), got)
            << "The pass makes another graph than " << golden_.file
            << ", of which the difference shows the lines with a minus. If the new one is right: "
               "test_passes --update-golden";
        EXPECT_EQ(parse(got), after);
        for (uint64_t seed = 1; seed <= 3; ++seed)
            expect_same_numbers(before, after, seed, allowed_nmse(golden_.pass));
    }

  private:
    GoldenCase golden_;
    bool update_;
};

// The letters that a test's name may have.
std::string test_name(std::string text) {
    std::ranges::replace(text, '-', '_');
    return text;
}

} // namespace

std::vector<GoldenCase> golden_cases(const std::filesystem::path& folder) {
    std::vector<GoldenCase> cases;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const std::string file = entry.path().filename().string();
        const size_t pass_end = file.find('.'), case_end = file.rfind('.');
        if (file.substr(case_end) != ".ir" || pass_end == case_end ||
            !passes::find_pass(file.substr(0, pass_end)))
            throw Error(entry.path().string(), "a golden file is named PASS.CASE.ir");
        cases.push_back({.file = entry.path(),
                         .pass = file.substr(0, pass_end),
                         .name = file.substr(pass_end + 1, case_end - pass_end - 1)});
    }
    std::ranges::sort(cases, {}, &GoldenCase::file);
    return cases;
}

void register_golden_tests(const std::filesystem::path& folder, bool update) {
    for (const GoldenCase& golden : golden_cases(folder))
        testing::RegisterTest("Golden", test_name(golden.pass + "_" + golden.name).c_str(), nullptr, nullptr,
                              golden.file.c_str(), 1, [golden, update]() -> testing::Test* {
                                  return new GoldenTest(golden, update); // GoogleTest owns it
                              });
}

} // namespace ingot::tests
