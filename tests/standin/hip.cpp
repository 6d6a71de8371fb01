// libamdhip64 for tests: what it has beside driver_calls.def. STANDIN_HIP is the version that it is to be, 5
// to 7. Source: hip_runtime_api.h of that version.
#include "tests/standin/calls.h"
#include "tests/standin/state.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <vector>

namespace ingot::standin {
namespace {

// "gfx90a": 9, 0 and a stepping that no attribute tells.
int major_of(const std::string& arch) {
    return std::stoi(arch.substr(3, arch.size() - 5));
}
int minor_of(const std::string& arch) {
    return std::stoi(arch.substr(arch.size() - 2, 1), nullptr, 16);
}

// The bytes that a property struct has, with all but the names filled with something.
int fill(void* properties, std::size_t bytes, std::size_t arch_at) {
    const Settings& s = state().settings;
    std::vector<char> filled(bytes, 0x11);
    std::strcpy(filled.data(), "Stand-in, not gfx1010");
    const std::string arch =
        (s.named.empty() ? s.arch : s.named) + (s.arch.starts_with("gfx9") ? ":sramecc+:xnack-" : "");
    std::copy_n(arch.c_str(), arch.size() + 1, filled.begin() + static_cast<std::ptrdiff_t>(arch_at));
    std::memcpy(properties, filled.data(), bytes);
    return 0;
}

} // namespace

Settings family_settings() {
    Settings s;
    s.arch = "gfx1100";
    s.version = STANDIN_HIP * 10'000'000 + 200'000 + 21153;
    s.wave = 0; // as the architecture has it
    return s;
}

bool family_attribute(const Settings& s, int which, int& value) {
    switch (which) {
    case 23:
        value = major_of(s.arch);
        return true;
    case 29:
    case 30:
    case 31:
        value = 0x7fffffff;
        return true;
    case 56:
        value = s.threads;
        return true;
    case 61:
        value = minor_of(s.arch);
        return true;
    case 63:
        value = 48;
        return true;
    case 74:
        value = s.shared;
        return true;
    case 87:
        value = s.wave != 0 ? s.wave : major_of(s.arch) < 10 ? 64 : 32;
        return true;
    default:
        return false;
    }
}

} // namespace ingot::standin

using namespace ingot::standin;

extern "C" {

int hipRuntimeGetVersion(int* version) {
    const std::lock_guard lock(state().mutex);
    *version = state().settings.version;
    return state().enter("version");
}

const char* hipGetErrorString(int error) {
    switch (error) {
    case out_of_memory:
        return "out of memory";
    case invalid_image:
        return "device kernel image is invalid";
    case launch_failed:
        return "unspecified launch failure";
    default:
        return "unknown error";
    }
}

int hipSetDevice(int) {
    return 0;
}

#ifndef STANDIN_INCOMPLETE
int hipModuleLaunchKernel(void* kernel, unsigned x, unsigned y, unsigned z, unsigned threads, unsigned,
                          unsigned, unsigned shared, void* stream, void** arguments, void**) {
    return launch({.grid = {x, y, z}, .threads = threads, .shared_bytes = shared}, kernel, stream, arguments);
}
#endif

// HIP 5's layout, which the plain name keeps in later versions.
int hipGetDeviceProperties(void* properties, int) {
    return fill(properties, 792, 396);
}
#if STANDIN_HIP > 5
// HIP 7's is moved, so that no code can rest on where something stands.
int hipGetDevicePropertiesR0600(void* properties, int) {
    return fill(properties, STANDIN_HIP == 6 ? 1472 : 1600, STANDIN_HIP == 6 ? 1160 : 1301);
}
#endif
}
