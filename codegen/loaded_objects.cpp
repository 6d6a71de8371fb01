#include "codegen/loaded_objects.h"

#include <cstring>
#include <fstream>
#include <link.h>
#include <utility>

#include "codegen/kernel_key.h"

namespace ingot::codegen {

namespace {

std::string hex(const unsigned char* bytes, size_t count) {
    std::string out;
    for (size_t i = 0; i < count; ++i) {
        out += "0123456789abcdef"[bytes[i] >> 4];
        out += "0123456789abcdef"[bytes[i] & 15];
    }
    return out;
}

std::string file_digest(const std::string& path) {
    std::ifstream in(path.empty() ? "/proc/self/exe" : path, std::ios::binary);
    return sha256_hex(std::string((std::istreambuf_iterator<char>(in)), {}));
}

// A note's name and description are filled up to whole words.
size_t padded(size_t bytes) {
    return (bytes + 3) / 4 * 4;
}

// The GNU build id among the notes of a loaded object, or an empty string.
std::string build_id_note(const dl_phdr_info& object) {
    for (int i = 0; i < object.dlpi_phnum; ++i) {
        const ElfW(Phdr) & header = object.dlpi_phdr[i];
        if (header.p_type != PT_NOTE) continue;
        const auto* at = reinterpret_cast<const unsigned char*>(object.dlpi_addr + header.p_vaddr);
        const unsigned char* const end = at + header.p_memsz;
        while (static_cast<size_t>(end - at) >= sizeof(ElfW(Nhdr))) {
            ElfW(Nhdr) note;
            std::memcpy(&note, at, sizeof note);
            const unsigned char* name = at + sizeof note;
            const unsigned char* description = name + padded(note.n_namesz);
            if (description + note.n_descsz > end) break;
            if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0)
                return hex(description, note.n_descsz);
            at = description + padded(note.n_descsz);
        }
    }
    return {};
}

struct Search {
    const std::function<bool(std::string_view)>& wanted;
    std::string ids;
};

int add_build_id(dl_phdr_info* object, size_t, void* data) {
    auto& search = *static_cast<Search*>(data);
    if (!search.wanted(object->dlpi_name)) return 0;
    std::string id = build_id_note(*object);
    if (id.empty()) id = file_digest(object->dlpi_name);
    search.ids += ' ' + id.substr(0, 12);
    return 0;
}

} // namespace

std::string loaded_build_ids(const std::function<bool(std::string_view name)>& wanted) {
    Search search{.wanted = wanted, .ids = {}};
    dl_iterate_phdr(add_build_id, &search);
    return std::move(search.ids);
}

} // namespace ingot::codegen
