#include "tests/bench/model_steps.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <numeric>
#include <stdexcept>

#include "codegen/build_plan.h"
#include "frontend/import.h"
#include "passes/pipeline.h"
#include "plan_generated.h"
#include "runtime/host/host_device.h"
#include "runtime/required.h"

namespace ingot::bench {

using runtime::required;

namespace {

std::filesystem::path temporary_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "ingot-bench-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error(pattern + ": can't be made");
    return pattern;
}

template <class F>
double seconds_of(const F& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Of one launch, by the tensors that its shares lie in.
void add_weights(const plan::Plan& p, const plan::Launch& launch, KernelUse& use) {
    if (launch.weights() == nullptr) return;
    for (const plan::WeightShare* share : *launch.weights()) {
        const uint64_t bytes = share->units() * share->unit_bytes();
        use.weight_bytes += bytes;
        for (const plan::Tensor* t : required(p.tensors()))
            if (share->offset() >= t->offset() && share->offset() < t->offset() + t->bytes())
                use.weight_elements += t->rows() * t->cols() * bytes / t->bytes();
    }
}

} // namespace

ModelSteps::ModelSteps(const StepOptions& options) : folder_(temporary_folder()) {
    const auto file = frontend::gguf::File::open(options.model);
    frontend::Model model = frontend::import_model(file, {.context = options.context});
    codegen::BuildInput input{
        .programs = {},
        .weights = &model.weights,
        .model = {.name = model.facts.name,
                  .architecture = model.facts.architecture,
                  .sha256 = std::string(64, '0'),
                  .path = options.model.string(),
                  .file = {},
                  .layers = static_cast<uint32_t>(model.facts.layers),
                  .embedding = static_cast<uint32_t>(model.facts.embedding),
                  .vocabulary_size = static_cast<uint32_t>(model.facts.vocabulary_size),
                  .context = static_cast<uint32_t>(model.facts.context),
                  .training_context = static_cast<uint32_t>(model.facts.training_context)}};
    for (ir::Graph& g : model.graphs) {
        passes::run_pipeline(g, {});
        input.programs.push_back({.graph = &g});
    }
    codegen::KernelCompiler compiler(options.target,
                                     {.cache = {}, .worker = {.folder = INGOT_BINARY_DIR "/tools"}});
    const codegen::BuildReport report =
        codegen::build_plan(input, compiler, folder_ / "plan", {.durable = false});
    kernel_seconds_ = report.kernel_seconds;
    weight_seconds_ = report.weight_seconds;

    plan_ = runtime::LoadedPlan::load(runtime::PlanFile::open(folder_ / "plan"), runtime::open_host_device());
    const plan::Plan& p = plan_->file().description();
    runtime::Device& device = plan_->device();
    shape_ = runtime::session_shape(plan_->file());
    state_ = device.allocate(runtime::Pool::state, p.state_bytes());
    transient_ = device.allocate(runtime::Pool::transient, p.transient_bytes());
    io_ = device.allocate(runtime::Pool::io, p.io_bytes());
    queue_ = device.open_queue({.threads = options.threads});
    const runtime::Arenas arenas = {plan_->weights(), state_.get(), transient_.get(), io_.get()};
    for (const plan::Program* program : required(p.programs())) {
        StepProgram out{.name = required(program->name()).str()};
        const runtime::ProgramSpec spec = runtime::program_spec(*plan_, out.name, arenas);
        out.all = queue_->prepare(spec);
        std::vector<uint32_t> known; // the plan's kernels
        for (size_t i = 0; i < spec.launches.size(); ++i) {
            const plan::Launch& launch = *required(program->launches()).Get(static_cast<uint32_t>(i));
            const auto at = std::find(known.begin(), known.end(), launch.kernel());
            out.kernel_of.push_back(static_cast<size_t>(at - known.begin()));
            if (at == known.end()) {
                known.push_back(launch.kernel());
                out.kernels.push_back(
                    {.name = required(required(p.kernels()).Get(launch.kernel())->name()).str()});
            }
            KernelUse& use = out.kernels[out.kernel_of.back()];
            ++use.launches;
            add_weights(p, launch, use);
            runtime::ProgramSpec alone = spec;
            alone.launches = {spec.launches[i]};
            // Alone it would be followed by itself, whose weights no step fetches here.
            alone.launches[0].weights.clear();
            out.launches.push_back(queue_->prepare(alone));
        }
        programs_.push_back(std::move(out));
    }
    // A hidden state and tokens that are the same in every run; one sequence in the first pages.
    std::vector<int32_t> pages(shape_.pages.bytes / sizeof(int32_t));
    std::iota(pages.begin(), pages.end(), 0);
    queue_->write(*io_, shape_.pages.offset, std::as_bytes(std::span(pages)));
    std::vector<int32_t> tokens(shape_.tokens.bytes / sizeof(int32_t));
    for (size_t i = 0; i < tokens.size(); ++i)
        tokens[i] = static_cast<int32_t>((i * 7919 + 13) % shape_.vocabulary);
    queue_->write(*io_, shape_.tokens.offset, std::as_bytes(std::span(tokens)));
}

ModelSteps::~ModelSteps() {
    std::filesystem::remove_all(folder_);
}

void ModelSteps::enter(int64_t position, int64_t tokens) {
    tokens_ = static_cast<int32_t>(tokens);
    std::vector<int32_t> positions(static_cast<size_t>(tokens));
    std::iota(positions.begin(), positions.end(), static_cast<int32_t>(position));
    queue_->write(*io_, shape_.positions.offset, std::as_bytes(std::span(positions)));
}

std::span<const int32_t> ModelSteps::dims_of(const StepProgram& program) const {
    return {&tokens_, program.name == "decode" ? size_t{0} : size_t{1}};
}

void ModelSteps::wake() {
    queue_->run(*programs_[0].launches[0], {});
}

double ModelSteps::run(const StepProgram& program) {
    wake();
    return seconds_of([&] { queue_->run(*program.all, dims_of(program)); });
}

std::vector<double> ModelSteps::run_by_kernel(const StepProgram& program) {
    std::vector<double> seconds(program.kernels.size());
    wake();
    for (size_t i = 0; i < program.launches.size(); ++i)
        seconds[program.kernel_of[i]] +=
            seconds_of([&] { queue_->run(*program.launches[i], dims_of(program)); });
    return seconds;
}

double ModelSteps::run_again(const StepProgram& program, size_t kernel) {
    const auto at = std::find(program.kernel_of.begin(), program.kernel_of.end(), kernel);
    runtime::CommandList& launch = *program.launches[static_cast<size_t>(at - program.kernel_of.begin())];
    queue_->run(launch, dims_of(program));
    return seconds_of([&] { queue_->run(launch, dims_of(program)); });
}

} // namespace ingot::bench
