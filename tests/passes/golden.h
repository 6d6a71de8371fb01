// Golden texts of passes. A file golden/PASS.CASE.ir holds comments that say what the case shows, a graph, a
// line "// ----- after PASS", and the graph that the pass makes of it, as print() writes it. A comment
// "// context: alignment=64" sets what the pass is told beside the graph.
//
// To write a new case: the graph alone, then `test_passes --update-golden`, which fills in what follows the
// line in every file; read the difference before you commit it. Nothing passes that flag in CI.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ingot::tests {

struct GoldenCase {
    std::filesystem::path file;
    std::string pass, name;
};

// The cases in a folder, sorted. Throws ir::Error for a file whose name is not PASS.CASE.ir.
std::vector<GoldenCase> golden_cases(const std::filesystem::path& folder);

// Registers a test for each case: the pass makes the text of the file, byte for byte, and a graph that
// computes the same. With `update` the tests write the files instead.
void register_golden_tests(const std::filesystem::path& folder, bool update);

} // namespace ingot::tests
