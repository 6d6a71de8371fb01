// A strict reader of GGUF files, versions 2 and 3, little-endian.
// Source: the GGUF specification (ggml repository, docs/gguf.md).
#pragma once

#include "frontend/gguf/tensor.h"
#include "frontend/gguf/value.h"
#include "frontend/mapped_file.h"
#include "ir/error.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ingot::frontend::gguf {

struct Metadata {
    std::string_view key; // into the file
    Value value;
};

// Larger alignments than this have no use and could only hide a damaged header.
inline constexpr uint64_t max_alignment = uint64_t{1} << 20;

// A file that has passed every check of the format: whoever holds one may use any view in it without further
// checks of bounds. Nothing is copied out of the file: names, strings, arrays and weights are views into the
// mapping, valid until the File is destroyed; moving it keeps them valid, and pointers to its TensorInfo too.
//
// Every ir::Error names the file and the key or tensor, on one line. Refused are: files of another format,
// version or byte order; a file that ends early; counts and lengths that the bytes left cannot hold (before
// any memory is taken for them); keys that are empty, longer than 65535 bytes, doubled, not UTF-8, or have a
// NUL; booleans other than 0 and 1; arrays of arrays; a `general.alignment` that is not a u32 power of two of
// 8 to 1 MiB; tensors of one name; and what read_tensor_table and place_tensors refuse. Bytes
// after the last tensor are ignored.
class File {
  public:
    static File open(const std::string& path); // keeps the file mapped
    // `bytes` must outlive the File; `name` stands for the path in messages.
    static File parse(std::span<const std::byte> bytes, std::string name);

    const std::string& name() const { return name_; }
    std::span<const std::byte> bytes() const { return bytes_; } // the whole file
    uint32_t version() const { return version_; }
    uint64_t alignment() const { return alignment_; }
    // Where the data section starts in the file; a tensor lies at data_offset() + its offset.
    uint64_t data_offset() const { return data_offset_; }

    std::span<const Metadata> metadata() const { return metadata_; } // in file order
    const Value* find(std::string_view key) const;                   // null if absent
    std::span<const TensorInfo> tensors() const { return tensors_; } // in file order
    const TensorInfo* find_tensor(std::string_view name) const;      // null if absent

    // The value of `key` as a T (any T of gguf::to). get: nullopt if the key is absent; require: ir::Error
    // then. Both: ir::Error, naming key, wanted and actual type, if the value is no T.
    template <class T>
    std::optional<T> get(std::string_view key) const {
        const Value* value = find(key);
        if (value == nullptr) return std::nullopt;
        auto out = to<T>(*value);
        if (!out) fail_type(key, wanted<T>(), *value);
        return out;
    }
    template <class T>
    T require(std::string_view key) const {
        auto out = get<T>(key);
        if (!out) fail_absent(key, wanted<T>());
        return std::move(*out);
    }

    // "FILE: message"; for callers that find the content, rather than the format, at fault.
    [[noreturn]] void fail(const std::string& message) const { throw ir::Error(name_, message); }
    [[noreturn]] void fail_type(std::string_view key, std::string_view want, const Value& actual) const;
    [[noreturn]] void fail_absent(std::string_view key, std::string_view want) const;

  private:
    File() = default;

    std::optional<MappedFile> mapping_; // absent for parse()
    std::span<const std::byte> bytes_;
    std::string name_;
    uint32_t version_ = 0;
    uint64_t alignment_ = 0;
    uint64_t data_offset_ = 0;
    std::vector<Metadata> metadata_;
    std::vector<size_t> by_key_; // indices into metadata_, in the order of the keys
    std::vector<TensorInfo> tensors_;
    std::vector<size_t> by_name_; // likewise into tensors_
};

// ir::Error, naming the tensor, its type and the types that run, if this build cannot compute with it.
void require_runnable(const File& file, const TensorInfo& tensor);

} // namespace ingot::frontend::gguf
