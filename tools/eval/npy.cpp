#include "tools/eval/npy.h"

#include <bit>
#include <string>

#include <fmt/format.h>

#include "tools/driver/failure.h"

namespace ingot::tools {

static_assert(std::endian::native == std::endian::little, "the header says little-endian");

NpyWriter::NpyWriter(std::filesystem::path path, uint64_t rows, uint64_t columns)
    : path_(std::move(path)), out_(path_, std::ios::binary | std::ios::trunc) {
    std::string header =
        fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
    // The data start at a multiple of 64; 10 bytes lie before the header, one line end closes it.
    header.resize((header.size() + 11 + 63) / 64 * 64 - 11, ' ');
    header += '\n';
    out_.write("\x93NUMPY\x01\x00", 8);
    const auto length = static_cast<uint16_t>(header.size());
    out_.write(reinterpret_cast<const char*>(&length), 2);
    out_.write(header.data(), static_cast<std::streamsize>(header.size()));
    check();
}

NpyWriter::~NpyWriter() {
    if (finished_) return;
    out_.close();
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
}

void NpyWriter::add_row(std::span<const float> row) {
    out_.write(reinterpret_cast<const char*>(row.data()), static_cast<std::streamsize>(row.size_bytes()));
    check();
}

void NpyWriter::finish() {
    out_.flush();
    check();
    finished_ = true;
}

void NpyWriter::check() {
    if (!out_) throw Failure(ExitCode::failed, path_.string(), "can't be written");
}

} // namespace ingot::tools
