#include "runtime/session_programs.h"

#include "plan_generated.h"
#include "runtime/error.h"
#include "runtime/required.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace ingot::runtime {
namespace {

// Looks up the parts of a plan by name.
class Finder {
  public:
    explicit Finder(const PlanFile& plan) : plan_(plan) {}

    [[noreturn]] void fail(const std::string& message) const {
        throw Error(Code::bad_file, plan_.path().string(), "not a plan of a language model: " + message);
    }

    // Null where there is none.
    const plan::Program* find(std::string_view name) const {
        for (const plan::Program* p : required(plan_.description().programs()))
            if (required(p->name()).string_view() == name) return p;
        return nullptr;
    }
    const plan::Program& program(std::string_view name) const {
        if (const plan::Program* p = find(name)) return *p;
        fail(fmt::format("there is no program {}", name));
    }

    // The largest value of the program's one symbol.
    std::uint32_t most(const plan::Program& program) const {
        const auto& symbols = required(program.symbols());
        if (symbols.size() != 1 || symbols.Get(0)->min() > 1 || symbols.Get(0)->max() < 1)
            fail(fmt::format("program {} has not one symbol that starts at 1",
                             required(program.name()).string_view()));
        return static_cast<std::uint32_t>(symbols.Get(0)->max());
    }

    // A binding of the program, which must have this element and these dims (-1: the program's symbol).
    IoRange io(const plan::Program& program, std::string_view name, std::string_view element,
               const std::vector<std::int64_t>& dims) const {
        for (const plan::Binding* b : required(program.bindings())) {
            if (required(b->name()).string_view() != name) continue;
            const auto& actual = required(b->dims());
            if (required(b->element()).string_view() == element && std::ranges::equal(actual, dims)) {
                const plan::BufferRef& buffer = required(b->buffer());
                return {.offset = buffer.offset(), .bytes = buffer.bytes()};
            }
            fail(fmt::format("{} of program {} has another type: it must be {}[{}]", name,
                             required(program.name()).string_view(), element, fmt::join(dims, ", ")));
        }
        fail(fmt::format("program {} has no {}", required(program.name()).string_view(), name));
    }

  private:
    const PlanFile& plan_;
};

} // namespace

SessionShape session_shape(const PlanFile& plan) {
    const Finder find(plan);
    const plan::Plan& p = plan.description();
    if (p.cache() == nullptr) find.fail("it has no KV cache");
    if (p.vocabulary_size() == 0 || p.vocabulary_size() > INT32_MAX) find.fail("it has no vocabulary");
    const plan::Cache& cache = *p.cache();
    const plan::Program& decode = find.program("decode");
    const plan::Program& prefill = find.program("prefill");
    const plan::Program& head = find.program("head");
    if (required(decode.symbols()).size() != 0) find.fail("program decode has symbols");

    SessionShape shape{.context = p.context(),
                       .vocabulary = p.vocabulary_size(),
                       .tile = find.most(prefill),
                       .head_rows = find.most(head)};
    if (shape.context == 0) find.fail("its context is 0");
    const std::int64_t vocabulary = shape.vocabulary, tile = shape.tile, embedding = p.embedding();
    const std::vector<std::int64_t> table = {cache.max_sequences(), cache.max_pages_per_sequence()};
    const plan::Program* const batch = find.find("batch");
    for (const plan::Program* program : {&decode, &prefill, batch}) {
        if (program == nullptr) continue;
        const std::vector<std::int64_t> tokens = {program == &decode ? 1 : -1};
        shape.tokens = find.io(*program, "tokens", "i32", tokens);
        shape.positions = find.io(*program, "positions", "i32", tokens);
        shape.seqs = find.io(*program, "seqs", "i32", tokens);
        shape.pages = find.io(*program, "pages", "i32", table);
        if (program != &decode) find.io(*program, "hidden", "f32", {-1, embedding});
    }
    if (batch != nullptr) shape.batch = find.most(*batch);
    find.io(decode, "logits", "f32", {1, vocabulary});
    find.io(decode, "next", "i32", {1});
    find.io(head, "hidden", "f32", {tile, embedding});
    shape.ids = find.io(head, "ids", "i32", {-1});
    shape.logits = find.io(head, "logits", "f32", {-1, vocabulary});
    shape.next = find.io(head, "next", "i32", {-1});
    return shape;
}

SessionPrograms::SessionPrograms(const LoadedPlan& plan, const QueueOptions& options) {
    const plan::Plan& p = plan.file().description();
    const auto allocate = [&](Pool pool, std::uint64_t bytes) {
        if (bytes > 0) arenas_[static_cast<std::size_t>(pool)] = plan.device().allocate(pool, bytes);
    };
    allocate(Pool::state, p.state_bytes());
    allocate(Pool::transient, p.transient_bytes());
    allocate(Pool::io, p.io_bytes());
    queue_ = plan.device().open_queue(options);
    decode_ = prepare(plan, "decode");
    prefill_ = prepare(plan, "prefill");
    if (session_shape(plan.file()).batch > 0) batch_ = prepare(plan, "batch");
    head_ = prepare(plan, "head");
}

std::size_t SessionPrograms::allocations() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(arenas_, [](const auto& m) { return m != nullptr; }));
}

ProgramSpec program_spec(const LoadedPlan& plan, std::string_view name, const Arenas& arenas) {
    const plan::Plan& p = plan.file().description();
    const plan::Program& program = Finder(plan.file()).program(name);
    ProgramSpec spec{.name = std::string(name),
                     .dims = required(program.symbols()).size(),
                     .launches = {},
                     .arenas = arenas};
    for (const plan::Launch* launch : required(program.launches())) {
        LaunchSpec to{.module = &plan.module_of(launch->kernel()),
                      .symbol = required(required(p.kernels()).Get(launch->kernel())->symbol()).str(),
                      .name = required(launch->name()).str()};
        for (const plan::BufferRef* operand : required(launch->operands()))
            to.operands.push_back({.pool = static_cast<Pool>(operand->pool()), .offset = operand->offset()});
        if (launch->weights() != nullptr) {
            for (const plan::WeightShare* share : *launch->weights())
                to.weights.push_back(
                    {.offset = share->offset(), .units = share->units(), .unit_bytes = share->unit_bytes()});
        }
        if (const plan::Geometry* g = launch->geometry()) {
            to.geometry = LaunchGeometry{.threads = g->threads(),
                                         .shared_bytes = g->shared_bytes(),
                                         .groups_per_unit = g->groups_per_unit()};
            for (std::uint32_t d = 0; d < 3; ++d) {
                const plan::GridDim& dim = *required(g->grid()).Get(d);
                to.geometry->grid[d] = {
                    .count = dim.count(), .symbol = dim.symbol(), .divisor = dim.divisor()};
            }
        }
        spec.launches.push_back(std::move(to));
    }
    return spec;
}

std::unique_ptr<CommandList> SessionPrograms::prepare(const LoadedPlan& plan, std::string_view name) {
    Arenas arenas = {};
    for (std::size_t pool = 0; pool < pool_count; ++pool)
        arenas[pool] = arenas_[pool].get();
    arenas[static_cast<std::size_t>(Pool::weights)] = plan.weights();
    return queue_->prepare(program_spec(plan, name, arenas));
}

} // namespace ingot::runtime
