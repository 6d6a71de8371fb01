#include "runtime/plan_check.h"

#include "plan_generated.h"
#include "runtime/element_bytes.h"
#include "runtime/error.h"
#include "runtime/required.h"
#include "runtime/text/printable.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace ingot::runtime {
namespace {

// More than any machine's memory, and far from wrapping when a few of them are added.
constexpr std::uint64_t most_arena_bytes = std::uint64_t{1} << 46;
constexpr std::uint32_t most_depth = 16;
constexpr std::uint32_t most_tables = 1u << 20;
constexpr std::uint64_t buffer_alignment = 64;
constexpr std::uint32_t most_dims = 8;
constexpr std::uint32_t most_symbols = 16;

template <class T>
std::uint32_t count(const flatbuffers::Vector<T>* list) {
    return list == nullptr ? 0 : list->size();
}

std::string_view text(const flatbuffers::String* s) {
    return s == nullptr ? std::string_view() : std::string_view(s->data(), s->size());
}

// The parts of a description in its own order, each with the checks that belong to it.
class Checker {
  public:
    Checker(const plan::Plan& plan, const CheckedSizes& sizes, const std::string& where)
        : plan_(plan), sizes_(sizes), where_(where) {}

    void check_all() {
        check_arenas();
        check_kernels();
        for (const plan::Program* program : required(plan_.programs()))
            check_program(*program);
        check_shared_bindings();
        check_tensors();
        check_external();
        check_cache();
        check_vocabulary();
    }

  private:
    [[noreturn]] void fail(const std::string& part, const std::string& message) const {
        throw Error(Code::bad_file, where_, on_one_line(fmt::format("{}: {}", part, message)));
    }

    // FlatBuffers verifies where a vector lies, but not that its structs are aligned as their type asks.
    template <class T>
    void check_alignment(const std::string& part, const flatbuffers::Vector<const T*>* structs) const {
        if (count(structs) > 0 && reinterpret_cast<std::uintptr_t>(structs->Data()) % alignof(T) != 0)
            fail(part, fmt::format("its list is not {}-aligned", alignof(T)));
    }

    std::uint64_t arena_bytes(plan::Pool pool) const {
        switch (pool) {
        case plan::Pool::weights:
            return plan_.weights_bytes();
        case plan::Pool::state:
            return plan_.state_bytes();
        case plan::Pool::transient:
            return plan_.transient_bytes();
        case plan::Pool::io:
            return plan_.io_bytes();
        }
        return 0;
    }

    // A range inside an arena: written without sums, which could wrap.
    void check_range(const std::string& part, std::uint64_t offset, std::uint64_t bytes, std::uint64_t limit,
                     std::uint64_t alignment) const {
        if (offset % alignment != 0)
            fail(part, fmt::format("offset {} is not {}-aligned", offset, alignment));
        if (offset > limit || bytes > limit - offset) {
            fail(part, fmt::format("{} bytes at {} end past the {} bytes there are", bytes, offset, limit));
        }
    }

    void check_buffer(const std::string& part, const plan::BufferRef& buffer) const {
        const auto pool = static_cast<std::uint8_t>(buffer.pool());
        if (pool > static_cast<std::uint8_t>(plan::Pool::MAX))
            fail(part, fmt::format("no pool has the number {}", pool));
        check_range(part, buffer.offset(), buffer.bytes(), arena_bytes(buffer.pool()), buffer_alignment);
    }

    void check_arenas() const {
        const std::pair<const char*, std::uint64_t> arenas[] = {{"weights_bytes", plan_.weights_bytes()},
                                                                {"state_bytes", plan_.state_bytes()},
                                                                {"transient_bytes", plan_.transient_bytes()},
                                                                {"io_bytes", plan_.io_bytes()}};
        for (const auto& [name, bytes] : arenas) {
            if (bytes > most_arena_bytes) fail(name, fmt::format("{} is more than any machine has", bytes));
        }
        const bool external = count(plan_.external()) > 0;
        const std::uint64_t expected = external ? 0 : plan_.weights_bytes();
        if (sizes_.weights_bytes != expected) {
            fail("weights", fmt::format("the file holds {} bytes of weights and should hold {}",
                                        sizes_.weights_bytes, expected));
        }
    }

