// Errors and the version of ingot.h.
#include "runtime/c_api/objects.h"

#include <algorithm>
#include <string_view>

#define INGOT_TEXT_OF(x) #x
#define INGOT_TEXT(x) INGOT_TEXT_OF(x)

namespace ingot::runtime::c_api {
namespace {

// Whether a byte is within a UTF-8 character and not its first.
bool continues(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

} // namespace

static_assert(std::string_view(INGOT_PROJECT_VERSION) ==
                  INGOT_TEXT(INGOT_VERSION_MAJOR) "." INGOT_TEXT(INGOT_VERSION_MINOR) "." INGOT_TEXT(
                      INGOT_VERSION_PATCH),
              "ingot.h and CMakeLists.txt name one version");

ingot_code report(ingot_error* error, ingot_code code, const char* message) noexcept {
    if (error == nullptr) return code;
    error->code = code;
    const std::string_view text(message);
    std::size_t length = std::min(text.size(), sizeof error->message - 1);
    while (length > 0 && length < text.size() && continues(text[length]))
        --length;
    std::ranges::transform(text.substr(0, length), error->message, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F ? ' ' : c;
    });
    error->message[length] = '\0';
    return code;
}

} // namespace ingot::runtime::c_api

extern "C" const char* ingot_version(void) {
    return INGOT_PROJECT_VERSION;
}
