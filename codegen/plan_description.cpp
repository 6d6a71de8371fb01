#include "codegen/plan_description.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/print.h"
#include "plan_generated.h"
#include "runtime/host_abi.h"
#include "runtime/plan_version.h"

namespace ingot::codegen {

using namespace ir;

namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

plan::Pool pool_of(Pool p) {
    switch (p) {
    case Pool::weights:
        return plan::Pool::weights;
    case Pool::state:
        return plan::Pool::state;
    case Pool::io:
        return plan::Pool::io;
    case Pool::transient:
        break;
    }
    return plan::Pool::transient;
}

plan::BufferRef buffer_of(const Place& place) {
    return {pool_of(place.pool), place.offset, place.bytes};
}

// "blk.0.attn_q+attn_k" is a node; its kernel serves all layers.
std::string without_layer(std::string_view name) {
    if (!name.starts_with("blk.")) return std::string(name);
    const size_t dot = name.find('.', 4);
    return std::string(dot == name.npos ? name : name.substr(dot + 1));
}

std::vector<std::byte> join_objects(const CompiledKernels& kernels, std::vector<uint64_t>& offsets) {
    std::vector<std::byte> code;
    for (const CompiledKernel& k : kernels.kernels) {
        code.resize((code.size() + 63) / 64 * 64);
        offsets.push_back(code.size());
        const auto* bytes = reinterpret_cast<const std::byte*>(k.object.data());
        code.insert(code.end(), bytes, bytes + k.object.size());
    }
    return code;
}

class Description {
  public:
    Description(const BuildInput& input, const BuildOptions& options, const CompiledKernels& kernels,
                const ArenaLayout& layout)
        : input_(input), options_(options), kernels_(kernels), layout_(layout) {}

    std::vector<std::byte> write(const Target& target, std::span<const uint64_t> code_offsets) {
        const auto kernels = kernel_list(code_offsets);
        std::vector<Offset<plan::Program>> programs;
        for (const ProgramInput& p : input_.programs)
            programs.push_back(program(p));
        const auto program_list = b_.CreateVector(programs);
        const auto cache = cache_table();
        const auto vocabulary = vocabulary_table();
        const auto tensors = tensor_list();
        const auto external = external_list();
        const ModelDescription& m = input_.model;
        const auto name = b_.CreateString(m.name), architecture = b_.CreateString(m.architecture),
                   sha256 = b_.CreateString(m.sha256), path = b_.CreateString(m.path),
                   target_name = b_.CreateString(target.name.data(), target.name.size()),
                   precision = b_.CreateString(options_.precision),
                   compiler = b_.CreateString(fmt::format("{}, {}", options_.producer, kernels_.compiler));
        plan::PlanBuilder out(b_);
        out.add_format_major(runtime::format_major);
        out.add_format_minor(runtime::format_minor);
        out.add_model_name(name);
        out.add_architecture(architecture);
        out.add_model_sha256(sha256);
        out.add_model_path(path);
        out.add_model_bytes(m.file.size());
        out.add_target(target_name);
        out.add_precision(precision);
        out.add_compiler(compiler);
        out.add_abi(target.is_gpu() ? runtime::gpu_abi_version : ingot_host::abi_version);
        out.add_context(m.context);
        out.add_training_context(m.training_context);
        out.add_embedding(m.embedding);
        out.add_layers(m.layers);
        out.add_vocabulary_size(m.vocabulary_size);
        out.add_kernels(kernels);
        out.add_programs(program_list);
        if (!cache.IsNull()) out.add_cache(cache);
        if (!vocabulary.IsNull()) out.add_vocabulary(vocabulary);
        out.add_tensors(tensors);
        if (!external.IsNull()) out.add_external(external);
        out.add_weights_bytes(layout_.weights().bytes());
        out.add_state_bytes(layout_.state_bytes());
        out.add_transient_bytes(layout_.transient_bytes());
        out.add_io_bytes(layout_.io_bytes());
        out.add_weight_elements(weight_elements());
        b_.Finish(out.Finish(), plan::PlanIdentifier());
        const auto* bytes = reinterpret_cast<const std::byte*>(b_.GetBufferPointer());
        return {bytes, bytes + b_.GetSize()};
    }

  private:
    Offset<flatbuffers::Vector<Offset<plan::Kernel>>> kernel_list(std::span<const uint64_t> code_offsets) {
        std::vector<Offset<plan::Kernel>> list;
        for (size_t i = 0; i < kernels_.kernels.size(); ++i) {
            const CompiledKernel& k = kernels_.kernels[i];
            const KernelResources& r = k.resources;
            const auto resources =
                plan::CreateKernelResources(b_, r.registers, r.scratch, r.group_memory, r.scalar_registers,
                                            r.spills, r.group_threads, r.argument_bytes);
            list.push_back(plan::CreateKernel(
                b_, b_.CreateString(without_layer(k.name)), b_.CreateString(k.symbol), b_.CreateString(k.key),
                b_.CreateString(kernels_.compiler), code_offsets[i], k.object.size(),
                static_cast<uint32_t>(k.source_bytes), resources));
        }
        return b_.CreateVector(list);
    }

