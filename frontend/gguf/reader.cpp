#include "frontend/gguf/reader.h"

#include "frontend/gguf/text.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include <fmt/format.h>

namespace ingot::frontend::gguf {
namespace {

constexpr std::string_view magic = "GGUF";
constexpr uint64_t max_key = 65535; // the specification's limit
constexpr uint64_t default_alignment = 32;
constexpr uint64_t smallest_metadata = 8 + 1 + 4 + 1; // key of one byte, a value of one byte

struct Header {
    uint32_t version;
    uint64_t tensors;
    uint64_t metadata;
};

Header read_header(Cursor& cursor) {
    const std::string_view start = as_text(cursor.take(magic.size(), "the magic number"));
    if (start != magic)
        cursor.fail(start == "FUGG" ? "is a big-endian GGUF file; convert it to little-endian first"
                                    : fmt::format("is not a GGUF file: it starts with {}", quoted(start)));
    const auto version = cursor.read<uint32_t>("the header");
    // A big-endian writer stores small versions in the upper bytes.
    if (version != 0 && (version & 0xFFFF) == 0)
        cursor.fail("is a big-endian GGUF file; convert it to little-endian first");
    if (version != 2 && version != 3)
        cursor.fail(fmt::format("is GGUF version {}; versions 2 and 3 can be read: convert the model again",
                                version));
    const auto tensors = cursor.read<uint64_t>("the header");
    const auto metadata = cursor.read<uint64_t>("the header");
    return {.version = version, .tensors = tensors, .metadata = metadata};
}

std::string_view read_key(Cursor& cursor, uint64_t index) {
    const auto length = cursor.read<uint64_t>("key {}", index);
    if (length == 0) cursor.fail(fmt::format("key {} is empty", index));
    if (length > max_key)
        cursor.fail(fmt::format("key {} is {} bytes long; at most {} are allowed", index, length, max_key));
    const std::string_view key = as_text(cursor.take(length, "key {}", index));
    if (key.find('\0') != key.npos)
        cursor.fail(fmt::format("key {}, {}, has a NUL in it", index, quoted(key)));
    if (!valid_utf8(key)) cursor.fail(fmt::format("key {}, {}, is not UTF-8", index, quoted(key)));
    return key;
}

Type read_type(Cursor& cursor, std::string_view key) {
    const auto type = cursor.read<uint32_t>("the value of key {}", Quoted{key});
    if (type >= type_count)
        cursor.fail(fmt::format("key {} has the unknown value type {}", quoted(key), type));
    return static_cast<Type>(type);
}

std::span<const std::byte> read_string(Cursor& cursor, std::string_view key) {
    const auto length = cursor.read<uint64_t>("the value of key {}", Quoted{key});
    return cursor.take(length, "the value of key {}", Quoted{key});
}

void check_booleans(const Cursor& cursor, std::string_view key, std::span<const std::byte> bytes) {
    for (const std::byte b : bytes)
        if (b > std::byte{1})
            cursor.fail(fmt::format("key {}: a bool is {}, not 0 or 1", quoted(key), static_cast<int>(b)));
}

Value read_array(Cursor& cursor, std::string_view key) {
    const Type element = read_type(cursor, key);
    if (element == Type::array) cursor.fail(fmt::format("key {} is an array of arrays", quoted(key)));
    const auto count = cursor.read<uint64_t>("the value of key {}", Quoted{key});

    // A string takes at least its length; so even the smallest array of this count must fit what is left.
    const uint64_t smallest = element == Type::string ? sizeof(uint64_t) : fixed_bytes(element);
    if (count > cursor.left() / smallest)
        cursor.fail(fmt::format("key {} is an array of {} {}, but {} bytes are left in the file: it is "
                                "truncated or damaged; fetch or convert it again",
                                quoted(key), count, type_name(element), cursor.left()));
    Value value{.type = Type::array, .element = element, .count = count, .bytes = {}};
    if (element == Type::string) {
        Cursor strings = cursor;
        for (uint64_t i = 0; i < count; ++i)
            read_string(strings, key);
        value.bytes = cursor.take(strings.position() - cursor.position(), "the value of key {}", Quoted{key});
    } else {
        value.bytes = cursor.take(count * smallest, "the value of key {}", Quoted{key});
        if (element == Type::boolean) check_booleans(cursor, key, value.bytes);
    }
    return value;
}

Value read_value(Cursor& cursor, std::string_view key) {
    const Type type = read_type(cursor, key);
    if (type == Type::array) return read_array(cursor, key);
    Value value{.type = type, .element = type, .count = 1, .bytes = {}};
    if (type == Type::string) {
        value.bytes = read_string(cursor, key);
    } else {
        value.bytes = cursor.take(fixed_bytes(type), "the value of key {}", Quoted{key});
        if (type == Type::boolean) check_booleans(cursor, key, value.bytes);
    }
    return value;
}

std::vector<Metadata> read_metadata(Cursor& cursor, uint64_t count) {
    if (count > cursor.left() / smallest_metadata)
        cursor.fail(
            fmt::format("the header speaks of {} metadata keys, but {} bytes are left in the file: it "
                        "is truncated or damaged; fetch or convert it again",
                        count, cursor.left()));
    std::vector<Metadata> metadata;
    for (uint64_t i = 0; i < count; ++i) {
        const std::string_view key = read_key(cursor, i);
        metadata.push_back({.key = key, .value = read_value(cursor, key)});
    }
    return metadata;
}

uint64_t read_alignment(const File& file) {
    constexpr std::string_view key = "general.alignment";
    const Value* value = file.find(key);
    if (value == nullptr) return default_alignment;
    if (value->type != Type::u32) file.fail_type(key, "a u32", *value);
    const uint32_t alignment = *to<uint32_t>(*value);
    if (!std::has_single_bit(alignment) || alignment < 8 || alignment > max_alignment)
        file.fail(fmt::format("key '{}' is {}; it must be a power of two of 8 to {}", key, alignment,
                              max_alignment));
    return alignment;
}

// Indices of `entries` in the order of their names; sorting, so that no choice of names makes look-ups slow.
template <class Entry>
std::vector<size_t> index_by(const std::vector<Entry>& entries, std::string_view Entry::* name) {
    std::vector<size_t> order(entries.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::ranges::sort(order, {}, [&](size_t i) { return entries[i].*name; });
    return order;
}

template <class Entry>
void refuse_doubles(const File& file, const std::vector<Entry>& entries, const std::vector<size_t>& order,
                    std::string_view Entry::* name, std::string_view kind) {
    for (size_t i = 1; i < order.size(); ++i)
        if (entries[order[i - 1]].*name == entries[order[i]].*name)
            file.fail(fmt::format("two {} are named {}", kind, quoted(entries[order[i]].*name)));
}

template <class Entry>
const Entry* look_up(const std::vector<Entry>& entries, const std::vector<size_t>& order,
                     std::string_view Entry::* name, std::string_view wanted_name) {
    const auto at =
        std::ranges::lower_bound(order, wanted_name, {}, [&](size_t i) { return entries[i].*name; });
    if (at == order.end() || entries[*at].*name != wanted_name) return nullptr;
    return &entries[*at];
}

} // namespace

File File::open(const std::string& path) {
    MappedFile mapping = MappedFile::open(path);
    File file = parse(mapping.bytes(), path);
    file.mapping_.emplace(std::move(mapping));
    return file;
}

File File::parse(std::span<const std::byte> bytes, std::string name) {
    File file;
    file.bytes_ = bytes;
    file.name_ = std::move(name);
    Cursor cursor(bytes, file.name_);

    const Header header = read_header(cursor);
    file.version_ = header.version;
    file.metadata_ = read_metadata(cursor, header.metadata);
    file.by_key_ = index_by(file.metadata_, &Metadata::key);
    refuse_doubles(file, file.metadata_, file.by_key_, &Metadata::key, "keys");
    file.alignment_ = read_alignment(file);

    file.tensors_ = read_tensor_table(cursor, header.tensors);
    file.by_name_ = index_by(file.tensors_, &TensorInfo::name);
    refuse_doubles(file, file.tensors_, file.by_name_, &TensorInfo::name, "tensors");
    // A file without tensors may end before the data section would start.
    const uint64_t aligned = (cursor.position() + file.alignment_ - 1) / file.alignment_ * file.alignment_;
    file.data_offset_ = std::min<uint64_t>(aligned, bytes.size());
    place_tensors(file.tensors_, bytes.subspan(file.data_offset_), file.alignment_, cursor);
    return file;
}

const Value* File::find(std::string_view key) const {
    const Metadata* entry = look_up(metadata_, by_key_, &Metadata::key, key);
    return entry == nullptr ? nullptr : &entry->value;
}

const TensorInfo* File::find_tensor(std::string_view name) const {
    return look_up(tensors_, by_name_, &TensorInfo::name, name);
}

void File::fail_type(std::string_view key, std::string_view want, const Value& actual) const {
    fail(fmt::format("key {} is {}, but must be {}", quoted(key), describe(actual), want));
}

void File::fail_absent(std::string_view key, std::string_view want) const {
    fail(fmt::format("key {} is missing; it must be {}", quoted(key), want));
}

void require_runnable(const File& file, const TensorInfo& tensor) {
    if (ir::info(tensor.element).runs) return;
    file.fail(
        fmt::format("tensor {} is {}, which this build cannot compute with; convert the model to one of {}",
                    quoted(tensor.name), ir::info(tensor.element).gguf, runnable_types()));
}

} // namespace ingot::frontend::gguf
