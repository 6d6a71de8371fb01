// The functions that the compiler may call on its own, for a large copy or clearing. A kernel is linked with
// nothing, so it brings them; the linker drops them where they aren't called.
#pragma once

#include <stdint.h>

extern "C" {

__attribute__((weak, visibility("hidden"))) void* memcpy(void* to, const void* from, unsigned long bytes) {
    void* at = to;
    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(bytes) : : "memory");
    return to;
}

__attribute__((weak, visibility("hidden"))) void* memset(void* to, int value, unsigned long bytes) {
    void* at = to;
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(value) : "memory");
    return to;
}

__attribute__((weak, visibility("hidden"))) void* memmove(void* to, const void* from, unsigned long bytes) {
    if (uint64_t(to) - uint64_t(from) >= bytes) return memcpy(to, from, bytes);
    auto* at = static_cast<unsigned char*>(to) + bytes;
    auto* source = static_cast<const unsigned char*>(from) + bytes;
    while (bytes-- > 0)
        *--at = *--source;
    return to;
}
}
