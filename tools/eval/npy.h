// Writing NumPy's file format 1.0 (NEP 1).
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>

namespace ingot::tools {

// A float32 array [rows, columns] in C order, written row by row. Where not all rows come, or something
// fails, the file is removed.
class NpyWriter {
  public:
    // Throws Failure{failed} where the file can't be written; so does the rest.
    NpyWriter(std::filesystem::path path, uint64_t rows, uint64_t columns);
    ~NpyWriter();
    NpyWriter(const NpyWriter&) = delete;
    NpyWriter& operator=(const NpyWriter&) = delete;

    void add_row(std::span<const float> row); // of `columns` values
    void finish();                            // after the last row

  private:
    void check();

    std::filesystem::path path_;
    std::ofstream out_;
    bool finished_ = false;
};

} // namespace ingot::tools
