#include "runtime/external_weights.h"

#include "plan_generated.h"
#include "runtime/digest.h"
#include "runtime/error.h"
#include "runtime/packing.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <functional>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ingot::runtime {
namespace {

// A part is about 1 MiB of weights.
constexpr std::size_t part_bytes = std::size_t{1} << 20, parts_until_release = 8;

std::string_view text(const flatbuffers::String* s) {
    return {s->data(), s->size()};
}

// A piece with everything checked, ready to be packed in parts.
struct Piece {
    PackJob job;
    std::vector<PackSource> sources;
    PackSize size;
    std::byte* out = nullptr;
};

[[noreturn]] void fail(const PlanFile& plan, const std::string& message) {
    throw Error(Code::bad_file, plan.path().string(), message);
}

Piece piece_of(const PlanFile& plan, const plan::ExternalPiece& p, std::span<const std::byte> model,
               std::byte* arena) {
    Piece piece;
    piece.out = arena + p.offset();
    const plan::ExternalSource& first = *p.sources()->Get(0);
    for (const plan::ExternalSource* s : *p.sources()) {
        if (text(s->element()) != text(first.element()) || s->cols() != first.cols())
            fail(plan,
                 fmt::format("tensors {} and {} can't be stacked", text(first.tensor()), text(s->tensor())));
        piece.sources.push_back({.data = model.subspan(s->file_offset(), s->bytes()), .rows = s->rows()});
    }
    piece.job = {.element = text(first.element()),
                 .layout = text(p.layout()),
                 .cols = first.cols(),
                 .sources = piece.sources};
    piece.size = check_packing(piece.job);
    if (piece.size.bytes() != p.bytes())
        fail(plan, fmt::format("tensor {} packs to {} bytes and has room for {}", text(first.tensor()),
                               piece.size.bytes(), p.bytes()));
    return piece;
}

// A file of which only pages that are read come into memory.
class Mapping {
  public:
    explicit Mapping(const std::filesystem::path& path) {
        const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        struct stat status{};
        if (fd >= 0 && ::fstat(fd, &status) == 0 && status.st_size > 0) {
            size_ = static_cast<std::size_t>(status.st_size);
            data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
        }
        const int error = errno;
        if (fd >= 0) ::close(fd);
        if (data_ == MAP_FAILED)
            throw Error(Code::io, path.string(),
                        fmt::format("the model can't be read: {}", std::strerror(error)));
    }
    ~Mapping() { ::munmap(data_, size_); }
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(data_), size_}; }
    // Gives the pages back to the system; what is read after all is fetched again.
    void release() const { ::madvise(data_, size_, MADV_DONTNEED); }

  private:
    void* data_ = MAP_FAILED;
    std::size_t size_ = 0;
};

// `release` is called after every few MiB of weights, from any of the threads.
void pack(const PlanFile& plan, std::span<const std::byte> model, std::span<std::byte> arena,
          unsigned threads, const std::function<void()>& release) {
    const plan::Plan& description = plan.description();
    if (description.external() == nullptr) fail(plan, "its weights are in the plan, not in the model file");
    if (model.size() != description.model_bytes())
        fail(plan, fmt::format("the model file has {} bytes; the plan was made from one of {}", model.size(),
                               description.model_bytes()));
    if (arena.size() < description.weights_bytes()) fail(plan, "the weights arena is too small");
    std::vector<Piece> pieces;
    pieces.reserve(description.external()->size());
    for (const plan::ExternalPiece* p : *description.external()) {
        if (p->sources()->size() > 0)
            pieces.push_back(piece_of(plan, *p, model, arena.data()));
        else
            std::memcpy(arena.data() + p->offset(), p->data()->data(), p->bytes());
    }
    // Dealt in order.
    struct Part {
        const Piece* piece;
        std::uint64_t begin, end;
    };
    std::vector<Part> parts;
    for (const Piece& p : pieces) {
        const std::uint64_t step =
            std::max<std::uint64_t>(1, part_bytes / std::max<std::uint64_t>(1, p.size.unit_bytes));
        for (std::uint64_t u = 0; u < p.size.units; u += step)
            parts.push_back({&p, u, std::min(u + step, p.size.units)});
    }
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
        for (std::size_t i = next++; i < parts.size(); i = next++) {
            const auto& [piece, begin, end] = parts[i];
            pack_units(piece->job, begin, end,
                       {piece->out + begin * piece->size.unit_bytes, (end - begin) * piece->size.unit_bytes});
            if (i % parts_until_release == parts_until_release - 1) release();
        }
    };
    if (threads == 0) threads = std::max(1U, std::thread::hardware_concurrency());
    std::vector<std::jthread> others;
    for (unsigned i = 1; i < threads; ++i)
        others.emplace_back(work);
    work();
}

} // namespace

void pack_external_weights(const PlanFile& plan, std::span<const std::byte> model, std::span<std::byte> arena,
                           unsigned threads) {
    pack(plan, model, arena, threads, [] {});
}

void pack_external_weights(const PlanFile& plan, const std::filesystem::path& model,
                           std::span<std::byte> arena, unsigned threads) {
    const Mapping mapping(model);
    // Else the whole model would lie in memory beside the weights made of it.
    pack(plan, mapping.bytes(), arena, threads, [&] { mapping.release(); });
}

void verify_external_model(const PlanFile& plan, const std::filesystem::path& model) {
    const Mapping mapping(model);
    const std::string found = fmt::format("{:02x}", fmt::join(sha256({mapping.bytes()}), ""));
    if (found != text(plan.description().model_sha256()))
        fail(plan, fmt::format("was made from another model than {} (their SHA-256 differ)", model.string()));
}

} // namespace ingot::runtime
