#include "tools/driver/device_runner.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "codegen/operand_forms.h"
#include "ir/error.h"

namespace ingot::tools {

namespace {

constexpr uint64_t alignment = 4096;
constexpr uint64_t guard_bytes = 4096;
constexpr std::byte guard{0xa5};
constexpr std::byte poison{0xff};        // NaN in every float
constexpr uint64_t counter_bytes = 4096; // of a workspace: zero before each launch (codegen/kernel_source.h)

// All operands of a kernel in one arena, a guard behind each.
class Arena {
  public:
    void add(std::vector<std::byte> content) {
        offsets_.push_back(bytes_.size());
        sizes_.push_back(content.size());
        bytes_.insert(bytes_.end(), content.begin(), content.end());
        bytes_.insert(bytes_.end(), guard_bytes, guard);
        bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment, guard);
    }
    size_t count() const { return offsets_.size(); }
    uint64_t offset(size_t i) const { return offsets_[i]; }
    std::span<std::byte> bytes() { return bytes_; }
    std::span<const std::byte> operand(size_t i) const {
        return std::span(bytes_).subspan(offsets_[i], sizes_[i]);
    }
    bool intact(size_t i) const {
        const auto behind = std::span(bytes_).subspan(offsets_[i] + sizes_[i], guard_bytes);
        return std::ranges::all_of(behind, [](std::byte b) { return b == guard; });
    }

  private:
    std::vector<std::byte> bytes_;
    std::vector<uint64_t> offsets_, sizes_;
};

std::vector<std::byte> workspace(uint64_t bytes) {
    std::vector<std::byte> content(bytes, poison);
    std::fill_n(content.begin(), std::min(bytes, counter_bytes), std::byte{0});
    return content;
}

std::vector<ir::Tensor> run(runtime::Device& device, const codegen::Target& target,
                            const codegen::CompiledKernel& kernel, const codegen::KernelSource& source,
                            const ir::Graph& body, const codegen::KernelRun& how) {
    const std::string where = fmt::format("kernel {}", kernel.name);
    std::vector<int32_t> dims;
    for (const ir::Symbol& s : body.symbols)
        dims.push_back(static_cast<int32_t>(how.symbols.at(s.name)));
    Arena arena;
    for (size_t i = 0; i < body.params.size(); ++i)
        arena.add(codegen::memory_form(body.type(body.params[i]), how.inputs[i], body.symbols, target));
    for (const ir::ValueId v : body.results)
        arena.add(std::vector<std::byte>(ir::max_bytes(body.type(v), body.symbols), poison));
    if (source.workspace_bytes > 0) arena.add(workspace(source.workspace_bytes));

    const auto* const code = reinterpret_cast<const std::byte*>(kernel.object.data());
    const auto module = device.load_code({code, kernel.object.size()}, where);
    const auto memory = device.allocate(runtime::Pool::io, arena.bytes().size());
    runtime::LaunchSpec launch{.module = module.get(), .symbol = kernel.symbol, .name = kernel.name};
    for (size_t i = 0; i < arena.count(); ++i)
        launch.operands.push_back({.pool = runtime::Pool::io, .offset = arena.offset(i)});
    launch.geometry = source.geometry;
    runtime::ProgramSpec program{.name = where, .dims = dims.size()};
    program.launches.push_back(std::move(launch));
    program.arenas[static_cast<size_t>(runtime::Pool::io)] = memory.get();
    {
        const auto queue = device.open_queue({.threads = how.threads});
        const auto list = queue->prepare(program);
        queue->write(*memory, 0, arena.bytes());
        queue->run(*list, dims);
        queue->read(*memory, 0, arena.bytes());
    }
    for (size_t i = 0; i < arena.count(); ++i)
        if (!arena.intact(i)) throw ir::Error(where, fmt::format("it wrote past the end of operand {}", i));
    if (source.workspace_bytes > 0) {
        const auto counters =
            arena.operand(arena.count() - 1).first(std::min<uint64_t>(source.workspace_bytes, counter_bytes));
        if (!std::ranges::all_of(counters, [](std::byte b) { return b == std::byte{0}; }))
            throw ir::Error(where, "it left counters in its workspace that are not zero");
    }
    std::vector<ir::Tensor> results;
    const std::vector<size_t> places = codegen::memory_of_results(body);
    for (size_t i = 0; i < body.results.size(); ++i) {
        const ir::Type& type = body.type(body.results[i]);
        results.push_back(codegen::logical_form(type, codegen::dims_of(type, dims), arena.operand(places[i]),
                                                body.symbols, target));
    }
    return results;
}

} // namespace

codegen::RunKernel kernel_runner(std::shared_ptr<runtime::Device> device, const codegen::Target& target) {
    return [device = std::move(device), target](const codegen::CompiledKernel& kernel,
                                                const codegen::KernelSource& source, const ir::Graph& body,
                                                const codegen::KernelRun& how) {
        return run(*device, target, kernel, source, body, how);
    };
}

} // namespace ingot::tools
