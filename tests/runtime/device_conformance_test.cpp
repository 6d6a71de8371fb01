// What runtime/device.h promises, of every device that this build knows; of those of GPUs by stand-ins for
// their drivers (tests/standin), which run kernels of this machine.
#include "runtime/device.h"

#include "runtime/gpu/gpu_device.h"
#include "runtime/host_abi.h"
#include "runtime/open_device.h"
#include "runtime/posix_file.h"
#include "tests/standin/control.h"
#include "tests/support/code_of.h"
#include "tests/support/heap_allocations.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <optional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ingot::runtime {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using Ints = std::vector<std::int32_t>;

constexpr std::size_t count = 1000; // elements of the kernels' vectors
constexpr std::uint64_t vector_bytes = 4096;

std::vector<std::byte> bytes_of(const fs::path& path) {
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
Kernels kernels_for(std::string_view device) {
    if (device == "host" || device == "null")
        return {.object = bytes_of(INGOT_CONFORMANCE_KERNELS), .abi = ingot_host::abi_version};
    return {.object = bytes_of(INGOT_STANDIN_KERNELS), .abi = gpu_abi_version};
}

// Of "hip5" to "hip7" and "cuda"; empty for devices that need none.
std::string standin_of(const std::string& device) {
    if (device.starts_with("hip"))
        return std::string(INGOT_STANDINS "/") + device + "/libamdhip64.so." + device.back();
    return device == "cuda" ? INGOT_STANDINS "/cuda/libcuda.so.1" : "";
}

std::shared_ptr<Device> open(const std::string& name) {
    if (name.starts_with("hip")) return make_gpu_device(open_hip_api({.libraries = {standin_of(name)}}));
    if (name == "cuda") return make_gpu_device(open_cuda_api({.libraries = {standin_of(name)}}));
    return open_device(name);
}

// How a stand-in is asked to run a kernel; the host looks at none of it.
constexpr LaunchGeometry geometry{.threads = 64, .shared_bytes = 256};

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

Ints counting(std::int32_t first, std::size_t elements = count) {
    Ints out(elements);
    std::iota(out.begin(), out.end(), first);
    return out;
}

TEST_P(DeviceConformance, SaysWhatItIs) {
    const DeviceInfo& info = device->info();
    EXPECT_TRUE(GetParam().starts_with(info.name));
    EXPECT_FALSE(info.model.empty());
    EXPECT_FALSE(info.target.empty());
    EXPECT_GE(info.cores, 1U);
    EXPECT_GT(info.memory_bytes, 0U);
}

TEST_P(RunningDevices, RefusesOtherTargetsAndSaysWhatToDo) {
    device->check_target(device->info().target, kernels.abi);
    EXPECT_EQ(code_of([&] { device->check_target(device->info().target, kernels.abi + 1); }), Code::target);
    try {
        device->check_target("abacus", kernels.abi);
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), Code::target);
        EXPECT_THAT(e.what(), HasSubstr("abacus"));
        EXPECT_THAT(e.what(), HasSubstr("compile"));
    }
}

