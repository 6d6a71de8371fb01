// libFuzzer target: any bytes as a plan. The first byte says as what: a whole file; a description; or a
// small, valid plan of which bytes are changed, so that the checks behind FlatBuffers' own are reached. A
// file's digest is made right first. Only runtime::Error may come out, and what opens has to be safe to use.
#include "runtime/digest.h"
#include "runtime/error.h"
#include "runtime/plan_check.h"
#include "runtime/plan_file.h"
#include "runtime/plan_version.h"
#include "runtime/posix_file.h"
#include "runtime/text/tokenizer.h"
#include "tests/fuzz/changed.h"
#include "tests/runtime/small_plan.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

namespace {

using namespace ingot;
using namespace ingot::runtime;
using test::Bytes;

PlanSegment segment_behind(std::uint64_t end, std::uint64_t bytes) {
    return {.offset = (end + plan_alignment - 1) / plan_alignment * plan_alignment, .bytes = bytes};
}

Bytes file_of(const Bytes& description) {
    PlanHeader header{.format_major = format_major, .format_minor = format_minor};
    header.description = segment_behind(sizeof header, description.size());
    header.code =
        segment_behind(header.description.offset + description.size(), test::small_plan_sizes.code_bytes);
    header.file_bytes = header.code.offset + header.code.bytes;
    Bytes file(header.file_bytes);
    std::memcpy(file.data(), &header, sizeof header);
    std::ranges::copy(description, file.begin() + static_cast<std::ptrdiff_t>(header.description.offset));
    return file;
}

// What PlanFile::open compares: the digest of what lies before the weights.
void mend_digest(Bytes& file) {
    PlanHeader header;
    if (file.size() < plan_alignment) return;
    std::memcpy(&header, file.data(), sizeof header);
    const PlanSegment& last = header.code.bytes > 0 ? header.code : header.description;
    const std::uint64_t end = header.weights.bytes > 0 ? header.weights.offset : last.offset + last.bytes;
    header.digest = {};
    const auto checked = std::span(file).first(std::min<std::uint64_t>(end, file.size()));
    if (checked.size() < sizeof header) return;
    header.digest = sha256({std::as_bytes(std::span(&header, 1)), checked.subspan(sizeof header)});
    std::memcpy(file.data(), &header, sizeof header);
}

void may_fail(const auto& run) {
    try {
        run();
    } catch (const Error& error) {
        if (std::string_view(error.what()).find('\n') != std::string_view::npos) std::abort();
    }
}

void use(const std::shared_ptr<const PlanFile>& file) {
    std::size_t sum = 0;
    for (std::uint32_t i = 0; i < file->description().kernels()->size(); ++i) {
        const std::span<const std::byte> code = file->code_of(i);
        sum += static_cast<std::size_t>(code.front()) + static_cast<std::size_t>(code.back());
    }
    if (sum == SIZE_MAX) std::abort(); // uses the sum, so that no read is optimised away
    may_fail([&] { file->verify_weights(); });
    may_fail([&] {
        const Tokenizer tokenizer(vocabulary_of(file));
        tokenizer.decode(tokenizer.encode("ab <|end|>"));
    });
}

void open(Bytes file) {
    mend_digest(file);
    const Descriptor memory(::memfd_create("plan", MFD_CLOEXEC));
    if (!memory || ::write(memory.get(), file.data(), file.size()) != static_cast<ssize_t>(file.size()))
        std::abort();
    may_fail([&] { use(PlanFile::open("/proc/self/fd/" + std::to_string(memory.get()))); });
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const auto rest = std::as_bytes(std::span(data + 1, size - 1));
    static const Bytes description = test::small_description();
    switch (data[0] % 4) {
    case 0:
        open(Bytes(rest.begin(), rest.end()));
        break;
    case 1: {
        const Bytes copy(rest.begin(), rest.end()); // aligned as an allocation is
        may_fail([&] { check_description(copy, test::small_plan_sizes, "fuzz"); });
        break;
    }
    case 2:
        open(fuzz::changed(file_of(description), rest));
        break;
    default:
        open(file_of(fuzz::changed(description, rest)));
        break;
    }
    return 0;
}
