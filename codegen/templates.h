// The kernel templates (kernels_templates/), embedded as text.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/worker_protocol.h"

namespace ingot::codegen {

struct TemplateFile {
    std::string_view name; // as #include spells it: "matmul.h", "formats/q4_0.h", "runtime/host_abi.h"
    std::string_view text;
};

extern const TemplateFile template_files[];
extern const size_t template_file_count;

// The headers that `source` reaches by #include, directly or not, sorted by name: what a kernel's key covers,
// so that a change in one template recompiles only the kernels that use it. Asserts that every one exists.
std::vector<SourceFile> headers_of(std::string_view source);

} // namespace ingot::codegen
