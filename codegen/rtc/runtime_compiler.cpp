#include "codegen/rtc/runtime_compiler.h"

#include <array>
#include <vector>

#include <fmt/format.h>

#include "codegen/loaded_objects.h"
#include "ir/error.h"

namespace ingot::codegen {

namespace {

// ROCm 6 took hipRTC out of libamdhip64 into a library of its own.
constexpr std::array<std::string_view, 6> hiprtc_names = {"libhiprtc.so.7",   "libhiprtc.so.6",
                                                          "libhiprtc.so",     "libamdhip64.so.6",
                                                          "libamdhip64.so.5", "libamdhip64.so"};
constexpr std::array<std::string_view, 2> hiprtc_folders = {"/opt/rocm/lib", "/usr/lib/x86_64-linux-gnu"};
constexpr std::array<std::string_view, 3> nvrtc_names = {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"};
constexpr std::array<std::string_view, 2> nvrtc_folders = {"/usr/local/cuda/lib64",
                                                           "/usr/lib/x86_64-linux-gnu"};

constexpr LibrarySearch hiprtc_search{.names = hiprtc_names,
                                      .folders = hiprtc_folders,
                                      .needs = "hiprtcCompileProgram",
                                      .advice = "install ROCm's package hiprtc, or Debian's libamdhip64-dev"};
constexpr LibrarySearch nvrtc_search{.names = nvrtc_names,
                                     .folders = nvrtc_folders,
                                     .needs = "nvrtcCompileProgram",
                                     .advice = "install the package cuda-nvrtc of CUDA 12 or 13"};

std::string_view title(Compiler compiler) {
    return compiler == Compiler::nvrtc ? "NVRTC" : "hipRTC";
}

// What the library itself does the work with.
bool is_part(std::string_view path) {
    const std::string_view file = path.substr(path.rfind('/') + 1);
    for (const std::string_view name : {"libnvrtc", "libhiprtc", "libamdhip64", "libamd_comgr", "libLLVM"})
        if (file.starts_with(name)) return true;
    return false;
}

// Asks for a size, then for as many bytes.
std::string text_of(void* program, int (*size)(void*, size_t*), int (*get)(void*, char*)) {
    size_t bytes = 0;
    if (size(program, &bytes) != 0 || bytes == 0) return {};
    std::string text(bytes, '\0');
    if (get(program, text.data()) != 0) return {};
    return text;
}

// Texts are given with the null that ends them.
std::string without_null(std::string text) {
    while (!text.empty() && text.back() == '\0')
        text.pop_back();
    return text;
}

} // namespace

RuntimeCompiler::RuntimeCompiler(Compiler compiler)
    : compiler_(compiler),
      library_(title(compiler), compiler == Compiler::nvrtc ? nvrtc_search : hiprtc_search) {
    const std::string prefix(compiler_name(compiler));
    const auto get = [&](const char* name, auto& function) {
        function =
            reinterpret_cast<std::remove_reference_t<decltype(function)>>(library_.find(prefix + name));
        if (function == nullptr)
            throw ir::Error(std::string(title(compiler)), fmt::format("it lacks the function {}{}; install a "
                                                                      "newer one",
                                                                      prefix, name));
    };
    const bool cuda = compiler == Compiler::nvrtc;
    get("GetErrorString", call_.error_string);
    get("Version", call_.version);
    get("CreateProgram", call_.create);
    get("DestroyProgram", call_.destroy);
    get("CompileProgram", call_.compile);
    get("GetProgramLogSize", call_.log_size);
    get("GetProgramLog", call_.log);
    get(cuda ? "GetCUBINSize" : "GetCodeSize", call_.code_size);
    get(cuda ? "GetCUBIN" : "GetCode", call_.code);
    if (!cuda) return;
    get("GetPTXSize", call_.assembly_size);
    get("GetPTX", call_.assembly);
}

std::string RuntimeCompiler::build_id() const {
    int major = 0, minor = 0;
    call_.version(&major, &minor);
    // With its first program hipRTC loads the libraries that it compiles with.
    void* program = nullptr;
    if (call_.create(&program, "", "empty.cpp", 0, nullptr, nullptr) == 0) call_.destroy(&program);
    return fmt::format("{} {}.{}{}", title(compiler_), major, minor, loaded_build_ids(is_part));
}

CompileReply RuntimeCompiler::compile(const CompileRequest& request) const {
    CompileReply reply;
    const bool listing = request.emit == Emit::assembly && call_.assembly != nullptr;
    if (request.emit != Emit::object && !listing) {
        reply.log =
            fmt::format("error: {} can't show what it makes; another compiler can\n", title(compiler_));
        return reply;
    }
    std::vector<const char*> texts, names, flags;
    for (const SourceFile& header : request.headers) {
        texts.push_back(header.text.c_str());
        names.push_back(header.name.c_str());
    }
    for (const std::string& flag : request.flags)
        flags.push_back(flag.c_str());
    void* program = nullptr;
    int status = call_.create(&program, request.source.c_str(), "kernel.cpp", static_cast<int>(names.size()),
                              texts.data(), names.data());
    if (status == 0) {
        status = call_.compile(program, static_cast<int>(flags.size()), flags.data());
        reply.log = without_null(text_of(program, call_.log_size, call_.log));
        if (status == 0)
            reply.output = listing ? without_null(text_of(program, call_.assembly_size, call_.assembly))
                                   : text_of(program, call_.code_size, call_.code);
        call_.destroy(&program);
    }
    reply.ok = status == 0 && !reply.output.empty();
    if (status != 0 && reply.log.empty()) reply.log = fmt::format("error: {}\n", call_.error_string(status));
    return reply;
}

} // namespace ingot::codegen
