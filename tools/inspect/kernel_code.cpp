#include "tools/inspect/kernel_code.h"

#include <fmt/format.h>

#include "codegen/disassemble.h"
#include "ir/error.h"
#include "plan_generated.h"
#include "tools/driver/failure.h"

namespace ingot::tools {

std::string kernel_code(const runtime::PlanFile& plan) {
    const plan::Plan& p = plan.description();
    if (p.target()->string_view().starts_with("sm_"))
        throw Failure(
            ExitCode::failed, "--asm",
            "LLVM can't read NVIDIA's machine code; ingot compile --emit asm shows the PTX before it");
    std::vector<codegen::NamedObject> objects;
    for (uint32_t i = 0; i < p.kernels()->size(); ++i) {
        const std::span<const std::byte> code = plan.code_of(i);
        objects.push_back({.kernel = p.kernels()->Get(i)->name()->str(),
                           .object = {reinterpret_cast<const char*>(code.data()), code.size()}});
    }
    try {
        const std::vector<std::string> texts = codegen::disassemble(objects, {});
        std::string out;
        for (uint32_t i = 0; i < texts.size(); ++i)
            out += fmt::format("# kernel {}, key {}\n{}\n", objects[i].kernel,
                               p.kernels()->Get(i)->key()->str(), texts[i]);
        return out;
    } catch (const ir::Error& e) {
        throw Failure(ExitCode::failed, e.where(), e.message());
    }
}

} // namespace ingot::tools