    Offset<plan::Launch> launch(const Graph& g, const Node& n, size_t spec, size_t index) {
        const KernelSource& source = kernels_.source_of[spec];
        std::vector<plan::BufferRef> operands;
        for (const ValueId v : n.operands)
            operands.push_back(buffer_of(layout_.place_of(g, v)));
        for (const ValueId v : n.results)
            operands.push_back(buffer_of(layout_.place_of(g, v)));
        if (source.workspace_bytes > 0)
            operands.emplace_back(plan::Pool::state, layout_.workspace_offset(index), source.workspace_bytes);
        std::vector<plan::WeightShare> weights;
        uint64_t bytes = 0;
        for (const StreamedWeights& w : source.weights) {
            weights.emplace_back(layout_.place_of(g, n.operands[w.operand]).offset + w.offset, w.units,
                                 w.unit_bytes);
            bytes += w.units * w.unit_bytes;
        }
        const auto operand_list = b_.CreateVectorOfStructs(operands);
        const auto weight_list = b_.CreateVectorOfStructs(weights);
        return plan::CreateLaunch(b_, static_cast<uint32_t>(kernels_.kernel_of[spec]),
                                  b_.CreateString(n.name), operand_list, weight_list, bytes,
                                  geometry(source.geometry));
    }

    Offset<plan::Geometry> geometry(const std::optional<runtime::LaunchGeometry>& g) {
        if (!g) return {};
        std::vector<plan::GridDim> grid;
        for (const runtime::GridDim& d : g->grid)
            grid.emplace_back(d.count, d.symbol, d.divisor);
        return plan::CreateGeometry(b_, g->threads, g->shared_bytes, g->groups_per_unit,
                                    b_.CreateVectorOfStructs(grid));
    }

    Offset<plan::Binding> binding(const Graph& g, ValueId v) {
        std::vector<int32_t> dims;
        for (const Dim d : g.type(v).dims)
            dims.push_back(d.is_symbol() ? -1 - static_cast<int32_t>(d.symbol_index())
                                         : static_cast<int32_t>(d.constant()));
        const plan::BufferRef buffer = buffer_of(layout_.place_of(g, v));
        const std::string_view element = info(g.type(v).element).text;
        const auto name = b_.CreateString(g.values[v].name),
                   element_name = b_.CreateString(element.data(), element.size());
        return plan::CreateBinding(b_, name, element_name, b_.CreateVector(dims), &buffer);
    }

    Offset<plan::Program> program(const ProgramInput& p) {
        const Graph& g = *p.graph;
        std::vector<Offset<plan::Symbol>> symbols;
        for (const Symbol& s : g.symbols)
            symbols.push_back(plan::CreateSymbol(b_, b_.CreateString(s.name), static_cast<int32_t>(s.min),
                                                 static_cast<int32_t>(s.max)));
        std::vector<Offset<plan::Launch>> launches;
        std::vector<std::string> keys;
        for (const Node& n : g.nodes) {
            if (n.op != Op::fused) continue;
            keys.push_back(kernels_.kernels[kernels_.kernel_of[next_spec_]].key);
            launches.push_back(launch(g, n, next_spec_++, launches.size()));
        }
        std::vector<Offset<plan::Binding>> bindings;
        for (const ValueId v : g.params)
            if (g.type(v).pool == Pool::io) bindings.push_back(binding(g, v));
        for (const ValueId v : g.results)
            if (g.type(v).pool == Pool::io) bindings.push_back(binding(g, v));
        const bool has_cache = std::any_of(g.params.begin(), g.params.end(),
                                           [&](ValueId v) { return g.type(v).pool == Pool::state; });
        const auto name = b_.CreateString(g.name), ir = b_.CreateString(print(lower(g, keys)));
        const auto symbol_list = b_.CreateVector(symbols);
        const auto launch_list = b_.CreateVector(launches);
        const auto binding_list = b_.CreateVector(bindings);
        return plan::CreateProgram(b_, name, symbol_list, launch_list, binding_list,
                                   has_cache ? input_.model.layers : 0, ir, p.peak_transient,
                                   p.lower_bound_transient);
    }

    Offset<plan::Cache> cache_table() {
        const CacheLayout& c = layout_.cache();
        if (c.planes.empty()) return {};
        std::vector<plan::CachePlane> planes;
        for (const CacheLayout::Plane& p : c.planes)
            planes.emplace_back(p.offset, p.page_bytes);
        return plan::CreateCache(b_, c.page_positions, c.pages, c.max_sequences, c.max_pages_per_sequence,
                                 c.bytes_per_page, b_.CreateVectorOfStructs(planes));
    }

