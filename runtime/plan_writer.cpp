#include "runtime/plan_writer.h"

#include "runtime/digest.h"
#include "runtime/error.h"
#include "runtime/new_file.h"
#include "runtime/plan_check.h"
#include "runtime/plan_header.h"
#include "runtime/plan_version.h"
#include "runtime/posix_file.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace ingot::runtime {

struct WeightsSink::State {
    int descriptor = -1;
    std::string where;
    PlanSegment segment;
    std::vector<std::uint64_t> checksums; // by chunk; valid where `known`
    std::vector<std::atomic<bool>> known; // chunks that were written in one piece
};

void WeightsSink::write(std::uint64_t offset, std::span<const std::byte> data) {
    if (offset > bytes() || data.size() > bytes() - offset) {
        throw Error(Code::invalid_argument, state_->where,
                    fmt::format("{} bytes of weights at {} end past {}", data.size(), offset, bytes()));
    }
    write_at(state_->descriptor, state_->segment.offset + offset, data, state_->where);
    const std::uint64_t end = offset + data.size();
    for (std::uint64_t chunk = (offset + checksum_chunk - 1) / checksum_chunk;
         chunk < state_->checksums.size(); ++chunk) {
        const std::uint64_t chunk_begin = chunk * checksum_chunk;
        const std::uint64_t chunk_end = std::min(chunk_begin + checksum_chunk, bytes());
        if (chunk_end > end) break;
        state_->checksums[chunk] =
            chunk_checksum(data.subspan(chunk_begin - offset, chunk_end - chunk_begin));
        state_->known[chunk].store(true, std::memory_order_release);
    }
}

std::uint64_t WeightsSink::bytes() const {
    return state_->segment.bytes;
}

namespace {

std::uint64_t aligned(std::uint64_t offset) {
    return (offset + plan_alignment - 1) / plan_alignment * plan_alignment;
}

PlanHeader header_of(const PlanParts& parts) {
    PlanHeader header;
    header.format_major = format_major;
    header.format_minor = format_minor;
    std::uint64_t end = plan_alignment;
    const auto place = [&](std::uint64_t bytes) {
        if (bytes == 0) return PlanSegment{};
        const PlanSegment segment = {.offset = aligned(end), .bytes = bytes};
        end = segment.offset + bytes;
        return segment;
    };
    header.description = place(parts.description.size());
    header.code = place(parts.code.size());
    header.weights = place(parts.weights_bytes);
    header.file_bytes = end;
    return header;
}

} // namespace

class PlanFileWriter {
  public:
    static std::uint64_t write_weights(int descriptor, const PlanHeader& header, const PlanParts& parts,
                                       const std::string& where) {
        if (header.weights.bytes == 0) return 0;
        const std::uint64_t chunks = (header.weights.bytes + checksum_chunk - 1) / checksum_chunk;
        WeightsSink::State state;
        state.descriptor = descriptor;
        state.where = where;
        state.segment = header.weights;
        state.checksums.resize(chunks);
        state.known = std::vector<std::atomic<bool>>(chunks);
        WeightsSink sink(state);
        parts.produce_weights(sink);
        std::vector<std::byte> buffer(
            static_cast<std::size_t>(std::min(checksum_chunk, header.weights.bytes)));
        for (std::uint64_t i = 0; i < chunks; ++i) {
            if (state.known[i].load(std::memory_order_acquire)) continue;
            const std::uint64_t at = i * checksum_chunk;
            const auto chunk = std::span(buffer).first(
                static_cast<std::size_t>(std::min(checksum_chunk, header.weights.bytes - at)));
            read_at(descriptor, header.weights.offset + at, chunk, where);
            state.checksums[i] = chunk_checksum(chunk);
        }
        return weights_checksum(state.checksums);
    }
};

void write_plan(const std::filesystem::path& path, const PlanParts& parts) {
    const std::string where = path.string();
    if (parts.weights_bytes > 0 && !parts.produce_weights) {
        throw Error(Code::invalid_argument, where, "weights without a producer");
    }
    // A copy, because a FlatBuffer is checked and read at an aligned address; this is also the digest's
    // input.
    PlanHeader header = header_of(parts);
    const std::uint64_t head_bytes = header.weights.bytes > 0 ? header.weights.offset : header.file_bytes;
    std::vector<std::uint64_t> words((head_bytes + 7) / 8);
    const std::span<std::byte> head = std::as_writable_bytes(std::span(words)).first(head_bytes);
    std::ranges::copy(parts.description, head.subspan(header.description.offset).begin());
    std::ranges::copy(parts.code, head.subspan(header.code.offset).begin());
    check_description(head.subspan(header.description.offset, header.description.bytes),
                      {.code_bytes = header.code.bytes, .weights_bytes = header.weights.bytes}, where);

    NewFile file(path);
    file.reserve(header.file_bytes);
    header.weights_checksum = PlanFileWriter::write_weights(file.descriptor(), header, parts, where);
    std::memcpy(head.data(), &header, sizeof header);
    header.digest = sha256({head});
    std::memcpy(head.data(), &header, sizeof header);
    write_at(file.descriptor(), 0, head, where);
    file.move_into_place(parts.durable);
}

} // namespace ingot::runtime
