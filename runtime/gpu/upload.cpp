#include "runtime/gpu/upload.h"

#include "runtime/posix_file.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace ingot::runtime {
namespace {

constexpr std::uint64_t chunk_bytes = std::uint64_t{8} << 20;
constexpr unsigned most_readers = 6;

// Takes chunks in turn with the others; while one is on its way to the card, the next is read.
void read_chunks(const std::shared_ptr<GpuApi>& api, const GpuMemory& to, const FileRange& range,
                 std::atomic<std::uint64_t>& next) {
    const GpuStream stream(api);
    const PinnedMemory first(api, chunk_bytes), second(api, chunk_bytes);
    const GpuEvent first_done(api), second_done(api);
    const PinnedMemory* buffers[] = {&first, &second};
    const GpuEvent* done[] = {&first_done, &second_done};
    std::uint64_t turn = 0;
    for (std::uint64_t at = next.fetch_add(chunk_bytes); at < range.bytes;
         at = next.fetch_add(chunk_bytes), ++turn) {
        const std::uint64_t bytes = std::min(chunk_bytes, range.bytes - at);
        const std::span<std::byte> buffer = buffers[turn % 2]->bytes().first(bytes);
        if (turn >= 2) api->wait_for(done[turn % 2]->get(), range.name);
        read_at(range.descriptor, range.offset + at, buffer, range.name);
        api->copy_to_device(to.at(at, bytes), buffer.data(), bytes, stream.get());
        api->record(done[turn % 2]->get(), stream.get());
    }
    api->synchronize(stream.get(), range.name);
}

} // namespace

void upload(const std::shared_ptr<GpuApi>& api, const GpuMemory& to, const FileRange& range) {
    to.at(0, range.bytes);
    const auto chunks = (range.bytes + chunk_bytes - 1) / chunk_bytes;
    const unsigned readers = static_cast<unsigned>(std::clamp<std::uint64_t>(
        std::min<std::uint64_t>(chunks / 2, std::thread::hardware_concurrency()), 1, most_readers));
    std::atomic<std::uint64_t> next = 0;
    std::mutex mutex;
    std::exception_ptr failure;
    const auto work = [&] {
        try {
            read_chunks(api, to, range, next);
        } catch (...) {
            const std::lock_guard lock(mutex);
            if (!failure) failure = std::current_exception();
            next = range.bytes;
        }
    };
    {
        std::vector<std::jthread> others;
        for (unsigned i = 1; i < readers; ++i)
            others.emplace_back(work);
        work();
    }
    if (failure) std::rethrow_exception(failure);
}

} // namespace ingot::runtime
