// The devices that this build knows, as the tests of what runtime/device.h promises take them; those of GPUs
// by stand-ins for their drivers (tests/standin), which run kernels of this machine.
#pragma once

#include "runtime/device.h"

#include "runtime/gpu/gpu_device.h"
#include "runtime/host_abi.h"
#include "runtime/open_device.h"
#include "runtime/posix_file.h"
#include "tests/standin/control.h"

#include <filesystem>
#include <numeric>
#include <optional>

#include <gtest/gtest.h>

namespace ingot::runtime {

using Ints = std::vector<std::int32_t>;

inline constexpr std::size_t count = 1000; // elements of the kernels' vectors
inline constexpr std::uint64_t vector_bytes = 4096;

inline std::vector<std::byte> bytes_of(const std::filesystem::path& path) {
    const Descriptor file = open_for_reading(path);
    std::vector<std::byte> bytes(size_of(file.get(), path.string()));
    read_at(file.get(), 0, bytes, path.string());
    return bytes;
}

// The suite's kernels for a device (conformance/), and the ABI that they are called by.
struct Kernels {
    std::vector<std::byte> object;
    std::uint32_t abi = 0;
};
inline Kernels kernels_for(std::string_view device) {
    if (device == "host" || device == "null")
        return {.object = bytes_of(INGOT_CONFORMANCE_KERNELS), .abi = ingot_host::abi_version};
    return {.object = bytes_of(INGOT_STANDIN_KERNELS), .abi = gpu_abi_version};
}

// Of "hip5" to "hip7" and "cuda"; empty for devices that need none.
inline std::string standin_of(const std::string& device) {
    if (device.starts_with("hip"))
        return std::string(INGOT_STANDINS "/") + device + "/libamdhip64.so." + device.back();
    return device == "cuda" ? INGOT_STANDINS "/cuda/libcuda.so.1" : "";
}

inline std::shared_ptr<Device> open(const std::string& name) {
    if (name.starts_with("hip")) return make_gpu_device(open_hip_api({.libraries = {standin_of(name)}}));
    if (name == "cuda") return make_gpu_device(open_cuda_api({.libraries = {standin_of(name)}}));
    return open_device(name);
}

// How a stand-in is asked to run a kernel; the host looks at none of it.
inline constexpr LaunchGeometry geometry{.threads = 64, .shared_bytes = 256};

class DeviceConformance : public testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        if (const std::string path = standin_of(GetParam()); !path.empty()) driver.emplace(path);
        device = open(GetParam());
        kernels = kernels_for(GetParam());
    }
    void TearDown() override {
        device.reset();
        if (!driver) return;
        EXPECT_EQ(driver->count("live"), 0);
        EXPECT_EQ(driver->misuse(), "");
    }

    // A launch of one of the suite's kernels on vectors of the transient arena, by their numbers.
    LaunchSpec launch(Module& module, const std::string& kernel,
                      const std::vector<std::uint64_t>& vectors) const {
        LaunchSpec spec{.module = &module, .symbol = "conformance_" + kernel, .name = "test." + kernel};
        for (const std::uint64_t v : vectors)
            spec.operands.push_back({.pool = Pool::transient, .offset = v * vector_bytes});
        spec.geometry = geometry;
        return spec;
    }

    static Ints read(Queue& queue, Memory& memory, std::uint64_t offset, std::size_t elements = count) {
        Ints out(elements);
        queue.read(memory, offset, std::as_writable_bytes(std::span(out)));
        return out;
    }
    static void write(Queue& queue, Memory& memory, std::uint64_t offset, const Ints& values) {
        queue.write(memory, offset, std::as_bytes(std::span(values)));
    }

    std::optional<standin::Control> driver;
    std::shared_ptr<Device> device;
    Kernels kernels;
};

// What only shows where kernels run.
class RunningDevices : public DeviceConformance {};

inline Ints counting(std::int32_t first, std::size_t elements = count) {
    Ints out(elements);
    std::iota(out.begin(), out.end(), first);
    return out;
}

inline std::string name_of_test(const testing::TestParamInfo<std::string>& test) {
    return test.param;
}

} // namespace ingot::runtime
