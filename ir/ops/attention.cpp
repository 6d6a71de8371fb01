#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "ir/ops/kv_cache.h"

namespace ingot::ir {
namespace {

// K and V heads pair up; the channels of a value head may be another number than those of a key head.
Type result(const Rule& rule) {
    const Type& q = rule.plain(0, Element::f32, 2);
    check_cache(rule, 1);
    check_cache(rule, 2);
    for (size_t i = 0; i < 3; ++i)
        rule.same_dim(1, i, 2, i);
    check_addresses(rule, 0, 3);
    if (rule.has(6) && rule.operands[6].pool != Pool::state)
        rule.fail(rule.show(6) + "; it must be in state");
    const int64_t channels = rule.columns(1), kv_heads = rule.operands[1].dims[1].constant();
    if (rule.columns(0) % channels != 0 || rule.columns(0) / channels % kv_heads != 0)
        rule.fail(fmt::format("q has {} columns, not a multiple of {} heads of {}", rule.columns(0), kv_heads,
                              channels));
    return {.element = Element::f32, .dims = {q.dims[0], rule.columns(0) / channels * rule.columns(2)}};
}

// Dequantised from one place of a cache.
void read(const Tensor& cache, size_t element, std::vector<float>& out) {
    const size_t width = info(cache.element).block_bytes;
    dequantize(cache.element, cache.data.subspan(element * width, out.size() * width), out);
}

struct Head {
    size_t token;
    int64_t kv_head;
    const double* q;
    double* out;
};

void attend(const Head& head, const PageTable& table, const Tensor& keys, const Tensor& values,
            double scale) {
    std::vector<float> key(static_cast<size_t>(keys.dims[3])), value(static_cast<size_t>(values.dims[3]));
    const int64_t length = table.position(head.token) + 1;
    std::vector<double> scores(static_cast<size_t>(length));
    double largest = -std::numeric_limits<double>::infinity();
    for (int64_t p = 0; p < length; ++p) {
        read(keys, table.element(head.token, p, head.kv_head), key);
        double sum = 0.0;
        for (size_t c = 0; c < key.size(); ++c)
            sum += head.q[c] * key[c];
        scores[static_cast<size_t>(p)] = sum * scale;
        largest = std::fmax(largest, sum * scale);
    }
    double total = 0.0;
    for (double& s : scores)
        total += s = std::exp(s - largest);
    for (int64_t p = 0; p < length; ++p) {
        // K and V tables have the same pages, heads and positions, so only the channels differ.
        const size_t row = table.element(head.token, p, head.kv_head) / key.size();
        read(values, row * value.size(), value);
        const double share = scores[static_cast<size_t>(p)] / total;
        for (size_t c = 0; c < value.size(); ++c)
            head.out[c] += share * value[c];
    }
}

Datum evaluate(Call& call) {
    const Numbers q = numbers_of(call.args[0]);
    const Tensor &keys = call.args[1].tensor, &values = call.args[2].tensor;
    const PageTable table(call, 3, keys.dims);
    const double scale = float_attr(call.node, "scale");
    for (size_t t = 0; t < table.tokens(); ++t) {
        table.require(t, table.position(t));
        for (int64_t p = 0; p < table.position(t); ++p)
            table.require(t, p);
    }
    const auto key_channels = static_cast<size_t>(keys.dims[3]),
               value_channels = static_cast<size_t>(values.dims[3]);
    const size_t heads = static_cast<size_t>(call.args[0].dims[1]) / key_channels;
    const size_t group = heads / static_cast<size_t>(keys.dims[1]);
    std::vector<double> out(table.tokens() * heads * value_channels);
    in_parallel(table.tokens() * heads, table.longest() * (key_channels + value_channels),
                [&](size_t begin, size_t end) {
                    for (size_t i = begin; i < end; ++i)
                        attend({.token = i / heads,
                                .kv_head = static_cast<int64_t>(i % heads / group),
                                .q = q->data() + i * key_channels,
                                .out = out.data() + i * value_channels},
                               table, keys, values, scale);
                });
    return make_datum(call.dims, std::move(out));
}

} // namespace

extern constinit const StructuredOp attention_op{.result = result, .check = nullptr, .evaluate = evaluate};

} // namespace ingot::ir
