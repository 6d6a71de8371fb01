// What the devices hip and cuda do when their driver fails: every call of it, one after the other.
#include "runtime/error.h"
#include "runtime/gpu/gpu_device.h"
#include "runtime/posix_file.h"
#include "tests/standin/sweep.h"

#include <array>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ingot::runtime {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t vector_bytes = 4096;

class GpuFaults : public testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        const Descriptor file = open_for_reading(INGOT_STANDIN_KERNELS);
        object.resize(size_of(file.get(), INGOT_STANDIN_KERNELS));
        read_at(file.get(), 0, object, INGOT_STANDIN_KERNELS);
    }

    std::shared_ptr<Device> open() const {
        const GpuOptions options{.libraries = {path}};
        return make_gpu_device(GetParam() == "hip" ? open_hip_api(options) : open_cuda_api(options));
    }

    static LaunchSpec launch(Module& module, const std::string& kernel,
                             const std::vector<std::uint64_t>& vectors) {
        LaunchSpec spec{.module = &module,
                        .symbol = "conformance_" + kernel,
                        .name = "blk.0." + kernel,
                        .geometry = LaunchGeometry{.threads = 64, .shared_bytes = 256}};
        for (const std::uint64_t v : vectors)
            spec.operands.push_back({.pool = Pool::transient, .offset = v * vector_bytes});
        return spec;
    }

    // A list of four kernels on memory of its own.
    struct Program {
        std::unique_ptr<Module> module;
        std::unique_ptr<Memory> memory;
        std::unique_ptr<Queue> queue;
        std::unique_ptr<CommandList> list;
    };
    Program prepare(Device& device, const QueueOptions& options = {}) const {
        Program p{.module = device.load_code(object, "kernels"),
                  .memory = device.allocate(Pool::transient, 2 * vector_bytes)};
        p.queue = device.open_queue(options);
        ProgramSpec spec{.name = "decode", .dims = 1};
        spec.arenas[static_cast<std::size_t>(Pool::transient)] = p.memory.get();
        spec.launches = {launch(*p.module, "fill", {0}), launch(*p.module, "rotate", {0, 1}),
                         launch(*p.module, "rotate", {1, 0}), launch(*p.module, "add", {0, 0, 1})};
        p.list = p.queue->prepare(spec);
        return p;
    }

    // The error of doing so; everything of the device is gone again then.
    template <class F>
    Error error_of(const std::string& faults, F&& action) {
        driver.configure(faults);
        try {
            action();
        } catch (const Error& e) {
            EXPECT_EQ(driver.count("live"), 0);
            EXPECT_EQ(driver.misuse(), "");
            return e;
        }
        ADD_FAILURE() << "no error";
        return Error(Code::device, "", "");
    }

    std::string path =
        GetParam() == "hip" ? INGOT_STANDINS "/hip6/libamdhip64.so.6" : INGOT_STANDINS "/cuda/libcuda.so.1";
    standin::Control driver{path};
    std::vector<std::byte> object;
};

const std::set<Code> codes = {Code::unsupported, Code::device, Code::out_of_memory, Code::bad_file};

