// What runtime/device.h promises of kernels, of every device that runs them.
#include "tests/runtime/device_conformance.h"

#include "tests/support/code_of.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ingot::runtime {
namespace {

using testing::HasSubstr;

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

INSTANTIATE_TEST_SUITE_P(Devices, RunningDevices, testing::Values("host", "hip5", "hip6", "hip7", "cuda"),
                         name_of_test);

} // namespace
} // namespace ingot::runtime