    void check_kernels() const {
        for (std::uint32_t i = 0; i < required(plan_.kernels()).size(); ++i) {
            const plan::Kernel& kernel = *required(plan_.kernels()).Get(i);
            const std::string part = fmt::format("kernel {} ({})", i, text(kernel.name()));
            if (kernel.code_bytes() == 0) fail(part, "has no code");
            if (required(kernel.symbol()).size() == 0) fail(part, "has no symbol");
            check_range(part, kernel.code_offset(), kernel.code_bytes(), sizes_.code_bytes, buffer_alignment);
        }
    }

    void check_symbols(const std::string& part, const plan::Program& program) const {
        if (required(program.symbols()).size() > most_symbols) fail(part, "has more than 16 symbols");
        std::set<std::string_view> names;
        for (const plan::Symbol* symbol : required(program.symbols())) {
            const std::string_view name = text(symbol->name());
            if (name.empty() || !names.insert(name).second) fail(part, "symbols without a name of their own");
            if (symbol->min() < 0 || symbol->max() < symbol->min()) {
                fail(part,
                     fmt::format("symbol {} has the bounds {} to {}", name, symbol->min(), symbol->max()));
            }
        }
    }

    void check_geometry(const std::string& part, const plan::Program& owner, const plan::Geometry& g) const {
        if (g.threads() == 0 || g.threads() > 1024) fail(part, "a workgroup has 1 to 1024 threads");
        if (g.shared_bytes() > 1 << 20) fail(part, "a workgroup has at most 1 MiB of shared memory");
        if (required(g.grid()).size() != 3) fail(part, "its grid has not three dimensions");
        for (const plan::GridDim* d : required(g.grid())) {
            if (d->divisor() == 0 || d->symbol() < -1 ||
                d->symbol() >= static_cast<std::int64_t>(required(owner.symbols()).size()))
                fail(part, "its grid is not of the program's symbols");
            const std::uint64_t most =
                d->symbol() < 0
                    ? 1
                    : static_cast<std::uint64_t>(
                          required(owner.symbols()).Get(static_cast<std::uint32_t>(d->symbol()))->max());
            const std::uint64_t groups = d->count() * ((most + d->divisor() - 1) / d->divisor());
            if (groups == 0 || groups > INT32_MAX) fail(part, "its grid is empty or too large");
        }
    }

    void check_launch(const std::string& program, const plan::Program& owner,
                      const plan::Launch& launch) const {
        const std::string part = fmt::format("{}, launch {}", program, text(launch.name()));
        if (launch.kernel() >= required(plan_.kernels()).size())
            fail(part, fmt::format("there is no kernel {}", launch.kernel()));
        if (launch.geometry() != nullptr) check_geometry(part, owner, *launch.geometry());
        check_alignment(part + ", operands", launch.operands());
        check_alignment(part + ", weight shares", launch.weights());
        for (std::uint32_t i = 0; i < required(launch.operands()).size(); ++i) {
            check_buffer(fmt::format("{}, operand {}", part, i), *required(launch.operands()).Get(i));
        }
        for (std::uint32_t i = 0; i < count(launch.weights()); ++i) {
            const plan::WeightShare& share = *launch.weights()->Get(i);
            std::uint64_t bytes = 0;
            if (__builtin_mul_overflow(share.units(), share.unit_bytes(), &bytes))
                fail(part, "weight share wraps");
            check_range(part + ", weight share", share.offset(), bytes, plan_.weights_bytes(), 1);
        }
    }

