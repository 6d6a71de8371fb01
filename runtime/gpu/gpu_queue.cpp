#include "runtime/gpu/gpu_queue.h"

#include "runtime/error.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <vector>

#include <fmt/format.h>

namespace ingot::runtime {
namespace {

constexpr std::uint64_t staging_bytes = std::uint64_t{1} << 20;
const std::string a_copy = "a copy"; // what may be at fault where no list runs
// Lists of few tokens are short of work for the card, so their launches are recorded as a graph for each
// number of them; longer ones hide the cost of launching.
constexpr std::int32_t most_recorded_tokens = 16;

struct Step {
    GpuApi::Handle kernel = nullptr;
    LaunchGeometry geometry;
    std::vector<std::byte*> operands;
    std::string name;
};

class GpuList final : public CommandList {
  public:
    GpuList(std::shared_ptr<GpuApi> api, const Queue* queue, const ProgramSpec& program, bool check_launches)
        : api_(std::move(api)), queue_(queue), name_(program.name),
          suspect_(name_ + " (--check-launches tells which kernel)"), dims_(program.dims),
          check_always_(check_launches) {}
    ~GpuList() override {
        for (const auto& [dims, graph] : graphs_)
            api_->destroy_graph(graph);
    }

    void add(Step step) {
        most_arguments_ = std::max(most_arguments_, step.operands.size() + dims_);
        arguments_.resize(most_arguments_);
        steps_.push_back(std::move(step));
    }

    void run(std::span<const std::int32_t> dims, GpuApi::Handle stream) {
        if (dims.size() != dims_)
            throw Error(Code::invalid_argument, name_,
                        fmt::format("{} symbols given of {}", dims.size(), dims_));
        if (check_always_ || !proven_) {
            launch(dims, stream, true);
            proven_ = true;
            return;
        }
        const bool recorded =
            std::ranges::all_of(dims, [](std::int32_t d) { return d <= most_recorded_tokens; });
        if (!recorded) {
            launch(dims, stream, false);
            return;
        }
        std::vector<std::int32_t>& key = key_;
        key.assign(dims.begin(), dims.end());
        const auto found = graphs_.find(key);
        if (found != graphs_.end()) {
            api_->launch_graph(found->second, stream, name_);
            return;
        }
        api_->begin_capture(stream);
        try {
            launch(dims, stream, false);
        } catch (...) {
            api_->abandon_capture(stream);
            throw;
        }
        const GpuApi::Handle graph = api_->end_capture(stream, name_);
        graphs_.emplace(key, graph);
        api_->launch_graph(graph, stream, name_);
    }

    const Queue* queue() const { return queue_; }
    const std::string& name() const { return name_; }
    // What to call it in a fault that shows late.
    const std::string& suspect() const { return suspect_; }

  private:
    // Where `check` is set, each kernel has ended before the next one starts.
    void launch(std::span<const std::int32_t> dims, GpuApi::Handle stream, bool check) {
        for (Step& step : steps_) {
            std::size_t n = 0;
            for (std::byte*& operand : step.operands)
                arguments_[n++] = &operand;
            for (const std::int32_t& dim : dims)
                arguments_[n++] = const_cast<std::int32_t*>(&dim);
            api_->launch({.kernel = step.kernel,
                          .grid = grid_of(step, dims),
                          .threads = step.geometry.threads,
                          .shared_bytes = step.geometry.shared_bytes,
                          .arguments = arguments_.data(),
                          .may_overlap = true},
                         stream, step.name);
            if (check) api_->synchronize(stream, step.name);
        }
    }

    std::array<std::uint32_t, 3> grid_of(const Step& step, std::span<const std::int32_t> dims) const {
        const GpuFacts& facts = api_->facts();
        const LaunchGeometry& g = step.geometry;
        std::array<std::uint32_t, 3> grid = {};
        for (std::size_t i = 0; i < 3; ++i) {
            const GridDim& d = g.grid[i];
            const std::int64_t size = d.symbol < 0 ? 1 : dims[static_cast<std::size_t>(d.symbol)];
            std::int64_t groups = d.count * ((size + d.divisor - 1) / d.divisor);
            if (i == 0 && g.groups_per_unit > 0)
                groups = std::min(groups, std::int64_t{g.groups_per_unit} * facts.units);
            if (groups < 1 || groups > facts.most_groups[i]) {
                throw Error(Code::target, step.name,
                            fmt::format("{} workgroups along dimension {}; this card takes 1 to {}", groups,
                                        i, facts.most_groups[i]));
            }
            grid[i] = static_cast<std::uint32_t>(groups);
        }
        return grid;
    }

