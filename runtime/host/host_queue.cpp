#include "runtime/host/host_queue.h"

#include "runtime/error.h"
#include "runtime/host/host_memory.h"
#include "runtime/host/shared_object.h"

#include <algorithm>

#include <fmt/format.h>

namespace ingot::runtime {
namespace {

struct Launch {
    ingot_host::Kernel kernel = nullptr;
    std::size_t first_operand = 0; // in HostList::operands
};

class HostList final : public CommandList {
  public:
    ThreadTeam* team = nullptr;
    std::vector<Launch> launches;
    std::vector<void*> operands;
    std::vector<std::int32_t> dims;
    std::vector<const std::byte*> next; // by launch * threads + thread: as ingot_host::Call has it

    void run_on(unsigned thread) const {
        const unsigned threads = team->size();
        for (std::size_t i = 0; i < launches.size(); ++i) {
            const Launch& launch = launches[i];
            const ingot_host::Call call = {.operand = operands.data() + launch.first_operand,
                                           .dims = dims.data(),
                                           .team = &team->shared(),
                                           .thread = thread,
                                           .threads = threads,
                                           .next = next[i * threads + thread]};
            launch.kernel(&call);
            if (i + 1 != launches.size()) ingot_host::barrier(&team->shared());
        }
    }
};

// Where one thread's share of what a launch streams begins, or null: shares are dealt as
// kernels_templates/host/share.h does.
const std::byte* head_of(const LaunchSpec& launch, const std::byte* weights, unsigned thread,
                         unsigned threads) {
    for (const WeightRange& range : launch.weights) {
        const std::uint64_t base = range.units / threads;
        const std::uint64_t extra = range.units % threads;
        const std::uint64_t begin = thread * base + std::min<std::uint64_t>(thread, extra);
        if (base + (thread < extra ? 1 : 0) > 0) return weights + range.offset + begin * range.unit_bytes;
    }
    return nullptr;
}

} // namespace

HostQueue::HostQueue(std::vector<Core> cores, const QueueOptions& options, std::function<void()> release)
    : release_(std::move(release)), team_(std::move(cores), options.spin_microseconds) {}

HostQueue::~HostQueue() {
    if (release_) release_();
}

std::unique_ptr<CommandList> HostQueue::prepare(const ProgramSpec& program) {
    auto list = std::make_unique<HostList>();
    list->team = &team_;
    list->dims.resize(program.dims);
    for (const LaunchSpec& spec : program.launches) {
        const std::string where = fmt::format("{}, {}", program.name, spec.name);
        const auto* module = dynamic_cast<const SharedObject*>(spec.module);
        if (module == nullptr) throw Error(Code::invalid_argument, where, "its module is not of this device");
        Launch launch;
        launch.kernel = reinterpret_cast<ingot_host::Kernel>(module->find(spec.symbol));
        if (launch.kernel == nullptr) throw Error(Code::bad_file, where, "its code lacks " + spec.symbol);
        launch.first_operand = list->operands.size();
        for (const OperandRef& operand : spec.operands) {
            Memory* memory = program.arenas[static_cast<std::size_t>(operand.pool)];
            if (memory == nullptr || operand.offset > memory->bytes()) {
                throw Error(Code::invalid_argument, where,
                            fmt::format("offset {} of {}", operand.offset, name_of(operand.pool)));
            }
            list->operands.push_back(memory->host_view() + operand.offset);
        }
        list->launches.push_back(launch);
    }
    list->next.resize(program.launches.size() * team_.size());
    Memory* const weights = program.arenas[static_cast<std::size_t>(Pool::weights)];
    if (weights == nullptr) return list;
    // Behind the last launch the next run's first one follows.
    for (unsigned t = 0; t < team_.size(); ++t) {
        const std::byte* next = nullptr;
        for (std::size_t back = 2 * program.launches.size(); back-- > 0;) {
            const std::size_t i = back % program.launches.size();
            list->next[i * team_.size() + t] = next;
            if (const std::byte* head = head_of(program.launches[i], weights->host_view(), t, team_.size()))
                next = head;
        }
    }
    return list;
}

void HostQueue::run(CommandList& list, std::span<const std::int32_t> dims) {
    auto& host_list = static_cast<HostList&>(list);
    if (host_list.team != &team_ || dims.size() != host_list.dims.size()) {
        throw Error(Code::invalid_argument, "host", "a list of another queue, or another number of symbols");
    }
    std::copy(dims.begin(), dims.end(), host_list.dims.begin());
    team_.run([](void* context, unsigned thread) { static_cast<const HostList*>(context)->run_on(thread); },
              &host_list);
}

void HostQueue::write(Memory& to, std::uint64_t offset, std::span<const std::byte> data) {
    write_memory(to, offset, data);
}

void HostQueue::read(Memory& from, std::uint64_t offset, std::span<std::byte> data) {
    read_memory(from, offset, data);
}

void HostQueue::copy(Memory& memory, std::uint64_t to, std::uint64_t from, std::uint64_t bytes) {
    copy_memory(memory, to, from, bytes);
}

} // namespace ingot::runtime