TEST_P(GpuFaults, AnyCallThatFailsIsOneErrorAndEverythingIsGivenBack) {
    const auto everything = [&](const std::function<void()>& done) {
        const std::shared_ptr<Device> device = open();
        const Program p = prepare(*device);
        std::vector<std::int32_t> values(1000);
        p.queue->write(*p.memory, 0, std::as_bytes(std::span(values)));
        for (const std::int32_t symbol :
             {1, 1, 2, 1, 600}) // checked, recorded, recorded, replayed, launched singly
            p.queue->run(*p.list, {&symbol, 1});
        p.queue->copy(*p.memory, 0, vector_bytes, vector_bytes);
        p.queue->read(*p.memory, 0, std::as_writable_bytes(std::span(values)));
        EXPECT_EQ(values[0], 2 * (600'000 + 4));
        done();
    };
    EXPECT_GT(standin::sweep(driver, "any", codes, everything), 60);
    EXPECT_GT(standin::sweep(driver, "lost", codes, everything), 60);
    EXPECT_EQ(standin::sweep(driver, "mem_alloc", {Code::out_of_memory}, everything), 1);
    EXPECT_EQ(standin::sweep(driver, "host_alloc", {Code::out_of_memory}, everything), 2);
    EXPECT_EQ(standin::sweep(driver, "launch", {Code::device}, everything), 16);
    EXPECT_EQ(standin::sweep(driver, "fault", {Code::device}, everything), 20);
}

TEST_P(GpuFaults, AnyCallThatFailsWhileWeightsAreLoadedIsOneError) {
    std::string folder = testing::TempDir() + "/ingot-faults-XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    const fs::path path_of_file = fs::path(folder) / "weights";
    constexpr std::uint64_t bytes = 41U
                                    << 20; // enough for several readers, who take turns with their buffers
    std::ofstream(path_of_file, std::ios::binary) << std::string(bytes, 'w');
    const Descriptor file = open_for_reading(path_of_file);
    const auto load = [&](const std::function<void()>& done) {
        const std::shared_ptr<Device> device = open();
        const auto weights = device->allocate(Pool::weights, bytes);
        device->load(*weights, {.descriptor = file.get(), .offset = 0, .bytes = bytes, .name = "weights"});
        done();
    };
    for (const char* call : {"mem_alloc", "host_alloc"})
        EXPECT_GE(standin::sweep(driver, call, {Code::out_of_memory}, load), 1) << call;
    for (const char* call : {"stream_create", "event_create", "copy_to_device", "event_record",
                             "event_synchronize", "stream_synchronize"})
        EXPECT_GE(standin::sweep(driver, call, {Code::device}, load), 1) << call;
    fs::remove_all(folder);
}

TEST_P(GpuFaults, CodeThatIsNotLoadedIsAtFaultOnlyWhereTheDriverSaysSo) {
    const auto load = [&] { open()->load_code(object, "kernels"); };
    for (const char* invalid : {"200", "209"})
        EXPECT_EQ(error_of(std::string("module_load@1=") + invalid, load).code(), Code::bad_file) << invalid;
    EXPECT_EQ(error_of("module_load@1=2", load).code(), Code::out_of_memory);
    EXPECT_EQ(error_of("module_load@1", load).code(), Code::device);
    EXPECT_EQ(error_of("lost@12", load).code(), Code::device);
}

TEST_P(GpuFaults, AnErrorNamesTheCallAndTheDevice) {
    const bool hip = GetParam() == "hip";
    EXPECT_STREQ(error_of("stream_create@1", [&] { open()->allocate(Pool::state, 4096); }).what(),
                 hip ? "hip: hipStreamCreateWithFlags: unknown error (error 999)"
                     : "cuda: cuStreamCreate: unknown error (error 999)");
    EXPECT_STREQ(error_of("module_load@1", [&] { open()->load_code(object, "kernels"); }).what(),
                 hip ? "kernels: hipModuleLoadData on hip: unknown error (error 999)"
                     : "kernels: cuModuleLoadData on cuda: unknown error (error 999)");
}

TEST_P(GpuFaults, AFaultOfTheFirstRunCarriesItsKernel) {
    const auto run = [&] {
        const auto device = open();
        const Program p = prepare(*device);
        p.queue->run(*p.list, std::array{1});
    };
    const Error e = error_of("fault@2", run);
    EXPECT_EQ(e.code(), Code::device);
    EXPECT_EQ(e.where(), "decode, blk.0.rotate");
    EXPECT_THAT(e.what(), HasSubstr("launch failure"));
    EXPECT_EQ(error_of("launch@4", run).where(), "decode, blk.0.add") << "one that is not even taken";
}

TEST_P(GpuFaults, ALaterFaultCarriesItsListOrWhereAskedForItsKernel) {
    const auto run = [&](bool check) {
        const auto device = open();
        const Program p = prepare(*device, {.check_launches = check});
        for (int i = 0; i < 3; ++i)
            p.queue->run(*p.list, std::array{1});
        p.queue->synchronize();
    };
    EXPECT_THAT(error_of("fault@11", [&] { run(false); }).what(),
                AllOf(HasSubstr("decode"), HasSubstr("--check-launches"), Not(HasSubstr("blk"))));
    EXPECT_EQ(error_of("fault@11", [&] { run(true); }).where(), "decode, blk.0.rotate");
}

TEST_P(GpuFaults, NothingIsLaunchedThatCardOrKernelDoNotBear) {
    const auto run = [&] {
        const auto device = open();
        prepare(*device);
    };
    EXPECT_EQ(error_of("kernel_threads=32", run).code(), Code::bad_file);
    EXPECT_EQ(error_of("threads=32 kernel_threads=1024", run).code(), Code::target);
    EXPECT_EQ(error_of("shared=1000 kernel_shared=900", run).code(), Code::target);
    const Error e = error_of("", [&] {
        const auto device = open();
        const auto module = device->load_code(object, "kernels");
        const auto memory = device->allocate(Pool::transient, vector_bytes);
        const auto queue = device->open_queue({});
        ProgramSpec spec{.name = "decode", .dims = 1, .launches = {launch(*module, "fill", {0})}};
        spec.arenas[static_cast<std::size_t>(Pool::transient)] = memory.get();
        spec.launches[0].geometry->grid[1] = {.count = 1U << 31, .symbol = 0};
        queue->run(*queue->prepare(spec), std::array{1});
    });
    EXPECT_EQ(e.code(), Code::target);
    EXPECT_EQ(e.where(), "decode, blk.0.fill");
    EXPECT_EQ(driver.count("launch"), 0);
}

TEST_P(GpuFaults, MemoryThatRunsOutSaysHowMuchWasAskedFor) {
    const Error e = error_of("memory=1000000", [&] { open()->allocate(Pool::state, 3U << 20); });
    EXPECT_EQ(e.code(), Code::out_of_memory);
    EXPECT_THAT(e.what(), AllOf(HasSubstr("3.0 MiB"), HasSubstr("--context")));
}

INSTANTIATE_TEST_SUITE_P(Devices, GpuFaults, testing::Values("hip", "cuda"),
                         [](const auto& p) { return p.param; });

} // namespace
} // namespace ingot::runtime