    Offset<flatbuffers::Vector<Offset<flatbuffers::String>>>
    strings(std::span<const std::string_view> texts) {
        std::vector<Offset<flatbuffers::String>> list;
        list.reserve(texts.size());
        for (const std::string_view t : texts)
            list.push_back(b_.CreateString(t.data(), t.size()));
        return b_.CreateVector(list);
    }

    Offset<plan::Vocabulary> vocabulary_table() {
        if (input_.vocabulary == nullptr) return {};
        const runtime::Vocabulary& v = *input_.vocabulary;
        const char* const model = v.model == runtime::Vocabulary::Model::bpe   ? "bpe"
                                  : v.model == runtime::Vocabulary::Model::spm ? "spm"
                                                                               : "none";
        std::vector<int32_t> types;
        for (const runtime::TokenType t : v.types)
            types.push_back(static_cast<int32_t>(t));
        const auto model_name = b_.CreateString(model), pre = b_.CreateString(v.pre);
        const auto tokens = strings(v.tokens);
        const auto scores = b_.CreateVector(v.scores);
        const auto type_list = b_.CreateVector(types);
        const auto merges = strings(v.merges);
        const auto chat_template = b_.CreateString(v.chat_template);
        return plan::CreateVocabulary(b_, model_name, pre, tokens, scores, type_list, merges, v.bos, v.eos,
                                      v.unk, v.pad, v.eot, runtime::adds_bos(v), runtime::adds_eos(v),
                                      runtime::adds_space_prefix(v), chat_template);
    }

    Offset<flatbuffers::Vector<Offset<plan::Tensor>>> tensor_list() {
        std::vector<Offset<plan::Tensor>> list;
        for (const WeightPiece& p : layout_.weights().pieces())
            list.push_back(plan::CreateTensor(b_, b_.CreateString(p.name), text_of(info(p.element).text),
                                              text_of(text(p.layout)), p.rows, p.cols, p.offset, p.bytes));
        return b_.CreateVector(list);
    }

    Offset<flatbuffers::Vector<Offset<plan::ExternalPiece>>> external_list() {
        if (!options_.external_weights) return {};
        std::vector<Offset<plan::ExternalPiece>> list;
        for (const WeightPiece& p : layout_.weights().pieces())
            list.push_back(external_piece(p));
        return b_.CreateVector(list);
    }

    Offset<plan::ExternalPiece> external_piece(const WeightPiece& p) {
        std::vector<Offset<plan::ExternalSource>> sources;
        Offset<flatbuffers::Vector<uint8_t>> data;
        if (std::count(p.tensors.begin(), p.tensors.end(), "") > 0) {
            // No file holds a constant, so the plan does.
            std::vector<std::byte> bytes(p.bytes);
            runtime::pack_units(p.job(), 0, p.size.units, bytes);
            data = b_.CreateVector(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
        } else {
            for (size_t i = 0; i < p.sources.size(); ++i)
                sources.push_back(external_source(p, i));
        }
        const auto layout = text_of(text(p.layout));
        return plan::CreateExternalPiece(b_, p.offset, p.bytes, layout, b_.CreateVector(sources), data);
    }

    Offset<plan::ExternalSource> external_source(const WeightPiece& p, size_t i) {
        const std::span<const std::byte> data = p.sources[i].data, file = input_.model.file;
        if (data.data() < file.data() || data.data() + data.size() > file.data() + file.size())
            throw Error(fmt::format("weight {}", p.tensors[i]), "it does not lie in the model file");
        const auto tensor = b_.CreateString(p.tensors[i]), element = text_of(info(p.element).text);
        return plan::CreateExternalSource(b_, tensor, element,
                                          static_cast<uint64_t>(data.data() - file.data()), data.size(),
                                          p.sources[i].rows, p.cols);
    }

    Offset<flatbuffers::String> text_of(std::string_view t) { return b_.CreateString(t.data(), t.size()); }

    uint64_t weight_elements() const {
        uint64_t count = 0;
        for (const WeightPiece& p : layout_.weights().pieces())
            count += p.rows * p.cols;
        return count;
    }

    const BuildInput& input_;
    const BuildOptions& options_;
    const CompiledKernels& kernels_;
    const ArenaLayout& layout_;
    FlatBufferBuilder b_{1 << 20};
    size_t next_spec_ = 0;
};

} // namespace

PlanText describe_plan(const BuildInput& input, const BuildOptions& options, const Target& target,
                       const CompiledKernels& kernels, const ArenaLayout& layout) {
    PlanText out;
    std::vector<uint64_t> offsets;
    out.code = join_objects(kernels, offsets);
    out.description = Description(input, options, kernels, layout).write(target, offsets);
    return out;
}

} // namespace ingot::codegen