    void check_binding(const std::string& program, const plan::Program& owner, const plan::Binding& binding) {
        const std::string part = fmt::format("{}, binding {}", program, text(binding.name()));
        if (binding.buffer() == nullptr) fail(part, "has no buffer");
        check_buffer(part, required(binding.buffer()));
        if (required(binding.buffer()).pool() != plan::Pool::io) fail(part, "is not in the io arena");
        std::uint64_t bytes = element_bytes(text(binding.element()));
        if (bytes == 0) fail(part, fmt::format("has the element {}", text(binding.element())));
        if (required(binding.dims()).size() > most_dims) fail(part, "has more than 8 dimensions");
        for (const std::int32_t dim : required(binding.dims())) {
            std::int64_t size = dim;
            if (dim < 0) {
                const std::int64_t index = -1 - std::int64_t{dim};
                if (index >= required(owner.symbols()).size())
                    fail(part, fmt::format("there is no symbol {}", index));
                size = required(owner.symbols()).Get(static_cast<std::uint32_t>(index))->max();
            }
            if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes))
                fail(part, "its size wraps");
        }
        if (bytes > required(binding.buffer()).bytes()) {
            fail(part, fmt::format("needs {} bytes and has {}", bytes, required(binding.buffer()).bytes()));
        }
        bindings_.push_back(&binding);
    }

    void check_program(const plan::Program& program) {
        const std::string part = fmt::format("program {}", text(program.name()));
        if (!program_names_.insert(text(program.name())).second) fail(part, "there are two of it");
        check_symbols(part, program);
        for (const plan::Launch* launch : required(program.launches()))
            check_launch(part, program, *launch);
        std::set<std::string_view> names;
        for (const plan::Binding* binding : required(program.bindings())) {
            if (!names.insert(text(binding->name())).second) fail(part, "two bindings have one name");
            check_binding(part, program, *binding);
        }
    }

    // Programs hand values to each other and to the caller through bindings of one name.
    void check_shared_bindings() const {
        struct Shared {
            std::uint64_t offset = 0;
            std::uint64_t bytes = 0;
            std::string_view element;
        };
        std::map<std::string_view, Shared> by_name;
        for (const plan::Binding* binding : bindings_) {
            const std::string_view name = text(binding->name());
            const plan::BufferRef& buffer = required(binding->buffer());
            const auto [at, is_new] =
                by_name.try_emplace(name, Shared{buffer.offset(), buffer.bytes(), text(binding->element())});
            if (is_new) continue;
            if (at->second.offset != buffer.offset() || at->second.element != text(binding->element())) {
                fail(fmt::format("binding {}", name), "the programs disagree about where or what it is");
            }
            at->second.bytes = std::max(at->second.bytes, buffer.bytes());
        }
        std::vector<std::pair<std::string_view, Shared>> ordered(by_name.begin(), by_name.end());
        std::sort(ordered.begin(), ordered.end(),
                  [](const auto& a, const auto& b) { return a.second.offset < b.second.offset; });
        for (std::size_t i = 1; i < ordered.size(); ++i) {
            const auto& [before, range] = ordered[i - 1];
            if (range.offset + range.bytes > ordered[i].second.offset) {
                fail(fmt::format("binding {}", ordered[i].first), fmt::format("overlaps {}", before));
            }
        }
    }

    void check_tensors() const {
        for (const plan::Tensor* tensor : required(plan_.tensors())) {
            check_range(fmt::format("tensor {}", text(tensor->name())), tensor->offset(), tensor->bytes(),
                        plan_.weights_bytes(), buffer_alignment);
        }
    }

    void check_external() const {
        if (plan_.external() != nullptr && plan_.model_path() == nullptr)
            fail("external weights", "there is no path of the model that they are in");
        for (std::uint32_t i = 0; i < count(plan_.external()); ++i) {
            const plan::ExternalPiece& piece = *plan_.external()->Get(i);
            const std::string part = fmt::format("external piece {}", i);
            check_range(part, piece.offset(), piece.bytes(), plan_.weights_bytes(), buffer_alignment);
            if (required(piece.sources()).size() == 0 && count(piece.data()) != piece.bytes()) {
                fail(part, "has no source, and its data is not all of it");
            }
            for (const plan::ExternalSource* source : required(piece.sources())) {
                check_range(fmt::format("{}, tensor {}", part, text(source->tensor())), source->file_offset(),
                            source->bytes(), plan_.model_bytes(), 1);
            }
        }
    }

    void check_planes(const plan::Cache& cache) const {
        check_alignment("cache planes", cache.planes());
        std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
        std::uint64_t page_sum = 0;
        for (const plan::CachePlane* plane : required(cache.planes())) {
            std::uint64_t bytes = 0;
            if (plane->page_bytes() < cache.page_positions() ||
                __builtin_mul_overflow(plane->page_bytes(), std::uint64_t{cache.pages()}, &bytes)) {
                fail("cache", fmt::format("a plane has pages of {} bytes", plane->page_bytes()));
            }
            check_range("cache plane", plane->offset(), bytes, plan_.state_bytes(), buffer_alignment);
            ranges.emplace_back(plane->offset(), plane->offset() + bytes);
            page_sum += plane->page_bytes();
        }
        std::sort(ranges.begin(), ranges.end());
        for (std::size_t i = 1; i < ranges.size(); ++i) {
            if (ranges[i - 1].second > ranges[i].first) fail("cache", "two planes overlap");
        }
        if (page_sum != cache.bytes_per_page()) {
            fail("cache", fmt::format("bytes_per_page is {} and the planes' pages have {}",
                                      cache.bytes_per_page(), page_sum));
        }
    }

    void check_cache() const {
        const plan::Cache* cache = plan_.cache();
        if (cache == nullptr) return;
        if (cache->pages() == 0 || cache->page_positions() == 0 || cache->max_sequences() == 0 ||
            cache->max_pages_per_sequence() == 0) {
            fail("cache", "a count is 0");
        }
        if (required(cache->planes()).size() == 0) fail("cache", "has no planes");
        check_planes(*cache);
        const std::uint64_t most_positions =
            std::uint64_t{cache->page_positions()} * cache->max_pages_per_sequence();
        if (plan_.context() == 0 || plan_.context() > most_positions) {
            fail("cache", fmt::format("a context of {} positions, and page tables for {}", plan_.context(),
                                      most_positions));
        }
        for (const plan::Binding* binding : bindings_) {
            if (text(binding->name()) != "pages") continue;
            const std::uint64_t bytes =
                std::uint64_t{4} * cache->max_sequences() * cache->max_pages_per_sequence();
            const bool fits = text(binding->element()) == "i32" && required(binding->dims()).size() == 2 &&
                              required(binding->dims()).Get(1) ==
                                  static_cast<std::int64_t>(cache->max_pages_per_sequence()) &&
                              required(binding->buffer()).bytes() >= bytes;
            if (!fits) fail("binding pages", "does not have the shape of the cache's page table");
        }
    }

    void check_vocabulary() const {
        const plan::Vocabulary* vocabulary = plan_.vocabulary();
        if (vocabulary == nullptr) return;
        const std::uint32_t tokens = count(vocabulary->tokens());
        for (const auto& [name, length] : {std::pair("scores", count(vocabulary->scores())),
                                           std::pair("types", count(vocabulary->types()))}) {
            if (length != 0 && length != tokens) {
                fail("vocabulary", fmt::format("{} {} for {} tokens", length, name, tokens));
            }
        }
    }

    const plan::Plan& plan_;
    const CheckedSizes& sizes_;
    const std::string& where_;
    std::set<std::string_view> program_names_;
    std::vector<const plan::Binding*> bindings_;
};

} // namespace

const plan::Plan& check_description(std::span<const std::byte> description, const CheckedSizes& sizes,
                                    const std::string& where) {
    const bool possible = description.size() >= 8 && description.size() < FLATBUFFERS_MAX_BUFFER_SIZE;
    if (!possible) throw Error(Code::bad_file, where, "the description has an impossible size");
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(description.data());
    flatbuffers::Verifier verifier(bytes, description.size(), most_depth, most_tables);
    if (!plan::VerifyPlanBuffer(verifier)) {
        throw Error(Code::bad_file, where, "the description is not a valid FlatBuffer of plan.fbs");
    }
    const plan::Plan& plan = *plan::GetPlan(bytes);
    Checker(plan, sizes, where).check_all();
    return plan;
}

} // namespace ingot::runtime
