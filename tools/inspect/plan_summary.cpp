#include "tools/inspect/plan_summary.h"

#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "plan_generated.h"
#include "tools/inspect/byte_text.h"
#include "tools/inspect/kernel_resources.h"

namespace ingot::tools {

namespace {

using plan::Plan;

std::string model_text(const Plan& p) {
    return fmt::format("model     {} ({}), {} layers, {} wide, {} tokens, {:.1f} M weights\n"
                       "          SHA-256 {}\n",
                       p.model_name()->str(), p.architecture()->str(), p.layers(), p.embedding(),
                       p.vocabulary_size(), static_cast<double>(p.weight_elements()) / 1e6,
                       p.model_sha256()->str());
}

std::string file_text(const runtime::PlanFile& plan) {
    const Plan& p = plan.description();
    const runtime::PlanHeader& h = plan.header();
    std::string out =
        fmt::format("plan      format {}.{}, target {}, ABI {}, precision {}, context {} (trained for {})\n"
                    "compiler  {}\n"
                    "file      {}: description {}, code {}, weights {}\n",
                    h.format_major, h.format_minor, p.target()->str(), p.abi(), p.precision()->str(),
                    p.context(), p.training_context(), p.compiler()->str(), byte_text(h.file_bytes),
                    byte_text(h.description.bytes), byte_text(h.code.bytes), byte_text(h.weights.bytes));
    if (p.external() != nullptr)
        out += fmt::format("          the weights stay in {}\n",
                           p.model_path() == nullptr ? "the model" : p.model_path()->str());
    return out;
}

std::string arenas_text(const runtime::PlanFile& plan) {
    const Plan& p = plan.description();
    std::string out =
        fmt::format("arenas    weights {}, state {}, transient {}, io {}: {} device allocations\n",
                    byte_text(p.weights_bytes()), byte_text(p.state_bytes()), byte_text(p.transient_bytes()),
                    byte_text(p.io_bytes()), device_allocations(plan));
    if (const plan::Cache* c = p.cache())
        out += fmt::format("cache     {} pages of {} positions and {}, at most {} sequences\n", c->pages(),
                           c->page_positions(), byte_text(c->bytes_per_page()), c->max_sequences());
    return out;
}

std::string program_text(const ProgramSummary& program) {
    const size_t in_layers = program.launches_a_layer * program.layers;
    std::string kernels = fmt::format("{} kernels", program.launches.size());
    if (in_layers > 0)
        kernels += fmt::format(" ({} a layer in {} layers, {} beside them)", program.launches_a_layer,
                               program.layers, program.launches.size() - in_layers);
    const std::string bound = program.peak == program.lower_bound
                                  ? std::string("the lower bound")
                                  : fmt::format("lower bound {}", byte_text(program.lower_bound));
    return fmt::format("  {:<10}{}, reads {} of weights, transient peak {} ({})\n", program.name, kernels,
                       byte_text(program.bytes_read), byte_text(program.peak), bound);
}

// The kernels of the first layer, with what they read.
std::string layer_text(const ProgramSummary& program) {
    if (program.launches_a_layer == 0) return {};
    std::string out = fmt::format("layer 0 of {}\n", program.name);
    for (const LaunchSummary& launch : program.launches)
        if (launch.name.starts_with("blk.0."))
            out += fmt::format("  {:<28} reads {}\n", launch.name, byte_text(launch.bytes_read));
    return out;
}

struct Use {
    size_t launches = 0;
    std::set<std::string> programs;
};

// By kernel.
std::vector<Use> uses_of_kernels(const Plan& p, const std::vector<ProgramSummary>& programs) {
    std::vector<Use> uses(p.kernels()->size());
    for (const ProgramSummary& program : programs)
        for (const LaunchSummary& launch : program.launches) {
            ++uses[launch.kernel].launches;
            uses[launch.kernel].programs.insert(program.name);
        }
    return uses;
}

std::string kernels_text(const runtime::PlanFile& plan, const std::vector<ProgramSummary>& programs) {
    const Plan& p = plan.description();
    const std::vector<KernelUse> resources = kernel_uses(plan);
    const std::vector<Use> uses = uses_of_kernels(p, programs);
    std::string out = fmt::format("kernels   {} distinct\n", uses.size());
    for (uint32_t i = 0; i < uses.size(); ++i) {
        const plan::Kernel& k = *p.kernels()->Get(i);
        out += fmt::format("  {:<28} {:>4} launches in {}, code {}, source {}, key {:.12}\n", k.name()->str(),
                           uses[i].launches, fmt::join(uses[i].programs, " and "), byte_text(k.code_bytes()),
                           byte_text(k.source_bytes()), k.key()->str());
        if (!resources.empty()) out += text(resources[i]);
    }
    return out;
}

std::string tensors_text(const Plan& p, bool all) {
    std::string out = fmt::format("weights   {} pieces\n", p.tensors()->size());
    std::map<std::string, std::pair<size_t, uint64_t>> by_type;
    for (const plan::Tensor* t : *p.tensors()) {
        auto& [count, bytes] = by_type[fmt::format("{} {}", t->element()->str(), t->layout()->str())];
        ++count;
        bytes += t->bytes();
        if (all)
            out += fmt::format("  {:<44} {:<5} {:<13} [{}, {}]  at {}, {}\n", t->name()->str(),
                               t->element()->str(), t->layout()->str(), t->rows(), t->cols(), t->offset(),
                               byte_text(t->bytes()));
    }
    for (const auto& [type, sum] : by_type)
        out += fmt::format("  {:<28} {:>4} pieces, {}\n", type, sum.first, byte_text(sum.second));
    return out;
}

nlohmann::json json_of(const ProgramSummary& program) {
    nlohmann::json launches = nlohmann::json::array(), values = nlohmann::json::array();
    for (const LaunchSummary& l : program.launches)
        launches.push_back({{"name", l.name}, {"kernel", l.kernel}, {"bytes_read", l.bytes_read}});
    for (const ArenaValue& v : program.values)
        values.push_back({{"name", v.name},
                          {"offset", v.offset},
                          {"bytes", v.bytes},
                          {"first", v.first},
                          {"last", v.last}});
    return {{"name", program.name},
            {"kernels", program.launches.size()},
            {"layers", program.layers},
            {"kernels_a_layer", program.launches_a_layer},
            {"bytes_read", program.bytes_read},
            {"peak_transient", program.peak},
            {"lower_bound_transient", program.lower_bound},
            {"launches", launches},
            {"lifetimes", values}};
}

} // namespace

std::string text_summary(const runtime::PlanFile& plan, const std::vector<ProgramSummary>& programs,
                         bool all_tensors) {
    const Plan& p = plan.description();
    std::string out = model_text(p) + file_text(plan) + arenas_text(plan) + "programs\n";
    for (const ProgramSummary& program : programs)
        out += program_text(program);
    if (!programs.empty()) out += layer_text(programs.front());
    return out + kernels_text(plan, programs) + tensors_text(p, all_tensors);
}

nlohmann::json json_summary(const runtime::PlanFile& plan, const std::vector<ProgramSummary>& programs) {
    const Plan& p = plan.description();
    const runtime::PlanHeader& h = plan.header();
    nlohmann::json kernels = nlohmann::json::array(), tensors = nlohmann::json::array(),
                   program_list = nlohmann::json::array();
    const std::vector<Use> uses = uses_of_kernels(p, programs);
    const std::vector<KernelUse> resources = kernel_uses(plan);
    for (uint32_t i = 0; i < uses.size(); ++i) {
        const plan::Kernel& k = *p.kernels()->Get(i);
        kernels.push_back({{"name", k.name()->str()},
                           {"key", k.key()->str()},
                           {"compiler", k.compiler()->str()},
                           {"code_bytes", k.code_bytes()},
                           {"source_bytes", k.source_bytes()},
                           {"launches", uses[i].launches},
                           {"programs", uses[i].programs}});
        if (!resources.empty()) kernels.back()["resources"] = json_of(resources[i]);
    }
    for (const plan::Tensor* t : *p.tensors())
        tensors.push_back({{"name", t->name()->str()},
                           {"element", t->element()->str()},
                           {"layout", t->layout()->str()},
                           {"rows", t->rows()},
                           {"cols", t->cols()},
                           {"offset", t->offset()},
                           {"bytes", t->bytes()}});
    for (const ProgramSummary& program : programs)
        program_list.push_back(json_of(program));
    nlohmann::json out = {{"kind", "plan"},
                          {"format", fmt::format("{}.{}", h.format_major, h.format_minor)},
                          {"model",
                           {{"name", p.model_name()->str()},
                            {"architecture", p.architecture()->str()},
                            {"sha256", p.model_sha256()->str()},
                            {"bytes", p.model_bytes()},
                            {"path", p.model_path() == nullptr ? "" : p.model_path()->str()},
                            {"layers", p.layers()},
                            {"embedding", p.embedding()},
                            {"vocabulary_size", p.vocabulary_size()},
                            {"weight_elements", p.weight_elements()}}},
                          {"target", p.target()->str()},
                          {"abi", p.abi()},
                          {"precision", p.precision()->str()},
                          {"compiler", p.compiler()->str()},
                          {"context", p.context()},
                          {"training_context", p.training_context()},
                          {"weights", p.external() != nullptr ? "external" : "embedded"},
                          {"bytes",
                           {{"file", h.file_bytes},
                            {"description", h.description.bytes},
                            {"code", h.code.bytes},
                            {"weights", h.weights.bytes}}},
                          {"arenas",
                           {{"weights", p.weights_bytes()},
                            {"state", p.state_bytes()},
                            {"transient", p.transient_bytes()},
                            {"io", p.io_bytes()}}},
                          {"device_allocations", device_allocations(plan)},
                          {"programs", program_list},
                          {"kernels", kernels},
                          {"tensors", tensors}};
    if (const plan::Cache* c = p.cache())
        out["cache"] = {{"pages", c->pages()},
                        {"page_positions", c->page_positions()},
                        {"bytes_per_page", c->bytes_per_page()},
                        {"max_sequences", c->max_sequences()},
                        {"max_pages_per_sequence", c->max_pages_per_sequence()}};
    return out;
}

} // namespace ingot::tools
