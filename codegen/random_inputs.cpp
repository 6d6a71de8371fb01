#include "codegen/random_inputs.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "ir/float16.h"

namespace ingot::codegen {

using namespace ir;

namespace {

// What an i32 param counts.
enum class Counts : uint8_t { nothing, rows, positions, sequences, pages };

struct Use {
    Counts counts = Counts::nothing;
    int64_t limit = 1; // ids are below it
    bool sums_of_squares = false;
};

// The paged cache that some of the params speak of.
struct Paging {
    int64_t sequences = 1, pages_per_sequence = 1, pages = 1, page = 1;
    int64_t usable() const { return std::min(pages_per_sequence, pages / sequences); }
};

int64_t size_of(const Graph& body, const std::map<std::string, int64_t, std::less<>>& symbols, Dim d) {
    return d.is_symbol() ? symbols.at(body.symbols[d.symbol_index()].name) : d.constant();
}

std::vector<float> normal(size_t count, std::mt19937_64& random, float size = 1) {
    std::normal_distribution<float> distribution(0, size);
    std::vector<float> values(count);
    for (float& v : values)
        v = distribution(random);
    return values;
}

class Inputs {
  public:
    Inputs(const Graph& body, const std::map<std::string, int64_t, std::less<>>& symbols,
           std::mt19937_64& random)
        : body_(body), symbols_(symbols), random_(random), uses_(body.values.size()) {
        for (const Node& n : body.nodes)
            note(n);
        choose_places();
    }

    Tensor make(ValueId v) {
        const Type& t = body_.type(v);
        std::vector<int64_t> dims;
        for (const Dim d : t.dims)
            dims.push_back(size_of(body_, symbols_, d));
        const auto count =
            static_cast<size_t>(std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>()));
        if (t.element == Element::i32) return Tensor::from_ints(dims, ids(uses_[v], count));
        if (t.pool == Pool::weights && t.dims.size() == 2)
            return random_weight(t.element, dims[0], dims[1], random_);
        if (t.element == Element::f32 || t.element == Element::q8a) {
            std::vector<float> values = normal(count, random_);
            if (uses_[v].sums_of_squares)
                for (float& x : values)
                    x *= x;
            return Tensor::from_floats(dims, values);
        }
        // A cache of two bytes an element.
        Tensor out = Tensor::zeros(t.element, dims);
        const std::vector<float> values = normal(count, random_);
        for (size_t i = 0; i < count; ++i) {
            const uint16_t half = t.element == Element::f16 ? f32_to_f16(values[i]) : f32_to_bf16(values[i]);
            std::memcpy(out.mutable_data().data() + 2 * i, &half, 2);
        }
        return out;
    }

  private:
    void note(const Node& n) {
        const auto rows = [&](ValueId of) { return size_of(body_, symbols_, body_.type(of).dims[0]); };
        if (n.op == Op::norm_scale) uses_[n.operands[0]].sums_of_squares = true;
        if (n.op == Op::embed) uses_[n.operands[0]] = {Counts::rows, rows(n.operands[1])};
        if (n.op == Op::gather_rows) uses_[n.operands[1]] = {Counts::rows, rows(n.operands[0])};
        if (n.op == Op::rope_angles && uses_[n.operands[0]].counts == Counts::nothing)
            uses_[n.operands[0]] = {Counts::rows, 4096};
        if (n.op != Op::kv_append && n.op != Op::attention) return;
        const size_t first = n.op == Op::kv_append ? 2 : 3;
        const Type& cache = body_.type(n.op == Op::kv_append ? n.operands[0] : n.operands[1]);
        const Type& table = body_.type(n.operands[first + 2]);
        uses_[n.operands[first]].counts = Counts::positions;
        uses_[n.operands[first + 1]].counts = Counts::sequences;
        uses_[n.operands[first + 2]].counts = Counts::pages;
        paging_ = {.sequences = size_of(body_, symbols_, table.dims[0]),
                   .pages_per_sequence = size_of(body_, symbols_, table.dims[1]),
                   .pages = size_of(body_, symbols_, cache.dims[0]),
                   .page = size_of(body_, symbols_, cache.dims[2])};
        tokens_ = rows(n.operands[first]);
    }

