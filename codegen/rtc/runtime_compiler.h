// hipRTC and NVRTC: compilers that are libraries of an installed HIP or CUDA, found at run time. Their
// interfaces are the same but for the names (https://docs.nvidia.com/cuda/nvrtc, hip/hiprtc.h). Part of the
// worker program ingot-worker-rtc only.
#pragma once

#include <string>

#include "codegen/compilers.h"
#include "codegen/rtc/library.h"
#include "codegen/worker_protocol.h"

namespace ingot::codegen {

class RuntimeCompiler {
  public:
    // Loads hiprtc or nvrtc. Throws ir::Error saying what to install where there is none.
    explicit RuntimeCompiler(Compiler compiler);

    // The library's name and version, and the identity of it and of the libraries that it compiles with, so
    // that another build of the same version is another compiler to the kernel cache.
    std::string build_id() const;

    // Compiles one translation unit; the reply holds the diagnostics of a bad source. The library may end or
    // damage the process. NVRTC gives a cubin, or PTX as assembly; hipRTC gives a code object only.
    CompileReply compile(const CompileRequest& request) const;

  private:
    // The two libraries share these types: a status, 0 for success, and a program that is a pointer.
    struct Functions {
        const char* (*error_string)(int status);
        int (*version)(int* major, int* minor);
        int (*create)(void** program, const char* source, const char* name, int headers,
                      const char* const* texts, const char* const* names);
        int (*destroy)(void** program);
        int (*compile)(void* program, int flags, const char* const* values);
        int (*log_size)(void* program, size_t* size);
        int (*log)(void* program, char* text);
        int (*code_size)(void* program, size_t* size);
        int (*code)(void* program, char* bytes);
        int (*assembly_size)(void* program, size_t* size); // null where the library has none
        int (*assembly)(void* program, char* text);
    };

    Compiler compiler_;
    Library library_;
    Functions call_{};
};

} // namespace ingot::codegen