TEST_P(DeviceConformance, MemoryIsZeroAndAligned) {
    const auto queue = device->open_queue({.threads = 1});
    for (const Pool pool : {Pool::weights, Pool::state, Pool::transient, Pool::io}) {
        for (const std::uint64_t bytes : {1U, 4096U, 100'000U, 5U << 20}) {
            // Twice: what comes back from a memory that was written to and given back is zero again.
            for (int i = 0; i < 2; ++i) {
                const auto memory = device->allocate(pool, bytes);
                ASSERT_EQ(memory->bytes(), bytes);
                const auto address = reinterpret_cast<std::uintptr_t>(memory->host_view()); // 0: has none
                EXPECT_EQ(address % 4096, 0U);
                std::vector<std::byte> content(bytes, std::byte{1});
                queue->read(*memory, 0, content);
                EXPECT_TRUE(std::ranges::all_of(content, [](std::byte b) { return b == std::byte{0}; }));
                std::ranges::fill(content, std::byte{0xff});
                queue->write(*memory, 0, content);
                queue->synchronize();
            }
        }
    }
}

TEST_P(DeviceConformance, WhatIsWrittenArrivesWhateverItsLength) {
    const auto queue = device->open_queue({.threads = 1});
    for (const std::size_t elements : {1U, 3U, 262'144U, 262'145U, 900'001U}) { // around 1 MiB, and several
        const auto memory = device->allocate(Pool::io, 4 * elements + 4);
        Ints values = counting(-7, elements);
        write(*queue, *memory, 4, values);
        std::ranges::fill(values, 1);
        EXPECT_EQ(read(*queue, *memory, 4, elements), counting(-7, elements));
    }
}

TEST_P(DeviceConformance, CountsItsAllocations) {
    const AllocationCount before = device->allocations();
    auto a = device->allocate(Pool::io, 10);
    auto b = device->allocate(Pool::state, 10);
    EXPECT_EQ(device->allocations().live, before.live + 2);
    a.reset();
    EXPECT_EQ(device->allocations().live, before.live + 1);
    b.reset();
    EXPECT_EQ(device->allocations().live, before.live);
    EXPECT_EQ(device->allocations().total, before.total + 2);
}

TEST_P(DeviceConformance, MoreMemoryThanThereIsIsAnError) {
    const AllocationCount before = device->allocations();
    for (const std::uint64_t bytes :
         {UINT64_MAX, UINT64_MAX - 4095, (UINT64_MAX >> 1) + 1, std::uint64_t{1} << 60}) {
        for (const Pool pool : {Pool::weights, Pool::state, Pool::transient, Pool::io})
            EXPECT_EQ(code_of([&] { device->allocate(pool, bytes); }), Code::out_of_memory) << bytes;
    }
    EXPECT_EQ(code_of([&] { device->allocate(Pool::io, 0); }), Code::invalid_argument);
    EXPECT_EQ(device->allocations().live, before.live);
}

TEST_P(DeviceConformance, LoadsRangesOfFiles) {
    std::string pattern = testing::TempDir() + "/ingot-device-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    const fs::path path = fs::path(pattern) / "file";
    const Ints content = counting(0, (9U << 20) / 4);
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(content.data()),
               static_cast<std::streamsize>(content.size() * 4));
    const Descriptor file = open_for_reading(path);
    const auto queue = device->open_queue({.threads = 1});
    const auto memory = device->allocate(Pool::weights, 9U << 20);
    const auto load = [&](std::uint64_t offset, std::uint64_t bytes) {
        device->load(*memory,
                     {.descriptor = file.get(), .offset = offset, .bytes = bytes, .name = "the file"});
    };
    load(0, 9U << 20);
    EXPECT_EQ(read(*queue, *memory, 0, content.size()), content);
    load(4000, 8000);
    EXPECT_EQ(read(*queue, *memory, 0, 2000), counting(1000, 2000));
    EXPECT_EQ(read(*queue, *memory, 8000, 1)[0], 2000) << "what is behind the range stays";
    load(4, 0);
    try {
        load(8U << 20, 2U << 20);
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), Code::bad_file) << "the file ends early";
        EXPECT_THAT(e.what(), HasSubstr("the file"));
    }
    EXPECT_EQ(code_of([&] { load(0, (9U << 20) + 1); }), Code::invalid_argument);
    fs::remove_all(pattern);
}

TEST_P(RunningDevices, CodeThatIsNoneIsRefused) {
    const std::vector<std::byte> nothing, zeros(5000), text(100, std::byte{'x'});
    for (const auto& bytes : {nothing, zeros, text})
        EXPECT_EQ(code_of([&] { device->load_code(bytes, "bad code"); }), Code::bad_file);
    // Cut off anywhere: refused, or good where only what nobody needs is missing.
    for (std::size_t size = 0; size < kernels.object.size(); size += size < 1024 ? 1 : 611) {
        try {
            device->load_code(std::span(kernels.object).first(size), "cut code");
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), Code::bad_file);
            EXPECT_THAT(e.what(), HasSubstr("cut code"));
        }
    }
}

