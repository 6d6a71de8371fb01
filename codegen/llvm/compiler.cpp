#include "codegen/llvm/compiler.h"

#include <memory>

#include <clang/Basic/DiagnosticOptions.h>
#include <clang/CodeGen/CodeGenAction.h>
#include <clang/Driver/Compilation.h>
#include <clang/Driver/Driver.h>
#include <clang/Driver/Job.h>
#include <clang/Frontend/CompilerInstance.h>
#include <clang/Frontend/TextDiagnosticPrinter.h>
#include <llvm/ADT/SmallVector.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/VirtualFileSystem.h>
#include <llvm/Support/raw_ostream.h>

namespace ingot::codegen {

namespace {

constexpr const char* source_name = "/kernel.cpp";
constexpr const char* header_folder = "/include";

llvm::IntrusiveRefCntPtr<llvm::vfs::InMemoryFileSystem> files_of(const CompileRequest& request) {
    auto files = llvm::makeIntrusiveRefCnt<llvm::vfs::InMemoryFileSystem>();
    static_cast<void>(files->setCurrentWorkingDirectory("/")); // in memory it can't fail
    files->addFile(source_name, 0, llvm::MemoryBuffer::getMemBufferCopy(request.source));
    for (const SourceFile& header : request.headers)
        files->addFile(std::string(header_folder) + "/" + header.name, 0,
                       llvm::MemoryBuffer::getMemBufferCopy(header.text));
    return files;
}

std::unique_ptr<clang::FrontendAction> action_for(Emit emit) {
    if (emit == Emit::assembly) return std::make_unique<clang::EmitAssemblyAction>();
    if (emit == Emit::llvm_ir) return std::make_unique<clang::EmitLLVMAction>();
    return std::make_unique<clang::EmitObjAction>();
}

// The arguments of the one compiler job among what these flags mean, which for a GPU is also linking and
// bundling; empty where there are several or none.
llvm::opt::ArgStringList job_arguments(clang::driver::Compilation* compilation) {
    llvm::opt::ArgStringList found;
    if (compilation == nullptr) return found;
    for (const clang::driver::Command& job : compilation->getJobs()) {
        const llvm::opt::ArgStringList& arguments = job.getArguments();
        if (arguments.empty() || llvm::StringRef(arguments.front()) != "-cc1") continue;
        if (!found.empty()) return {};
        found = arguments;
    }
    return found;
}

} // namespace

CompileReply compile_with_llvm(const CompileRequest& request) {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
    llvm::InitializeAllAsmParsers();
    llvm::InitializeAllDisassemblers();
    if (request.emit == Emit::disassembly) return disassemble_with_llvm(request.source);

    CompileReply reply;
    llvm::raw_string_ostream log(reply.log);
    clang::DiagnosticOptions options;
    clang::TextDiagnosticPrinter printer(log, options);
    clang::DiagnosticsEngine diagnostics(clang::DiagnosticIDs::create(), options, &printer,
                                         /*ShouldOwnClient=*/false);
    const auto files = files_of(request);

    // The driver turns the flags into a compiler job, as `clang++` would, but runs nothing.
    std::vector<const char*> arguments{"clang++", "-nostdinc", "-isystem", header_folder};
    for (const std::string& flag : request.flags)
        arguments.push_back(flag.c_str());
    arguments.insert(arguments.end(), {"-c", source_name, "-o", "-"});
    clang::driver::Driver driver("/clang++", "x86_64-unknown-linux-gnu", diagnostics, "clang", files);
    driver.setCheckInputsExist(false);
    const std::unique_ptr<clang::driver::Compilation> compilation(driver.BuildCompilation(arguments));
    const llvm::opt::ArgStringList job = job_arguments(compilation.get());
    auto invocation = std::make_shared<clang::CompilerInvocation>();
    if (job.empty() || diagnostics.hasErrorOccurred() ||
        !clang::CompilerInvocation::CreateFromArgs(*invocation, job, diagnostics)) {
        reply.log += "the flags don't make one compiler job\n";
        return reply;
    }
    // Freeing the syntax tree of a kernel takes longer than forgetting it, but this process lives on.
    invocation->getFrontendOpts().DisableFree = false;
    invocation->getCodeGenOpts().DisableFree = false;

    clang::CompilerInstance instance(invocation);
    instance.setVirtualFileSystem(files);
    instance.createDiagnostics(&printer, /*ShouldOwnClient=*/false);
    instance.createFileManager();
    llvm::SmallVector<char, 0> output;
    instance.setOutputStream(std::make_unique<llvm::raw_svector_ostream>(output));
    const std::unique_ptr<clang::FrontendAction> action = action_for(request.emit);
    if (!instance.ExecuteAction(*action)) return reply;
    if (request.emit != Emit::object) {
        reply.ok = true;
        reply.output.assign(output.begin(), output.end());
        return reply;
    }
    CompileReply linked = link_with_lld(std::string(output.begin(), output.end()));
    linked.log.insert(0, reply.log);
    return linked;
}

} // namespace ingot::codegen
