#include "codegen/kernel_key.h"

#include <array>
#include <cassert>
#include <cstdint>

#include <openssl/sha.h>

#include "runtime/host_abi.h"
#include "runtime/launch_geometry.h"

namespace ingot::codegen {

namespace {

void put(std::string& out, std::string_view part) {
    for (int i = 0; i < 8; ++i)
        out += static_cast<char>(part.size() >> (8 * i) & 0xff);
    out += part;
}

} // namespace

std::string sha256(std::string_view bytes) {
    std::string digest(SHA256_DIGEST_LENGTH, '\0');
    SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
           reinterpret_cast<unsigned char*>(digest.data()));
    return digest;
}

std::string sha256_hex(std::string_view bytes) {
    std::string hex;
    for (const char c : sha256(bytes)) {
        hex += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
        hex += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
    }
    return hex;
}

std::string kernel_key(const CompileRequest& request, const Target& target, std::string_view compiler) {
    std::string all;
    put(all, "ingot kernel key 1");
    put(all, request.source);
    put(all, std::to_string(request.headers.size()));
    for (const SourceFile& header : request.headers) {
        put(all, header.name);
        put(all, header.text);
    }
    put(all, std::to_string(request.flags.size()));
    for (const std::string& flag : request.flags)
        put(all, flag);
    put(all, target.row);
    put(all, compiler);
    put(all, std::to_string(target.is_gpu() ? runtime::gpu_abi_version : ingot_host::abi_version));
    return sha256_hex(all);
}

} // namespace ingot::codegen
