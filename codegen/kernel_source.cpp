#include "codegen/kernel_source.h"

#include "codegen/gpu_source.h"
#include "codegen/host_source.h"

namespace ingot::codegen {

KernelSource kernel_source(const Target& target, const ir::Graph& body, std::string_view node_name) {
    if (target.is_gpu()) return gpu_kernel_source(target, body, node_name);
    return host_kernel_source(body, node_name);
}

} // namespace ingot::codegen
