#include "tools/inspect/kernel_resources.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "plan_generated.h"

namespace ingot::tools {

namespace {

constexpr std::array<const char*, 4> limit_names = {"waves", "registers", "LDS", "groups"}; // OccupancyLimit

codegen::KernelResources resources_of(const plan::Kernel& kernel) {
    const plan::KernelResources* const r = kernel.resources();
    if (r == nullptr) return {};
    return {.registers = r->registers(),
            .scalar_registers = r->scalar_registers(),
            .group_memory = r->lds_bytes(),
            .scratch = r->scratch_bytes(),
            .spills = r->spills(),
            .group_threads = r->group_threads(),
            .argument_bytes = r->argument_bytes()};
}

} // namespace

std::vector<KernelUse> kernel_uses(const runtime::PlanFile& plan) {
    const plan::Plan& p = plan.description();
    const auto targets = codegen::all_targets();
    const auto target = std::find_if(targets.begin(), targets.end(), [&](const codegen::Target& t) {
        return t.is_gpu() && t.name == p.target()->string_view();
    });
    if (target == targets.end()) return {};
    std::vector<KernelUse> uses;
    for (const plan::Kernel* kernel : *p.kernels())
        uses.push_back(
            {.resources = resources_of(*kernel), .threads = 0, .dynamic_memory = 0, .occupancy = {}});
    for (const plan::Program* program : *p.programs())
        for (const plan::Launch* launch : *program->launches()) {
            KernelUse& use = uses[launch->kernel()];
            if (launch->geometry() == nullptr || use.threads != 0) continue;
            use.threads = launch->geometry()->threads();
            use.dynamic_memory = launch->geometry()->shared_bytes();
            use.occupancy = codegen::occupancy(*target, use.resources, use.threads, use.dynamic_memory);
        }
    return uses;
}

std::string text(const KernelUse& use) {
    const codegen::KernelResources& r = use.resources;
    const codegen::Occupancy& o = use.occupancy;
    return fmt::format("    {} threads, registers {} vector {} scalar, LDS {} + {}, scratch {}, spills {}, "
                       "occupancy {} of {} waves ({} groups, limited by {})\n",
                       use.threads, r.registers, r.scalar_registers, r.group_memory, use.dynamic_memory,
                       r.scratch, r.spills, o.waves, o.most_waves, o.groups,
                       limit_names[static_cast<size_t>(o.limit)]);
}

nlohmann::json json_of(const KernelUse& use) {
    const codegen::KernelResources& r = use.resources;
    const codegen::Occupancy& o = use.occupancy;
    return {{"threads", use.threads},
            {"registers", r.registers},
            {"scalar_registers", r.scalar_registers},
            {"lds_bytes", r.group_memory},
            {"dynamic_lds_bytes", use.dynamic_memory},
            {"scratch_bytes", r.scratch},
            {"spills", r.spills},
            {"occupancy",
             {{"groups", o.groups},
              {"waves", o.waves},
              {"most_waves", o.most_waves},
              {"limit", limit_names[static_cast<size_t>(o.limit)]}}}};
}

} // namespace ingot::tools
