#include "codegen/llvm/compiler.h"

#include <clang/Basic/Version.h>

#include "codegen/loaded_objects.h"

namespace ingot::codegen {

std::string llvm_build_id() {
    // The nameless one is this program, which holds LLD.
    return clang::getClangFullVersion() + loaded_build_ids([](std::string_view name) {
               return name.empty() || name.find("libLLVM") != name.npos || name.find("libclang") != name.npos;
           });
}

} // namespace ingot::codegen
