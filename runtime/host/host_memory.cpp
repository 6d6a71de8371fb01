#include "runtime/host/host_memory.h"

#include "runtime/error.h"
#include "runtime/posix_file.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <sys/mman.h>

namespace ingot::runtime {
namespace {

constexpr std::uint64_t huge_page = std::uint64_t{2} << 20;
constexpr std::uint64_t address_space = std::uint64_t{1}
                                        << 47; // of a process; rounding up from there is safe

class HostMemory final : public Memory {
  public:
    HostMemory(Pool pool, std::uint64_t bytes, std::shared_ptr<HostAllocations> count)
        : bytes_(bytes), count_(std::move(count)) {
        const auto fail = [&] {
            throw Error(Code::out_of_memory, "host", fmt::format("{} bytes for {}", bytes, name_of(pool)));
        };
        if (bytes > address_space) fail();
        // State is large and filled slowly, a few rows in each of many planes: with huge pages the first
        // token would clear most of it. The other arenas are used as a whole from the first step on.
        const bool huge = bytes >= huge_page && pool != Pool::state;
        const std::uint64_t whole = huge ? (bytes + huge_page - 1) / huge_page * huge_page : bytes;
        mapped_bytes_ = huge ? whole + huge_page : whole;
        int flags = MAP_PRIVATE | MAP_ANONYMOUS;
        if (pool == Pool::state) flags |= MAP_NORESERVE;
        mapping_ = ::mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE, flags, -1, 0);
        if (mapping_ == MAP_FAILED) fail();
        data_ = static_cast<std::byte*>(mapping_);
        if (huge) {
            const auto address = reinterpret_cast<std::uintptr_t>(data_);
            data_ += (huge_page - address % huge_page) % huge_page;
            // Where the system has no huge pages this fails and costs speed only.
            ::madvise(data_, whole, MADV_HUGEPAGE);
        }
        ++count_->live;
        ++count_->total;
    }
    HostMemory(const HostMemory&) = delete;
    HostMemory& operator=(const HostMemory&) = delete;
    ~HostMemory() override {
        ::munmap(mapping_, mapped_bytes_);
        --count_->live;
    }

    std::uint64_t bytes() const override { return bytes_; }
    std::byte* host_view() override { return data_; }

  private:
    std::uint64_t bytes_ = 0;
    std::shared_ptr<HostAllocations> count_;
    void* mapping_ = MAP_FAILED;
    std::uint64_t mapped_bytes_ = 0;
    std::byte* data_ = nullptr;
};

void check_range(const Memory& memory, std::uint64_t offset, std::uint64_t bytes) {
    if (offset > memory.bytes() || bytes > memory.bytes() - offset) {
        throw Error(Code::invalid_argument, "host",
                    fmt::format("{} bytes at {} of {} bytes of memory", bytes, offset, memory.bytes()));
    }
}

} // namespace

std::unique_ptr<Memory> allocate_host_memory(Pool pool, std::uint64_t bytes,
                                             std::shared_ptr<HostAllocations> count) {
    return std::make_unique<HostMemory>(pool, bytes, std::move(count));
}

void read_in_parallel(std::span<std::byte> to, const FileRange& range, unsigned threads) {
    // A thread takes the next piece when it is done with one: pages that the system has to fetch take longer.
    constexpr std::uint64_t piece = std::uint64_t{4} << 20;
    std::atomic<std::uint64_t> next = 0;
    std::mutex mutex;
    std::exception_ptr failure;
    const auto read_pieces = [&] {
        try {
            for (;;) {
                const std::uint64_t at = next.fetch_add(piece);
                if (at >= range.bytes) return;
                read_at(range.descriptor, range.offset + at,
                        to.subspan(at, std::min(piece, range.bytes - at)), range.name);
            }
        } catch (...) {
            next.store(range.bytes);
            const std::lock_guard lock(mutex);
            failure = std::current_exception();
        }
    };
    const std::uint64_t pieces = (range.bytes + piece - 1) / piece;
    std::vector<std::jthread> helpers;
    try {
        for (std::uint64_t i = 1; i < std::min<std::uint64_t>(threads, pieces); ++i)
            helpers.emplace_back(read_pieces);
    } catch (const std::system_error&) { // NOLINT(bugprone-empty-catch): fewer threads are enough
    }
    read_pieces();
    helpers.clear();
    if (failure) std::rethrow_exception(failure);
}

void write_memory(Memory& to, std::uint64_t offset, std::span<const std::byte> data) {
    check_range(to, offset, data.size());
    if (!data.empty()) std::memcpy(to.host_view() + offset, data.data(), data.size());
}

void read_memory(Memory& from, std::uint64_t offset, std::span<std::byte> data) {
    check_range(from, offset, data.size());
    if (!data.empty()) std::memcpy(data.data(), from.host_view() + offset, data.size());
}

void copy_memory(Memory& memory, std::uint64_t to, std::uint64_t from, std::uint64_t bytes) {
    check_range(memory, to, bytes);
    check_range(memory, from, bytes);
    if (bytes > 0) std::memcpy(memory.host_view() + to, memory.host_view() + from, bytes);
}

} // namespace ingot::runtime
