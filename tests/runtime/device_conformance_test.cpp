// What runtime/device.h promises of memory and lists, of every device that this build knows.
#include "tests/runtime/device_conformance.h"

#include "tests/support/code_of.h"
#include "tests/support/heap_allocations.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ingot::runtime {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST_P(DeviceConformance, SaysWhatItIs) {
    const DeviceInfo& info = device->info();
    EXPECT_TRUE(GetParam().starts_with(info.name));
    EXPECT_FALSE(info.model.empty());
    EXPECT_FALSE(info.target.empty());
    EXPECT_GE(info.cores, 1U);
    EXPECT_GT(info.memory_bytes, 0U);
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

INSTANTIATE_TEST_SUITE_P(Devices, DeviceConformance,
                         testing::Values("host", "null", "hip5", "hip6", "hip7", "cuda"), name_of_test);

} // namespace
} // namespace ingot::runtime
