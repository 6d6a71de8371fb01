#include "codegen/llvm/compiler.h"

#include <map>
#include <memory>

#include <llvm/MC/MCAsmInfo.h>
#include <llvm/MC/MCContext.h>
#include <llvm/MC/MCDisassembler/MCDisassembler.h>
#include <llvm/MC/MCInst.h>
#include <llvm/MC/MCInstPrinter.h>
#include <llvm/MC/MCInstrAnalysis.h>
#include <llvm/MC/MCInstrInfo.h>
#include <llvm/MC/MCRegisterInfo.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/MCTargetOptions.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Object/ELFObjectFile.h>
#include <llvm/Support/Error.h>
#include <llvm/Support/FormatVariadic.h>
#include <llvm/Support/raw_ostream.h>

namespace ingot::codegen {

namespace {

// The parts of LLVM that know one processor's instructions. Members refer to those before them.
struct InstructionReader {
    std::unique_ptr<llvm::MCRegisterInfo> registers;
    llvm::MCTargetOptions options;
    std::unique_ptr<llvm::MCAsmInfo> assembler;
    std::unique_ptr<llvm::MCSubtargetInfo> processor;
    std::unique_ptr<llvm::MCInstrInfo> instructions;
    std::unique_ptr<llvm::MCContext> context;
    std::unique_ptr<llvm::MCDisassembler> disassembler;
    std::unique_ptr<llvm::MCInstPrinter> printer;
    std::unique_ptr<llvm::MCInstrAnalysis> analysis;

    // Null where LLVM lacks a part for this object.
    static std::unique_ptr<InstructionReader> create(const llvm::object::ELFObjectFileBase& object);
};

std::unique_ptr<InstructionReader> InstructionReader::create(const llvm::object::ELFObjectFileBase& object) {
    llvm::Triple triple = object.makeTriple();
    std::string error;
    const llvm::Target* const target = llvm::TargetRegistry::lookupTarget(triple, error);
    llvm::Expected<llvm::SubtargetFeatures> features = object.getFeatures();
    if (!features) llvm::consumeError(features.takeError());
    if (target == nullptr || !features) return nullptr;
    auto r = std::make_unique<InstructionReader>();
    const llvm::StringRef cpu = object.tryGetCPUName().value_or("");
    r->registers.reset(target->createMCRegInfo(triple));
    if (!r->registers) return nullptr;
    r->assembler.reset(target->createMCAsmInfo(*r->registers, triple, r->options));
    r->processor.reset(target->createMCSubtargetInfo(triple, cpu, features->getString()));
    r->instructions.reset(target->createMCInstrInfo());
    if (!r->assembler || !r->processor || !r->instructions) return nullptr;
    r->context =
        std::make_unique<llvm::MCContext>(triple, r->assembler.get(), r->registers.get(), r->processor.get());
    r->disassembler.reset(target->createMCDisassembler(*r->processor, *r->context));
    r->printer.reset(target->createMCInstPrinter(triple, r->assembler->getAssemblerDialect(), *r->assembler,
                                                 *r->instructions, *r->registers));
    r->analysis.reset(target->createMCInstrAnalysis(r->instructions.get()));
    if (!r->disassembler || !r->printer) return nullptr;
    return r;
}

// Names of functions by address: those of the dynamic table too, which is all that a stripped object has.
std::multimap<uint64_t, std::string> function_names(const llvm::object::ELFObjectFileBase& object) {
    std::map<std::string, uint64_t> by_name;
    const auto add = [&](const auto& symbols) {
        for (const llvm::object::ELFSymbolRef symbol : symbols) {
            llvm::Expected<llvm::StringRef> name = symbol.getName();
            llvm::Expected<uint64_t> address = symbol.getAddress();
            if (name && address && symbol.getELFType() == llvm::ELF::STT_FUNC)
                by_name.emplace(name->str(), *address);
            if (!name) llvm::consumeError(name.takeError());
            if (!address) llvm::consumeError(address.takeError());
        }
    };
    add(object.symbols());
    add(object.getDynamicSymbolIterators());
    std::multimap<uint64_t, std::string> names;
    for (const auto& [name, address] : by_name)
        names.emplace(address, name);
    return names;
}

// One instruction without the tabs around it, and where it goes if it branches.
std::string instruction_text(InstructionReader& reader, const llvm::MCInst& instruction, uint64_t address,
                             uint64_t size) {
    std::string text;
    llvm::raw_string_ostream out(text);
    reader.printer->printInst(&instruction, address, "", *reader.processor, out);
    uint64_t goal = 0;
    if (reader.analysis && reader.analysis->isBranch(instruction) &&
        reader.analysis->evaluateBranch(instruction, address, size, goal))
        out << llvm::formatv(" -> {0:x-}", goal);
    return llvm::StringRef(text).trim().str();
}

void print_section(InstructionReader& reader, llvm::ArrayRef<uint8_t> bytes, uint64_t begin,
                   const std::multimap<uint64_t, std::string>& names, llvm::raw_ostream& out) {
    for (uint64_t at = 0; at < bytes.size();) {
        const auto [first, last] = names.equal_range(begin + at);
        for (auto name = first; name != last; ++name)
            out << name->second << ":\n";
        llvm::MCInst instruction;
        uint64_t size = 0;
        std::string text;
        if (reader.disassembler->getInstruction(instruction, size, bytes.slice(at), begin + at,
                                                llvm::nulls()) == llvm::MCDisassembler::Fail) {
            // Data among the code; in the steps in which instructions come.
            size = std::min<uint64_t>(std::max<uint64_t>(size, reader.assembler->getMinInstAlignment()),
                                      bytes.size() - at);
            for (uint64_t i = 0; i < size; ++i)
                text += llvm::formatv("{0,2:x-2} ", bytes[at + i]);
        } else {
            text = instruction_text(reader, instruction, begin + at, size);
        }
        // AMD's padding behind a kernel, for what is fetched ahead.
        if (text != "s_code_end") out << llvm::formatv("{0,8:x-}: {1}\n", begin + at, text);
        at += std::max<uint64_t>(size, 1);
    }
}

} // namespace

CompileReply disassemble_with_llvm(const std::string& object) {
    CompileReply reply;
    auto file = llvm::object::ObjectFile::createELFObjectFile(llvm::MemoryBufferRef(object, "code object"));
    if (!file) {
        reply.log = "error: " + llvm::toString(file.takeError()) + "\n";
        return reply;
    }
    const auto& elf = llvm::cast<llvm::object::ELFObjectFileBase>(**file);
    const auto reader = InstructionReader::create(elf);
    if (!reader) {
        reply.log = "error: LLVM does not know the machine of this code object\n";
        return reply;
    }
    const auto names = function_names(elf);
    llvm::raw_string_ostream out(reply.output);
    for (const llvm::object::SectionRef section : elf.sections()) {
        if (!section.isText()) continue;
        llvm::Expected<llvm::StringRef> bytes = section.getContents();
        if (!bytes) {
            reply.log = "error: " + llvm::toString(bytes.takeError()) + "\n";
            return reply;
        }
        print_section(*reader, llvm::arrayRefFromStringRef(*bytes), section.getAddress(), names, out);
    }
    reply.ok = true;
    return reply;
}

} // namespace ingot::codegen
