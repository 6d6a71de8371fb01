#include "frontend/gguf/value.h"

#include "frontend/gguf/text.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

namespace ingot::frontend::gguf {
namespace {

static_assert(std::endian::native == std::endian::little, "values are read as they lie in the file");

template <class T>
T load(const std::byte* at) {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

std::string_view text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Element `i` of a value that is not of strings, handed to `visit` in its own C++ type.
template <class Visit>
auto visit_element(const Value& value, uint64_t i, Visit visit) {
    const std::byte* at = value.bytes.data() + i * fixed_bytes(value.element);
    switch (value.element) {
    case Type::i8:
        return visit(load<int8_t>(at));
    case Type::u16:
        return visit(load<uint16_t>(at));
    case Type::i16:
        return visit(load<int16_t>(at));
    case Type::u32:
        return visit(load<uint32_t>(at));
    case Type::i32:
        return visit(load<int32_t>(at));
    case Type::u64:
        return visit(load<uint64_t>(at));
    case Type::i64:
        return visit(load<int64_t>(at));
    case Type::f32:
        return visit(load<float>(at));
    case Type::f64:
        return visit(load<double>(at));
    case Type::boolean:
        return visit(load<uint8_t>(at) != 0);
    case Type::u8:
    case Type::string:
    case Type::array:
        break;
    }
    return visit(load<uint8_t>(at));
}

bool has_fixed_elements(const Value& value) {
    return fixed_bytes(value.element) != 0;
}

// An integer of any width as a T, or nullopt. Booleans and floats are not integers here.
template <class T>
std::optional<T> integer_element(const Value& value, uint64_t i) {
    if (!has_fixed_elements(value)) return std::nullopt;
    return visit_element(value, i, [](auto v) -> std::optional<T> {
        using V = decltype(v);
        if constexpr (std::is_integral_v<V> && !std::is_same_v<V, bool>) {
            if (std::in_range<T>(v)) return static_cast<T>(v);
        }
        return std::nullopt;
    });
}

template <class T>
std::optional<T> float_element(const Value& value) {
    if (!has_fixed_elements(value)) return std::nullopt;
    return visit_element(value, 0, [](auto v) -> std::optional<T> {
        if constexpr (std::is_floating_point_v<decltype(v)>) {
            // Infinities and NaN pass through; a finite number that only a double holds does not fit.
            if (!std::isfinite(v) || std::fabs(v) <= std::numeric_limits<T>::max()) return static_cast<T>(v);
        }
        return std::nullopt;
    });
}

bool is_array_of(const Value& value, Type element) {
    return value.type == Type::array && value.element == element;
}

template <class T>
std::optional<std::vector<T>> copied(const Value& value, Type element) {
    if (!is_array_of(value, element)) return std::nullopt;
    std::vector<T> out(value.count);
    if (!out.empty()) std::memcpy(out.data(), value.bytes.data(), out.size() * sizeof(T));
    return out;
}

// The first `limit` strings of an array of strings.
std::vector<std::string_view> strings(const Value& value, uint64_t limit) {
    std::vector<std::string_view> out;
    out.reserve(limit);
    auto rest = value.bytes;
    while (out.size() < limit) {
        const auto length = load<uint64_t>(rest.data());
        out.push_back(text_of(rest.subspan(sizeof length, length)));
        rest = rest.subspan(sizeof length + length);
    }
    return out;
}

struct TypeRow {
    std::string_view name;
    size_t bytes;
};
constexpr TypeRow types[type_count] = {
    {"u8", 1},   {"i8", 1},     {"u16", 2},   {"i16", 2}, {"u32", 4}, {"i32", 4}, {"f32", 4},
    {"bool", 1}, {"string", 0}, {"array", 0}, {"u64", 8}, {"i64", 8}, {"f64", 8},
};

} // namespace

std::string_view type_name(Type type) {
    return types[static_cast<uint32_t>(type)].name;
}
size_t fixed_bytes(Type type) {
    return types[static_cast<uint32_t>(type)].bytes;
}

template <>
std::optional<uint32_t> to(const Value& value) {
    return value.type == Type::array ? std::nullopt : integer_element<uint32_t>(value, 0);
}
template <>
std::optional<uint64_t> to(const Value& value) {
    return value.type == Type::array ? std::nullopt : integer_element<uint64_t>(value, 0);
}
template <>
std::optional<int32_t> to(const Value& value) {
    return value.type == Type::array ? std::nullopt : integer_element<int32_t>(value, 0);
}
template <>
std::optional<int64_t> to(const Value& value) {
    return value.type == Type::array ? std::nullopt : integer_element<int64_t>(value, 0);
}
template <>
std::optional<float> to(const Value& value) {
    return value.type == Type::array ? std::nullopt : float_element<float>(value);
}
template <>
std::optional<double> to(const Value& value) {
    return value.type == Type::array ? std::nullopt : float_element<double>(value);
}
template <>
std::optional<bool> to(const Value& value) {
    if (value.type != Type::boolean) return std::nullopt;
    return load<uint8_t>(value.bytes.data()) != 0;
}
template <>
std::optional<std::string_view> to(const Value& value) {
    if (value.type != Type::string) return std::nullopt;
    return text_of(value.bytes);
}
template <>
std::optional<std::vector<uint32_t>> to(const Value& value) {
    if (value.type != Type::array || !has_fixed_elements(value)) return std::nullopt;
    // The type is judged even where there is no element, so that an empty array of f32 is no list of counts.
    if (value.element == Type::f32 || value.element == Type::f64 || value.element == Type::boolean)
        return std::nullopt;
    std::vector<uint32_t> out;
    out.reserve(value.count);
    for (uint64_t i = 0; i < value.count; ++i) {
        const auto element = integer_element<uint32_t>(value, i);
        if (!element) return std::nullopt;
        out.push_back(*element);
    }
    return out;
}
template <>
std::optional<std::vector<int32_t>> to(const Value& value) {
    return copied<int32_t>(value, Type::i32);
}
template <>
std::optional<std::vector<float>> to(const Value& value) {
    return copied<float>(value, Type::f32);
}
template <>
std::optional<std::vector<std::string_view>> to(const Value& value) {
    if (!is_array_of(value, Type::string)) return std::nullopt;
    return strings(value, value.count);
}

template <>
std::string_view wanted<uint32_t>() {
    return "an integer of 0 to 4294967295";
}
template <>
std::string_view wanted<uint64_t>() {
    return "an integer of 0 or more";
}
template <>
std::string_view wanted<int32_t>() {
    return "an integer of -2147483648 to 2147483647";
}
template <>
std::string_view wanted<int64_t>() {
    return "a signed integer";
}
template <>
std::string_view wanted<float>() {
    return "a floating-point number (f32)";
}
template <>
std::string_view wanted<double>() {
    return "a floating-point number";
}
template <>
std::string_view wanted<bool>() {
    return "a bool";
}
template <>
std::string_view wanted<std::string_view>() {
    return "a string";
}
template <>
std::string_view wanted<std::vector<uint32_t>>() {
    return "an array of integers of 0 to 4294967295";
}
template <>
std::string_view wanted<std::vector<int32_t>>() {
    return "an array of i32";
}
template <>
std::string_view wanted<std::vector<float>>() {
    return "an array of f32";
}
template <>
std::string_view wanted<std::vector<std::string_view>>() {
    return "an array of string";
}

std::string to_text(const Value& value, size_t max_elements) {
    const auto element_text = [&](uint64_t i) {
        return visit_element(value, i, [](auto v) { return fmt::format("{}", v); });
    };
    if (value.type == Type::string) return quoted(text_of(value.bytes));
    if (value.type != Type::array) return element_text(0);

    const uint64_t shown = value.count < max_elements ? value.count : max_elements;
    std::string out = "[";
    if (value.element == Type::string) {
        for (const std::string_view text : strings(value, shown))
            out += quoted(text) + ", ";
    } else {
        for (uint64_t i = 0; i < shown; ++i)
            out += element_text(i) + ", ";
    }
    if (shown < value.count) return out + fmt::format("... {} in all]", value.count);
    if (shown > 0) out.resize(out.size() - 2);
    return out + "]";
}

std::string describe(const Value& value) {
    if (value.type == Type::array)
        return fmt::format("array of {} {}", value.count, type_name(value.element));
    return fmt::format("{} {}", type_name(value.type), to_text(value));
}

} // namespace ingot::frontend::gguf