    std::shared_ptr<GpuApi> api_;
    const Queue* queue_;
    std::string name_, suspect_;
    std::size_t dims_ = 0;
    // A fault of a kernel shows when the stream is waited for, and of a list that was launched as a whole
    // nothing says which kernel's it is. So the first run goes kernel by kernel: what is wrong with one shows
    // there.
    bool check_always_ = false, proven_ = false;
    std::vector<Step> steps_;
    std::size_t most_arguments_ = 0;
    std::vector<void*> arguments_;
    std::vector<std::int32_t> key_;
    std::map<std::vector<std::int32_t>, GpuApi::Handle> graphs_;
};

const GpuMemory& gpu_memory(const Memory& memory) {
    const auto* found = dynamic_cast<const GpuMemory*>(&memory);
    if (found == nullptr) throw Error(Code::invalid_argument, "gpu", "memory of another device");
    return *found;
}

void check_limits(const GpuFacts& facts, const GpuApi::KernelLimits& kernel, const LaunchGeometry& g,
                  const std::string& where) {
    const std::uint64_t shared = std::uint64_t{g.shared_bytes} + kernel.shared_bytes;
    if (g.threads > facts.threads_per_group || shared > facts.shared_bytes_per_group) {
        throw Error(
            Code::target, where,
            fmt::format(
                "it needs {} threads and {} bytes of shared memory a workgroup; this card has {} and {}",
                g.threads, shared, facts.threads_per_group, facts.shared_bytes_per_group));
    }
    if (g.threads == 0 || g.threads > kernel.threads)
        throw Error(Code::bad_file, where,
                    fmt::format("it would run on {} threads a workgroup, and its code bears {}", g.threads,
                                kernel.threads));
}

} // namespace

GpuQueue::GpuQueue(std::shared_ptr<GpuApi> api, bool check_launches)
    : api_(std::move(api)), check_launches_(check_launches), stream_(api_), to_device_(api_, staging_bytes),
      to_host_(api_, staging_bytes) {}

GpuQueue::~GpuQueue() {
    try {
        synchronize();
    } catch (const Error&) { // NOLINT(bugprone-empty-catch): whoever cared has seen it before
    }
}

std::unique_ptr<CommandList> GpuQueue::prepare(const ProgramSpec& program) {
    auto list = std::make_unique<GpuList>(api_, this, program, check_launches_);
    for (const LaunchSpec& spec : program.launches) {
        const std::string where = fmt::format("{}, {}", program.name, spec.name);
        const auto* module = dynamic_cast<const GpuModule*>(spec.module);
        if (module == nullptr) throw Error(Code::invalid_argument, where, "its module is not of this device");
        if (!spec.geometry) throw Error(Code::bad_file, where, "it says not on how many threads it runs");
        Step step{.kernel = api_->find_kernel(module->handle(), spec.symbol),
                  .geometry = *spec.geometry,
                  .name = where};
        if (step.kernel == nullptr) throw Error(Code::bad_file, where, "its code lacks " + spec.symbol);
        check_limits(api_->facts(), api_->limits_of(step.kernel, where), *spec.geometry, where);
        api_->prepare_kernel(step.kernel, spec.geometry->shared_bytes, where);
        for (const OperandRef& operand : spec.operands) {
            const Memory* const memory = program.arenas[static_cast<std::size_t>(operand.pool)];
            if (memory == nullptr) {
                throw Error(Code::invalid_argument, where,
                            fmt::format("offset {} of {}", operand.offset, name_of(operand.pool)));
            }
            step.operands.push_back(gpu_memory(*memory).at(operand.offset, 0));
        }
        list->add(std::move(step));
    }
    return list;
}

void GpuQueue::run(CommandList& list, std::span<const std::int32_t> dims) {
    auto& gpu_list = static_cast<GpuList&>(list);
    if (gpu_list.queue() != this)
        throw Error(Code::invalid_argument, gpu_list.name(), "a list of another queue");
    if (pending_.find(gpu_list.suspect()) == std::string::npos) {
        if (!pending_.empty()) pending_ += " or ";
        pending_ += gpu_list.suspect();
    }
    gpu_list.run(dims, stream_.get());
}

void GpuQueue::write(Memory& to, std::uint64_t offset, std::span<const std::byte> data) {
    std::byte* device = gpu_memory(to).at(offset, data.size());
    while (!data.empty()) {
        if (staged_ == staging_bytes) synchronize();
        const std::uint64_t bytes = std::min<std::uint64_t>(data.size(), staging_bytes - staged_);
        std::byte* const staging = to_device_.bytes().data() + staged_;
        std::memcpy(staging, data.data(), bytes);
        api_->copy_to_device(device, staging, bytes, stream_.get());
        staged_ = std::min((staged_ + bytes + 255) / 256 * 256, staging_bytes);
        device += bytes;
        data = data.subspan(bytes);
    }
}

void GpuQueue::read(Memory& from, std::uint64_t offset, std::span<std::byte> data) {
    const std::byte* device = gpu_memory(from).at(offset, data.size());
    while (!data.empty()) {
        const std::uint64_t bytes = std::min<std::uint64_t>(data.size(), staging_bytes);
        api_->copy_to_host(to_host_.bytes().data(), device, bytes, stream_.get());
        synchronize();
        std::memcpy(data.data(), to_host_.bytes().data(), bytes);
        device += bytes;
        data = data.subspan(bytes);
    }
}

void GpuQueue::copy(Memory& memory, std::uint64_t to, std::uint64_t from, std::uint64_t bytes) {
    const GpuMemory& m = gpu_memory(memory);
    api_->copy_within(m.at(to, bytes), m.at(from, bytes), bytes, stream_.get());
}

void GpuQueue::synchronize() {
    api_->synchronize(stream_.get(), pending_.empty() ? a_copy : pending_);
    pending_.clear();
    staged_ = 0;
}

} // namespace ingot::runtime