TEST_P(RunningDevices, LaunchesRunInTheirOrderOnAllThreads) {
    const auto module = device->load_code(kernels.object, "kernels");
    for (const unsigned threads : {1U, 2U, 3U, 8U}) {
        const auto queue = device->open_queue({.threads = threads});
        EXPECT_EQ(queue->threads(), GetParam() == "host" ? threads : 1);
        const auto memory = device->allocate(Pool::transient, 3 * vector_bytes);
        ProgramSpec spec{.name = "test", .dims = 1};
        spec.arenas[static_cast<std::size_t>(Pool::transient)] = memory.get();
        spec.launches.push_back(launch(*module, "fill", {0}));
        for (int i = 0; i < 50; ++i) {
            spec.launches.push_back(launch(*module, "rotate", {0, 1}));
            spec.launches.push_back(launch(*module, "rotate", {1, 0}));
            spec.launches.push_back(launch(*module, "rotate_in_place", {0}));
        }
        spec.launches.push_back(launch(*module, "add", {0, 0, 2}));
        const auto list = queue->prepare(spec);
        for (const std::int32_t symbol : {0, 3, 7}) {
            queue->run(*list, std::array{symbol});
            Ints expected = counting(1000 * symbol);
            std::rotate(expected.begin(), expected.begin() + 150, expected.end());
            for (std::int32_t& v : expected)
                v = 2 * (v + 150);
            ASSERT_EQ(read(*queue, *memory, 2 * vector_bytes), expected) << threads << " threads";
        }
    }
}

TEST_P(RunningDevices, CallsOfAQueueTakeEffectInTheirOrder) {
    const auto module = device->load_code(kernels.object, "kernels");
    const auto queue = device->open_queue({.threads = 2});
    const auto memory = device->allocate(Pool::transient, 4 * vector_bytes);
    ProgramSpec spec{.name = "test", .dims = 0};
    spec.arenas[static_cast<std::size_t>(Pool::transient)] = memory.get();
    spec.launches = {launch(*module, "add", {0, 1, 2})};
    const auto add = queue->prepare(spec);
    spec.launches = {launch(*module, "rotate", {2, 3})};
    const auto rotate = queue->prepare(spec);
    for (std::int32_t i = 0; i < 100; ++i) {
        Ints values = counting(i);
        write(*queue, *memory, 0, values);
        std::ranges::fill(values, -1); // the caller's memory is its own again when write() returns
        queue->copy(*memory, vector_bytes, 0, 4 * count);
        queue->run(*add, {});
        write(*queue, *memory, 0, counting(-5));
        queue->run(*rotate, {});
        const Ints out = read(*queue, *memory, 3 * vector_bytes);
        ASSERT_EQ(out.front(), 2 * (i + 1) + 1);
        ASSERT_EQ(out.back(), 2 * i + 1);
        ASSERT_EQ(read(*queue, *memory, 0), counting(-5));
    }
}

TEST_P(RunningDevices, SymbolsComeInTheirOrder) {
    const auto module = device->load_code(kernels.object, "kernels");
    const auto queue = device->open_queue({.threads = 2});
    const auto memory = device->allocate(Pool::transient, vector_bytes);
    ProgramSpec spec{.name = "test", .dims = 2, .launches = {launch(*module, "second", {0})}};
    spec.arenas[static_cast<std::size_t>(Pool::transient)] = memory.get();
    const auto list = queue->prepare(spec);
    queue->run(*list, std::array{11, 22});
    EXPECT_EQ(read(*queue, *memory, 0), Ints(count, 22));
    for (const Ints& wrong : {Ints{}, Ints{1}, Ints{1, 2, 3}})
        EXPECT_EQ(code_of([&] { queue->run(*list, wrong); }), Code::invalid_argument);
}

