#include "tests/support/faulty_device.h"

#include "runtime/error.h"

namespace ingot::tests {
namespace {

using namespace runtime;

void call(DeviceFaults& faults, const char* name, Code code = Code::device) {
    ++faults.calls;
    if (faults.fail_at == 0 || faults.calls < faults.fail_at) return;
    if (faults.calls == faults.fail_at || faults.lost) throw Error(code, name, "it fails on purpose");
}

class Counted {
  public:
    explicit Counted(DeviceFaults& faults) : faults_(faults) { ++faults_.live; }
    ~Counted() { --faults_.live; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

  private:
    DeviceFaults& faults_;
};

class FaultyMemory final : public Memory {
  public:
    FaultyMemory(std::unique_ptr<Memory> memory, DeviceFaults& faults)
        : inner(std::move(memory)), counted_(faults) {}
    std::uint64_t bytes() const override { return inner->bytes(); }
    std::byte* host_view() override { return inner->host_view(); }
    const std::unique_ptr<Memory> inner;

  private:
    Counted counted_;
};

class FaultyModule final : public Module {
  public:
    FaultyModule(std::unique_ptr<Module> module, DeviceFaults& faults)
        : inner(std::move(module)), counted_(faults) {}
    const std::unique_ptr<Module> inner;

  private:
    Counted counted_;
};

class FaultyList final : public CommandList {
  public:
    FaultyList(std::unique_ptr<CommandList> list, DeviceFaults& faults)
        : inner(std::move(list)), counted_(faults) {}
    const std::unique_ptr<CommandList> inner;

  private:
    Counted counted_;
};

Memory& inner_of(Memory& memory) {
    return *dynamic_cast<FaultyMemory&>(memory).inner;
}

class FaultyQueue final : public Queue {
  public:
    FaultyQueue(std::unique_ptr<Queue> queue, DeviceFaults& faults)
        : inner_(std::move(queue)), faults_(faults), counted_(faults) {}

    std::unique_ptr<CommandList> prepare(const ProgramSpec& program) override {
        call(faults_, "prepare");
        ProgramSpec spec = program;
        for (LaunchSpec& launch : spec.launches)
            launch.module = dynamic_cast<FaultyModule&>(*launch.module).inner.get();
        for (Memory*& arena : spec.arenas)
            if (arena != nullptr) arena = &inner_of(*arena);
        return std::make_unique<FaultyList>(inner_->prepare(spec), faults_);
    }
    void run(CommandList& list, std::span<const std::int32_t> dims) override {
        call(faults_, "run");
        inner_->run(*dynamic_cast<FaultyList&>(list).inner, dims);
    }
    void write(Memory& to, std::uint64_t offset, std::span<const std::byte> data) override {
        call(faults_, "write");
        inner_->write(inner_of(to), offset, data);
    }
    void read(Memory& from, std::uint64_t offset, std::span<std::byte> data) override {
        call(faults_, "read");
        inner_->read(inner_of(from), offset, data);
    }
    void copy(Memory& memory, std::uint64_t to, std::uint64_t from, std::uint64_t bytes) override {
        call(faults_, "copy");
        inner_->copy(inner_of(memory), to, from, bytes);
    }
    void synchronize() override {
        call(faults_, "synchronize");
        inner_->synchronize();
    }
    unsigned threads() const override { return inner_->threads(); }

  private:
    std::unique_ptr<Queue> inner_;
    DeviceFaults& faults_;
    Counted counted_;
};

class FaultyDevice final : public Device {
  public:
    FaultyDevice(std::shared_ptr<Device> device, DeviceFaults& faults)
        : inner_(std::move(device)), faults_(faults) {}

    const DeviceInfo& info() const override { return inner_->info(); }
    void check_target(std::string_view target, std::uint32_t abi) const override {
        inner_->check_target(target, abi);
    }
    std::unique_ptr<Memory> allocate(Pool pool, std::uint64_t bytes) override {
        call(faults_, "allocate", Code::out_of_memory);
        return std::make_unique<FaultyMemory>(inner_->allocate(pool, bytes), faults_);
    }
    void load(Memory& to, const FileRange& range) override {
        call(faults_, "load");
        inner_->load(inner_of(to), range);
    }
    std::unique_ptr<Module> load_code(std::span<const std::byte> object, const std::string& name) override {
        call(faults_, "load_code");
        return std::make_unique<FaultyModule>(inner_->load_code(object, name), faults_);
    }
    std::unique_ptr<Queue> open_queue(const QueueOptions& options) override {
        call(faults_, "open_queue", Code::out_of_memory);
        return std::make_unique<FaultyQueue>(inner_->open_queue(options), faults_);
    }
    AllocationCount allocations() const override { return inner_->allocations(); }

  private:
    std::shared_ptr<Device> inner_;
    DeviceFaults& faults_;
};

} // namespace

std::shared_ptr<Device> make_faulty_device(std::shared_ptr<Device> inner, DeviceFaults& faults) {
    return std::make_shared<FaultyDevice>(std::move(inner), faults);
}

} // namespace ingot::tests
