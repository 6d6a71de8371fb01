#include "runtime/plan_file.h"

#include "plan_generated.h"
#include "runtime/digest.h"
#include "runtime/error.h"
#include "runtime/plan_check.h"
#include "runtime/plan_version.h"
#include "runtime/posix_file.h"
#include "runtime/required.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include <fmt/format.h>
#include <sys/mman.h>

namespace ingot::runtime {
namespace {

// What a reader of this build does not know how to read, in words that say what to do.
void check_version(const PlanHeader& header, const std::string& where) {
    const bool same_major = header.format_major == format_major;
    if (same_major && header.format_minor <= format_minor) return;
    const bool newer = header.format_major > format_major || same_major;
    throw Error(Code::version, where,
                fmt::format("plan format {}.{}, and this build reads {}.0 to {}.{}; {}", header.format_major,
                            header.format_minor, format_major, format_major, format_minor,
                            newer ? "use a newer Ingot, or compile the model again with this one"
                                  : "compile the model again"));
}

// Segments in their order, each on a page of its own right behind the one before, up to the end of the file.
void check_layout(const PlanHeader& header, std::uint64_t file_bytes, const std::string& where) {
    const auto fail = [&](const std::string& message) { throw Error(Code::bad_file, where, message); };
    if (header.file_bytes != file_bytes) {
        fail(fmt::format("the file has {} bytes and should have {}; it is truncated or damaged", file_bytes,
                         header.file_bytes));
    }
    std::uint64_t end = plan_alignment;
    for (const PlanSegment& segment : {header.description, header.code, header.weights}) {
        if (segment.offset == 0 && segment.bytes == 0) continue;
        if (segment.offset != (end + plan_alignment - 1) / plan_alignment * plan_alignment) {
            fail(fmt::format("a segment begins at byte {} and the one before ends at {}", segment.offset,
                             end));
        }
        if (segment.offset > file_bytes || segment.bytes > file_bytes - segment.offset) {
            fail("a segment ends past the end of the file");
        }
        end = segment.offset + segment.bytes;
    }
    if (end != file_bytes) fail(fmt::format("{} bytes behind the last segment", file_bytes - end));
    if (header.description.bytes == 0) fail("there is no description");
}

} // namespace

std::shared_ptr<const PlanFile> PlanFile::open(const std::filesystem::path& path) {
    const std::string where = path.string();
    const std::shared_ptr<PlanFile> file(new PlanFile);
    file->path_ = path;
    file->descriptor_ = open_for_reading(path).release();
    const std::uint64_t file_bytes = size_of(file->descriptor_, where);
    if (file_bytes < plan_alignment) throw Error(Code::bad_file, where, "is too short for a plan");

    PlanHeader& header = file->header_;
    read_at(file->descriptor_, 0, std::as_writable_bytes(std::span(&header, 1)), where);
    if (header.magic != plan_magic)
        throw Error(Code::bad_file, where, "is not a plan: it does not begin with INGOTPLN");
    check_version(header, where);
    check_layout(header, file_bytes, where);

    const PlanSegment& last = header.code.bytes > 0 ? header.code : header.description;
    const std::uint64_t checked_bytes =
        header.weights.bytes > 0 ? header.weights.offset : last.offset + last.bytes;
    void* memory = ::mmap(nullptr, checked_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        throw Error(Code::out_of_memory, where, fmt::format("{} bytes for a plan", checked_bytes));
    file->memory_ = static_cast<std::byte*>(memory);
    file->memory_bytes_ = checked_bytes;
    const std::span<std::byte> all(file->memory_, checked_bytes);
    read_at(file->descriptor_, 0, all, where);

    // The header as it lies here is what the digest covers, whatever the first reading of it gave.
    PlanHeader blank;
    std::memcpy(&blank, all.data(), sizeof blank);
    if (std::memcmp(&blank, &header, sizeof blank) != 0)
        throw Error(Code::bad_file, where, "changed while it was read");
    blank.digest = {};
    const auto digest = sha256({std::as_bytes(std::span(&blank, 1)), all.subspan(sizeof blank)});
    if (digest != header.digest) {
        throw Error(Code::bad_file, where, "is damaged (its SHA-256 is wrong); compile the model again");
    }
    file->code_ = all.subspan(header.code.offset, header.code.bytes);
    file->description_ =
        &check_description(all.subspan(header.description.offset, header.description.bytes),
                           {.code_bytes = header.code.bytes, .weights_bytes = header.weights.bytes}, where);
    return file;
}

PlanFile::~PlanFile() {
    Descriptor closing(descriptor_);
    if (memory_ != nullptr) ::munmap(memory_, memory_bytes_);
}

std::span<const std::byte> PlanFile::code_of(std::size_t kernel) const {
    const plan::Kernel& k =
        required(required(description_->kernels()).Get(static_cast<flatbuffers::uoffset_t>(kernel)));
    return code_.subspan(k.code_offset(), k.code_bytes());
}

void PlanFile::verify_weights() const {
    const std::string where = path_.string();
    std::vector<std::byte> chunk(static_cast<std::size_t>(std::min(checksum_chunk, header_.weights.bytes)));
    std::vector<std::uint64_t> checksums;
    for (std::uint64_t at = 0; at < header_.weights.bytes; at += checksum_chunk) {
        const auto bytes = static_cast<std::size_t>(std::min(checksum_chunk, header_.weights.bytes - at));
        read_at(descriptor_, header_.weights.offset + at, std::span(chunk).first(bytes), where);
        checksums.push_back(chunk_checksum(std::span(chunk).first(bytes)));
    }
    if (header_.weights.bytes > 0 && weights_checksum(checksums) != header_.weights_checksum) {
        throw Error(Code::bad_file, where, "the weights are damaged; compile the model again");
    }
}

} // namespace ingot::runtime
