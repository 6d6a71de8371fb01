#include "runtime/digest.h"

#include "runtime/error.h"

#include <memory>

#include <openssl/evp.h>
#include <xxhash.h>

namespace ingot::runtime {

std::array<std::uint8_t, 32> sha256(std::initializer_list<std::span<const std::byte>> parts) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    std::array<std::uint8_t, 32> digest = {};
    bool good = context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
    for (const std::span<const std::byte> part : parts) {
        good = good && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
    }
    good = good && EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1;
    if (!good) throw Error(Code::unsupported, "SHA-256", "the installed OpenSSL can't compute it");
    return digest;
}

std::uint64_t chunk_checksum(std::span<const std::byte> chunk) {
    return XXH3_64bits(chunk.data(), chunk.size());
}

std::uint64_t weights_checksum(std::span<const std::uint64_t> chunks) {
    return XXH3_64bits(chunks.data(), chunks.size_bytes());
}

} // namespace ingot::runtime
