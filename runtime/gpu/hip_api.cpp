// AMD's HIP runtime behind GpuApi. Its header is not at hand at a user's, so what is used of it beside
// driver_calls.def is declared here. Source: hip_runtime_api.h and driver_types.h of HIP 5.0 to 7.2.
#include "runtime/error.h"
#include "runtime/gpu/driver_api.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <string_view>

#include <fmt/format.h>

namespace ingot::runtime {
namespace {

// hipDeviceAttribute_t. HIP 4 numbered them otherwise; from 5.0 to 7.2 these stayed, while HIP 6 emptied the
// places of others (the architecture's name was 10004) and new ones came behind.
enum Attribute : int {
    compute_capability_major = 23,
    max_grid_x = 29,
    max_grid_y = 30,
    max_grid_z = 31,
    max_threads_per_block = 56,
    compute_capability_minor = 61,
    multiprocessor_count = 63,
    max_shared_memory_per_block = 74,
    warp_size = 87,
};
constexpr int oldest_version = 5, newest_version = 7; // whose numbers these are

// Where an array of characters begins with the name of an architecture, that name: "gfx90a".
std::string_view architecture_at(const char* text, std::size_t bytes) {
    const std::string_view all(text, bytes);
    if (!all.starts_with("gfx")) return {};
    std::size_t end = 3;
    while (end < all.size() && std::isxdigit(static_cast<unsigned char>(all[end])) != 0)
        ++end;
    const bool ends =
        end < all.size() && (all[end] == '\0' || all[end] == ':'); // ":sramecc+:xnack-" may follow
    return ends && end >= 6 && end <= 8 ? all.substr(0, end) : std::string_view();
}

class HipApi final : public DriverApi {
  public:
    explicit HipApi(const GpuOptions& options)
        : DriverApi({.family = Family::hip,
                     .install = "install AMD's HIP runtime (ROCm's hip-runtime-amd, Debian's libamdhip64-5)",
                     .upgrade = "install that of ROCm 5.2 or later",
                     .no_card = "there is no AMD card that ROCm knows; see whether /dev/kfd is there and "
                                "yours to open",
                     .enter = "hipSetDevice"},
                    options) {
        error_string_ = reinterpret_cast<const char* (*)(DriverResult)>(find("hipGetErrorString"));
        load(runtime_version_, "hipRuntimeGetVersion");
        load(set_device_, "hipSetDevice");
        load(launch_, "hipModuleLaunchKernel");
        check_version();
        start();
        read_facts();
    }

    // AMD's kernels may take all that a group can have.
    void prepare_kernel(Handle, std::uint32_t, const std::string&) override {}

    void launch(const Launch& l, Handle stream, const std::string& what) override {
        call_on_device(what, launch_, l.kernel, l.grid[0], l.grid[1], l.grid[2], l.threads, 1U, 1U,
                       l.shared_bytes, stream, l.arguments, nullptr);
    }

  private:
    // The runtime keeps a current device for each thread.
    DriverResult enter() const override { return set_device_(device_); }
    std::string words(DriverResult r) const override {
        const char* const text = error_string_(r);
        return text == nullptr ? fmt::format("error {}", r) : fmt::format("{} (error {})", text, r);
    }

    // 50221153 is 5.2.21153.
    void check_version() const {
        int version = 0;
        if (const DriverResult r = runtime_version_(&version); r != 0)
            absent("HIP's runtime tells no version: " + words(r));
        const int major = version / 10'000'000;
        if (major < oldest_version || major > newest_version)
            absent(fmt::format("this is HIP {}.{}, and HIP {} to {} are known; install one of these", major,
                               version / 100'000 % 100, oldest_version, newest_version));
    }

    // The name of the architecture stands in the struct of all properties alone. That struct's layout hangs
    // on the version and on which of two functions fills it (the plain one keeps HIP 5's for ever), so no
    // offset is relied on: the string is looked for behind the marketing name, which is first in all of them,
    // in more bytes than any version has. What it says has to agree with the attributes, which are stable.
    std::string architecture() const {
        constexpr std::size_t bytes = 65536, name_bytes = 256;
        std::string properties(bytes, '\0');
        constexpr const char* of_hip_6 = "hipGetDevicePropertiesR0600";
        DriverFunction<DriverResult(void*, int)> get;
        load(get, has(of_hip_6) ? of_hip_6 : "hipGetDeviceProperties");
        call(device(), get, properties.data(), device_);
        const int major = attribute(compute_capability_major), minor = attribute(compute_capability_minor);
        const std::string generation = fmt::format("gfx{}{:x}", major, minor);
        for (std::size_t at = name_bytes; at < bytes; ++at) {
            const std::string_view found = architecture_at(properties.data() + at, bytes - at);
            if (found.size() == generation.size() + 1 && found.starts_with(generation))
                return std::string(found);
        }
        absent(fmt::format(
            "the card's architecture can't be told: no name of generation {}.{} is in its properties", major,
            minor));
    }

    void read_facts() {
        char name[256] = {};
        call(device(), calls_.device_name, name, static_cast<int>(sizeof name - 1), device_);
        std::size_t bytes = 0;
        call(device(), calls_.device_memory, &bytes, device_);
        const auto number = [&](int which) { return static_cast<std::uint32_t>(attribute(which)); };
        const std::uint32_t threads = number(max_threads_per_block);
        // The runtime counts threads, not groups, in 32 bits.
        const auto groups_x =
            std::min(number(max_grid_x), std::numeric_limits<std::uint32_t>::max() / std::max(threads, 1U));
        facts_ = {.device = device(),
                  .name = name,
                  .target = architecture(),
                  .units = number(multiprocessor_count),
                  .memory_bytes = bytes,
                  .threads_per_group = threads,
                  .shared_bytes_per_group = number(max_shared_memory_per_block),
                  .most_groups = {groups_x, number(max_grid_y), number(max_grid_z)}};
        if (facts_.name.empty()) facts_.name = facts_.target;
        // Kernels are made for waves of 64 lanes for GCN and CDNA (gfx9), and of 32 from RDNA on.
        const int wave = attribute(compute_capability_major) < 10 ? 64 : 32;
        if (const int actual = attribute(warp_size); actual != wave)
            absent(fmt::format("the runtime says that waves of {} have {} lanes; kernels for it have {}",
                               facts_.target, actual, wave));
    }

    const char* (*error_string_)(DriverResult) = nullptr;
    DriverFunction<DriverResult(int*)> runtime_version_;
    DriverFunction<DriverResult(int)> set_device_;
    DriverFunction<DriverResult(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                                void*, void**, void**)>
        launch_;
};

} // namespace

std::shared_ptr<GpuApi> open_hip_api(GpuOptions options) {
    if (options.libraries.empty())
        options.libraries = {"libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5", "libamdhip64.so",
                             "/opt/rocm/lib/libamdhip64.so"};
    return std::make_shared<HipApi>(options);
}

} // namespace ingot::runtime
