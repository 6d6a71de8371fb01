// A metadata value of a GGUF file: a view of its bytes, decoded where it is asked for.
// Source: the GGUF specification, "File structure" (ggml repository, docs/gguf.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::frontend::gguf {

enum class Type : uint32_t { // the numbers are the file format's
    u8 = 0,
    i8 = 1,
    u16 = 2,
    i16 = 3,
    u32 = 4,
    i32 = 5,
    f32 = 6,
    boolean = 7,
    string = 8,
    array = 9,
    u64 = 10,
    i64 = 11,
    f64 = 12,
};
inline constexpr uint32_t type_count = 13;

std::string_view type_name(Type type); // "u8", "bool", "string", ...
size_t fixed_bytes(Type type);         // of a scalar; 0 for strings and arrays

// What the reader has checked once, so that no decoder below can leave the bytes: the payload's length agrees
// with type and count, booleans are 0 or 1, an array's elements are not arrays, and every string of an array
// of strings ends inside `bytes`. The text of strings is *not* checked to be UTF-8.
struct Value {
    Type type = Type::u8;
    Type element = Type::u8;          // an array's element type; otherwise the same as `type`
    uint64_t count = 1;               // an array's length; otherwise 1
    std::span<const std::byte> bytes; // little-endian, not aligned; a string's without its length, the
                                      // strings of an array each after its own u64 length, as in the file
};

// `value` as a T; nullopt if it is of another type or does not fit.
//   uint32_t, uint64_t, int32_t, int64_t   any integer type, in range (the specification says u64 for sizes
//                                          for which every writer uses u32)
//   float, double                          f32 or f64
//   bool, std::string_view                 only those types
//   std::vector<uint32_t>                  an array of any integer type, each element in range
//   std::vector<int32_t>, <float>, <std::string_view>   an array of exactly i32, f32, string
template <class T>
std::optional<T> to(const Value& value);
template <>
std::optional<uint32_t> to(const Value& value);
template <>
std::optional<uint64_t> to(const Value& value);
template <>
std::optional<int32_t> to(const Value& value);
template <>
std::optional<int64_t> to(const Value& value);
template <>
std::optional<float> to(const Value& value);
template <>
std::optional<double> to(const Value& value);
template <>
std::optional<bool> to(const Value& value);
template <>
std::optional<std::string_view> to(const Value& value);
template <>
std::optional<std::vector<uint32_t>> to(const Value& value);
template <>
std::optional<std::vector<int32_t>> to(const Value& value);
template <>
std::optional<std::vector<float>> to(const Value& value);
template <>
std::optional<std::vector<std::string_view>> to(const Value& value);

// What to<T> takes, for messages: "an integer of 0 to 4294967295", "an array of f32".
template <class T>
std::string_view wanted();
template <>
std::string_view wanted<uint32_t>();
template <>
std::string_view wanted<uint64_t>();
template <>
std::string_view wanted<int32_t>();
template <>
std::string_view wanted<int64_t>();
template <>
std::string_view wanted<float>();
template <>
std::string_view wanted<double>();
template <>
std::string_view wanted<bool>();
template <>
std::string_view wanted<std::string_view>();
template <>
std::string_view wanted<std::vector<uint32_t>>();
template <>
std::string_view wanted<std::vector<int32_t>>();
template <>
std::string_view wanted<std::vector<float>>();
template <>
std::string_view wanted<std::vector<std::string_view>>();

// The value on one printable line, long strings cut, at most `max_elements` of an array: 7, 'text', [1, 2,
// ...].
std::string to_text(const Value& value, size_t max_elements = 8);
// With its type, for messages: "u32 7", "string 'text'", "array of 3 f32".
std::string describe(const Value& value);

} // namespace ingot::frontend::gguf
