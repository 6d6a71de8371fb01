#include "heap_allocations.h"

#include <atomic>
#include <cerrno>
#include <cstdlib>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define INGOT_SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define INGOT_SANITIZED
#endif

namespace ingot::tests {
namespace {
std::atomic<std::size_t> count = 0;
} // namespace

std::size_t heap_allocations() {
    return count.load();
}

#ifdef INGOT_SANITIZED
bool counts_heap_allocations() {
    return false;
}
#else
bool counts_heap_allocations() {
    return true;
}

extern "C" {
// glibc's own, under the names that it keeps for such stand-ins.
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t bytes) noexcept {
    ++count;
    return __libc_malloc(bytes);
}
void* calloc(std::size_t elements, std::size_t bytes) noexcept {
    ++count;
    return __libc_calloc(elements, bytes);
}
void* realloc(void* old, std::size_t bytes) noexcept {
    ++count;
    return __libc_realloc(old, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
    ++count;
    return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** to, std::size_t alignment, std::size_t bytes) noexcept {
    ++count;
    *to = __libc_memalign(alignment, bytes);
    return *to == nullptr ? ENOMEM : 0;
}
}
#endif

} // namespace ingot::tests