TEST_P(RunningDevices, OperandsLieInTheirArenas) {
    const auto module = device->load_code(kernels.object, "kernels");
    const auto queue = device->open_queue({.threads = 2});
    std::vector<std::unique_ptr<Memory>> memories;
    ProgramSpec spec{.name = "test", .dims = 0};
    for (std::size_t pool = 0; pool < pool_count; ++pool) {
        memories.push_back(device->allocate(static_cast<Pool>(pool), 2 * vector_bytes));
        spec.arenas[pool] = memories.back().get();
        write(*queue, *memories.back(), vector_bytes, counting(static_cast<std::int32_t>(pool) * 5000));
    }
    LaunchSpec add{.module = module.get(), .symbol = "conformance_add", .name = "add"};
    add.operands = {{.pool = Pool::weights, .offset = vector_bytes},
                    {.pool = Pool::state, .offset = vector_bytes},
                    {.pool = Pool::io, .offset = 0}};
    add.weights = {{.offset = vector_bytes, .units = 10, .unit_bytes = 400}};
    add.geometry = geometry;
    spec.launches = {add};
    queue->run(*queue->prepare(spec), {});
    const Ints sums = read(*queue, *memories[3], 0);
    for (std::size_t i = 0; i < count; ++i)
        ASSERT_EQ(sums[i], 5000 + 2 * static_cast<std::int32_t>(i));
}

TEST_P(RunningDevices, WhatAListLacksIsNamedWhenItIsPrepared) {
    const auto module = device->load_code(kernels.object, "kernels");
    const auto queue = device->open_queue({.threads = 2});
    const auto memory = device->allocate(Pool::transient, vector_bytes);
    ProgramSpec spec{.name = "decode", .dims = 0, .launches = {launch(*module, "add", {0, 0, 0})}};
    EXPECT_EQ(code_of([&] { queue->prepare(spec); }), Code::invalid_argument) << "no such arena";
    spec.arenas[static_cast<std::size_t>(Pool::transient)] = memory.get();
    spec.launches[0].operands[1].offset = vector_bytes + 1;
    EXPECT_EQ(code_of([&] { queue->prepare(spec); }), Code::invalid_argument) << "past its arena";
    spec.launches[0].operands[1].offset = 0;
    spec.launches[0].symbol = "conformance_nothing";
    try {
        queue->prepare(spec);
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), Code::bad_file);
        EXPECT_THAT(e.what(), HasSubstr("test.add"));
        EXPECT_THAT(e.what(), HasSubstr("conformance_nothing"));
    }
}

TEST_P(DeviceConformance, RangesPastTheEndOfMemoryAreErrors) {
    const auto queue = device->open_queue({.threads = 1});
    const auto memory = device->allocate(Pool::io, 1000);
    std::vector<std::byte> data(1001);
    for (const auto& [offset, bytes] : {std::pair<std::uint64_t, std::size_t>{0, 1001},
                                        {1000, 1},
                                        {1001, 0},
                                        {UINT64_MAX, 1},
                                        {UINT64_MAX - 1, 2}}) {
        const std::span<std::byte> range = std::span(data).first(bytes);
        EXPECT_EQ(code_of([&] { queue->write(*memory, offset, range); }), Code::invalid_argument);
        EXPECT_EQ(code_of([&] { queue->read(*memory, offset, range); }), Code::invalid_argument);
        EXPECT_EQ(code_of([&] { queue->copy(*memory, offset, 0, bytes); }), Code::invalid_argument);
        EXPECT_EQ(code_of([&] { queue->copy(*memory, 0, offset, bytes); }), Code::invalid_argument);
    }
    queue->write(*memory, 1000, {});
    queue->read(*memory, 1000, {});
    queue->copy(*memory, 1000, 1000, 0);
}

TEST_P(DeviceConformance, AListBelongsToItsQueue) {
    const auto queue = device->open_queue({.threads = 2}), other = device->open_queue({.threads = 2});
    const auto list = queue->prepare({.name = "nothing", .dims = 0});
    queue->run(*list, {});
    EXPECT_EQ(code_of([&] { other->run(*list, {}); }), Code::invalid_argument);
}