    // Tokens in runs, each run of one sequence at consecutive positions, as a step of several prompts has
    // them.
    void choose_places() {
        const int64_t room = std::max<int64_t>(1, paging_.usable() * paging_.page);
        int64_t sequence = 0;
        while (static_cast<int64_t>(positions_.size()) < tokens_) {
            const int64_t left = tokens_ - static_cast<int64_t>(positions_.size());
            // No sequence comes twice, so that no two tokens are appended to one place.
            const bool last = sequence + 1 == paging_.sequences;
            const int64_t wanted = last ? left : std::uniform_int_distribution<int64_t>(1, left)(random_);
            const int64_t length = std::min(wanted, room);
            const int64_t first = std::uniform_int_distribution<int64_t>(0, room - length)(random_);
            for (int64_t i = 0; i < length; ++i) {
                positions_.push_back(static_cast<int32_t>(first + i));
                seqs_.push_back(static_cast<int32_t>(sequence % paging_.sequences));
            }
            ++sequence;
        }
    }

    std::vector<int32_t> ids(const Use& use, size_t count) {
        if (use.counts == Counts::positions) return positions_;
        if (use.counts == Counts::sequences) return seqs_;
        std::vector<int32_t> out(count, 0);
        if (use.counts == Counts::pages) {
            std::vector<int32_t> all(static_cast<size_t>(paging_.pages));
            std::iota(all.begin(), all.end(), 0);
            std::shuffle(all.begin(), all.end(), random_);
            size_t next = 0;
            for (int64_t s = 0; s < paging_.sequences; ++s)
                for (int64_t m = 0; m < paging_.usable(); ++m)
                    out[static_cast<size_t>(s * paging_.pages_per_sequence + m)] = all[next++];
            return out;
        }
        std::uniform_int_distribution<int32_t> any(0, static_cast<int32_t>(use.limit - 1));
        for (int32_t& id : out)
            id = any(random_);
        return out;
    }

    const Graph& body_;
    const std::map<std::string, int64_t, std::less<>>& symbols_;
    std::mt19937_64& random_;
    std::vector<Use> uses_;
    Paging paging_;
    int64_t tokens_ = 0;
    std::vector<int32_t> positions_, seqs_;
};

} // namespace

Tensor random_weight(Element element, int64_t rows, int64_t cols, std::mt19937_64& random) {
    const float size = 1 / std::sqrt(static_cast<float>(cols));
    if (element == Element::f32)
        return Tensor::from_floats({rows, cols}, normal(static_cast<size_t>(rows * cols), random, size));
    Tensor t = Tensor::zeros(element, {rows, cols});
    const std::span<std::byte> bytes = t.mutable_data();
    if (!is_quantized(element)) {
        const std::vector<float> values = normal(static_cast<size_t>(rows * cols), random, size);
        for (size_t i = 0; i < values.size(); ++i) {
            const uint16_t half = element == Element::f16 ? f32_to_f16(values[i]) : f32_to_bf16(values[i]);
            std::memcpy(&bytes[2 * i], &half, 2);
        }
        return t;
    }
    for (size_t i = 0; i + 8 <= bytes.size(); i += 8) {
        const uint64_t word = random();
        std::memcpy(&bytes[i], &word, 8);
    }
    // Every block begins with its scale, then (in the _1 formats) its minimum.
    const bool minimum = element == Element::q4_1 || element == Element::q5_1;
    const float codes = element == Element::q8_0                               ? 128.0F
                        : element == Element::q4_0 || element == Element::q4_1 ? 8.0F
                                                                               : 16.0F;
    std::uniform_real_distribution<float> factor(0.5F, 1.5F);
    for (size_t i = 0; i < bytes.size(); i += info(element).block_bytes) {
        const float scale = factor(random) * size / codes;
        const uint16_t d = f32_to_f16(scale), m = f32_to_f16(-scale * codes * factor(random));
        std::memcpy(&bytes[i], &d, 2);
        if (minimum) std::memcpy(&bytes[i + 2], &m, 2);
    }
    return t;
}

std::vector<Tensor> random_inputs(const Graph& body,
                                  const std::map<std::string, int64_t, std::less<>>& symbols,
                                  std::mt19937_64& random) {
    Inputs inputs(body, symbols, random);
    std::vector<Tensor> out;
    for (const ValueId v : body.params)
        out.push_back(inputs.make(v));
    return out;
}

} // namespace ingot::codegen
