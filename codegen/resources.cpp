#include "codegen/resources.h"

#include <cstring>
#include <elf.h>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "codegen/code_object.h"
#include "ir/error.h"

namespace ingot::codegen {

namespace {

using nlohmann::json;

constexpr uint32_t nt_amdgpu_metadata = 32;
// The reader of the metadata recurses with its nesting. What describes one kernel takes a tenth of this.
constexpr size_t max_metadata = 16 << 10;

[[noreturn]] void bad(std::string_view symbol, std::string_view what) {
    throw ir::Error(fmt::format("kernel {}", symbol), fmt::format("its code object {}", what));
}

template <typename T>
T take(std::string_view bytes, size_t at) {
    T value{};
    if (at <= bytes.size() && bytes.size() - at >= sizeof value)
        std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

// The description of the first note of that owner and type, or nothing.
std::string_view find_note(std::string_view notes, std::string_view owner, uint32_t type) {
    while (notes.size() >= sizeof(Elf64_Nhdr)) {
        const auto header = take<Elf64_Nhdr>(notes, 0);
        notes.remove_prefix(sizeof header);
        const uint64_t name = (uint64_t{header.n_namesz} + 3) / 4 * 4,
                       description = (uint64_t{header.n_descsz} + 3) / 4 * 4;
        if (name > notes.size() || header.n_descsz > notes.size() - name) return {};
        if (header.n_type == type && notes.substr(0, header.n_namesz).starts_with(owner))
            return notes.substr(name, header.n_descsz);
        notes.remove_prefix(std::min<uint64_t>(name + description, notes.size()));
    }
    return {};
}

uint32_t number(const json& kernel, const char* key) {
    const auto at = kernel.find(key);
    if (at == kernel.end() || !at->is_number_unsigned()) return 0;
    return static_cast<uint32_t>(
        std::min<uint64_t>(at->get<uint64_t>(), std::numeric_limits<uint32_t>::max()));
}

KernelResources amd_resources(const CodeObject& object, std::string_view symbol) {
    std::string_view metadata;
    for (const ObjectSection& s : object.sections)
        if (s.type == SHT_NOTE && metadata.empty())
            metadata = find_note(s.bytes, "AMDGPU", nt_amdgpu_metadata);
    if (metadata.empty() || metadata.size() > max_metadata) bad(symbol, "has no metadata");
    const json all = json::from_msgpack(metadata.begin(), metadata.end(), /*strict=*/false,
                                        /*allow_exceptions=*/false);
    const auto kernels = all.is_object() ? all.find("amdhsa.kernels") : all.end();
    if (!all.is_object() || kernels == all.end() || !kernels->is_array()) bad(symbol, "lists no kernels");
    for (const json& kernel : *kernels) {
        if (!kernel.is_object() || !kernel.contains(".name") || kernel[".name"] != symbol) continue;
        return {.registers = number(kernel, ".vgpr_count"),
                .scalar_registers = number(kernel, ".sgpr_count"),
                .group_memory = number(kernel, ".group_segment_fixed_size"),
                .scratch = number(kernel, ".private_segment_fixed_size"),
                .spills = number(kernel, ".vgpr_spill_count") + number(kernel, ".sgpr_spill_count"),
                .group_threads = number(kernel, ".max_flat_workgroup_size"),
                .argument_bytes = number(kernel, ".kernarg_segment_size")};
    }
    bad(symbol, "does not hold it");
}

// One attribute of a section .nv.info: a format and a code, then a value of 1 or 2 bytes, or a size and so
// many bytes.
struct NvAttribute {
    uint8_t code = 0;
    uint16_t value = 0;
    std::string_view bytes;
};

constexpr uint8_t nv_sized = 4; // the format with bytes
constexpr uint8_t nv_max_threads = 0x05, nv_frame_size = 0x11, nv_param_bytes = 0x19, nv_registers = 0x2f;

std::vector<NvAttribute> nv_attributes(const CodeObject& object, const std::string& section) {
    std::vector<NvAttribute> out;
    const ObjectSection* const found = object.find(section);
    if (found == nullptr) return out;
    std::string_view rest = found->bytes;
    while (rest.size() >= 4) {
        const bool sized = rest.front() == nv_sized;
        NvAttribute a{.code = take<uint8_t>(rest, 1), .value = take<uint16_t>(rest, 2), .bytes = {}};
        rest.remove_prefix(4);
        if (sized) {
            a.bytes = rest.substr(0, a.value);
            rest.remove_prefix(a.bytes.size());
        }
        out.push_back(a);
    }
    return out;
}

// The index of a symbol in .symtab, by which .nv.info calls functions.
std::optional<uint32_t> symbol_index(const CodeObject& object, std::string_view symbol) {
    const ObjectSection *const symbols = object.find(".symtab"), *const names = object.find(".strtab");
    if (symbols == nullptr || names == nullptr) return std::nullopt;
    for (uint32_t i = 0; i < symbols->bytes.size() / sizeof(Elf64_Sym); ++i) {
        const auto entry = take<Elf64_Sym>(symbols->bytes, i * sizeof(Elf64_Sym));
        if (ELF64_ST_TYPE(entry.st_info) != STT_FUNC || entry.st_name >= names->bytes.size()) continue;
        const std::string_view name = names->bytes.substr(entry.st_name);
        if (name.substr(0, name.find('\0')) == symbol) return i;
    }
    return std::nullopt;
}

KernelResources nvidia_resources(const GpuFacts& gpu, const CodeObject& object, std::string_view symbol) {
    const auto index = symbol_index(object, symbol);
    if (!index) bad(symbol, "does not hold it");
    KernelResources out{.group_threads = 1024};
    bool counted = false;
    for (const NvAttribute& a : nv_attributes(object, ".nv.info")) {
        if (a.bytes.size() < 8 || take<uint32_t>(a.bytes, 0) != *index) continue;
        if (a.code == nv_registers) {
            out.registers = take<uint32_t>(a.bytes, 4);
            counted = true;
        }
        if (a.code == nv_frame_size) out.scratch = take<uint32_t>(a.bytes, 4);
    }
    if (!counted) bad(symbol, "does not say how many registers it has");
    for (const NvAttribute& a : nv_attributes(object, fmt::format(".nv.info.{}", symbol))) {
        if (a.code == nv_param_bytes) out.argument_bytes = a.value;
        if (a.code != nv_max_threads || a.bytes.size() < 12) continue;
        uint64_t threads = 1;
        for (size_t i = 0; i < 3; ++i)
            threads = std::min<uint64_t>(threads * take<uint32_t>(a.bytes, 4 * i), out.group_threads);
        out.group_threads = static_cast<uint32_t>(threads);
    }
    // The section begins with what the system takes.
    if (const ObjectSection* const shared = object.find(fmt::format(".nv.shared.{}", symbol)))
        out.group_memory = static_cast<uint32_t>(
            std::min<uint64_t>(shared->size - std::min<uint64_t>(shared->size, gpu.group_reserve),
                               std::numeric_limits<uint32_t>::max()));
    return out;
}

} // namespace

KernelResources read_resources(const Target& target, std::string_view object, std::string_view symbol) {
    if (!is_object_for(target, object)) bad(symbol, fmt::format("is not for {}", target.name));
    const CodeObject read = read_code_object(object);
    return target.machine == Machine::amdgcn ? amd_resources(read, symbol)
                                             : nvidia_resources(*target.gpu, read, symbol);
}

} // namespace ingot::codegen