TEST_P(DeviceConformance, RunningAllocatesNothing) {
    if (driver) GTEST_SKIP() << "what a driver allocates can't be told from what we do";
    const auto module = device->load_code(kernels.object, "kernels");
    const auto queue = device->open_queue({.threads = 2, .spin_microseconds = 1});
    const auto memory = device->allocate(Pool::transient, 2 * vector_bytes);
    ProgramSpec spec{.name = "test", .dims = 1, .launches = {launch(*module, "fill", {0})}};
    spec.arenas[static_cast<std::size_t>(Pool::transient)] = memory.get();
    const auto list = queue->prepare(spec);
    const Ints values = counting(3);
    Ints back(count);
    const AllocationCount before = device->allocations();
    const std::size_t heap = tests::heap_allocations();
    for (int i = 0; i < 20; ++i) {
        queue->write(*memory, vector_bytes, std::as_bytes(std::span(values)));
        queue->run(*list, {{i}});
        queue->copy(*memory, vector_bytes, 0, 4 * count);
        queue->read(*memory, 0, std::as_writable_bytes(std::span(back)));
        queue->synchronize();
        if (i % 5 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2)); // threads fall asleep
    }
    EXPECT_EQ(tests::heap_allocations(), heap);
    EXPECT_EQ(device->allocations().total, before.total);
    EXPECT_TRUE(tests::counts_heap_allocations() || heap == 0);
}

TEST_P(RunningDevices, SeveralThreadsUseOneDevice) {
    std::vector<std::thread> users;
    for (std::int32_t user = 0; user < 4; ++user)
        users.emplace_back([this, user] {
            for (std::int32_t round = 0; round < 10; ++round) {
                const auto module = device->load_code(kernels.object, "kernels");
                const auto queue = device->open_queue({.threads = 1U + static_cast<unsigned>(round) % 2});
                const auto memory = device->allocate(Pool::transient, 2 * vector_bytes);
                ProgramSpec spec{.name = "test", .dims = 1};
                spec.arenas[static_cast<std::size_t>(Pool::transient)] = memory.get();
                spec.launches = {launch(*module, "fill", {0}), launch(*module, "rotate", {0, 1})};
                const auto list = queue->prepare(spec);
                const std::int32_t symbol = 10 * user + round;
                queue->run(*list, {{symbol}});
                EXPECT_EQ(read(*queue, *memory, vector_bytes)[0], 1000 * symbol + 2);
            }
        });
    for (std::thread& user : users)
        user.join();
    EXPECT_EQ(device->allocations().live, 0U);
}

TEST(OpenDevice, NamesOfFurtherCardsAreNumbers) {
    for (const char* name :
         {"hip:", "hip:x", "hip:1x", "hip:-1", "hip 1", "hip1", "cuda:99999", "host:1", "null:0", ""})
        EXPECT_EQ(code_of([&] { open_device(name); }), Code::invalid_argument) << name;
}

TEST(OpenDevice, TheHostTakesThreadsWithinReason) {
    const auto device = open_device("host");
    EXPECT_GE(device->open_queue({})->threads(), 1U);
    EXPECT_EQ(code_of([&] { device->open_queue({.threads = 1U << 20}); }), Code::invalid_argument);
}

TEST(OpenDevice, NamesTheKnownOnes) {
    EXPECT_GE(available_devices().size(), 1U);
    try {
        open_device("toaster");
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), Code::invalid_argument);
        EXPECT_THAT(e.what(), HasSubstr("toaster"));
        EXPECT_THAT(e.what(), HasSubstr("host"));
    }
}

const auto name_of_test = [](const auto& p) { return p.param; };
INSTANTIATE_TEST_SUITE_P(Devices, DeviceConformance,
                         testing::Values("host", "null", "hip5", "hip6", "hip7", "cuda"), name_of_test);
INSTANTIATE_TEST_SUITE_P(Devices, RunningDevices, testing::Values("host", "hip5", "hip6", "hip7", "cuda"),
                         name_of_test);

} // namespace
} // namespace ingot::runtime
