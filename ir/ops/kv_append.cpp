#include <cstring>

#include <fmt/format.h>

#include "ir/float16.h"
#include "ir/ops/kv_cache.h"

namespace ingot::ir {
namespace {

Type result(const Rule& rule) {
    check_cache(rule, 0);
    rule.plain(1, Element::f32, 2);
    check_addresses(rule, 1, 2);
    const Type& cache = rule.operands[0];
    const int64_t heads = cache.dims[1].constant(), channels = cache.dims[3].constant();
    if (rule.columns(1) % heads != 0 || rule.columns(1) / heads != channels)
        rule.fail(
            fmt::format("x has {} columns, the cache {} heads of {}", rule.columns(1), heads, channels));
    return cache;
}

void store(Element element, double value, std::byte* data, size_t index) {
    const auto f = static_cast<float>(value);
    if (element == Element::f32) {
        std::memcpy(data + 4 * index, &f, 4);
        return;
    }
    const uint16_t half = element == Element::f16 ? f32_to_f16(f) : f32_to_bf16(f);
    std::memcpy(data + 2 * index, &half, 2);
}

Datum evaluate(Call& call) {
    const Numbers x = numbers_of(call.args[1]);
    const PageTable table(call, 2, call.args[0].dims);
    const int64_t heads = call.dims[1];
    const auto channels = static_cast<size_t>(call.dims[3]);
    Datum cache = std::move(call.args[0]); // the last reader of a cache changes it where it lies
    std::byte* data = cache.tensor.mutable_data().data();
    for (size_t t = 0; t < table.tokens(); ++t) {
        table.require(t, table.position(t));
        for (int64_t h = 0; h < heads; ++h) {
            const size_t to = table.element(t, table.position(t), h);
            const size_t from = (t * static_cast<size_t>(heads) + static_cast<size_t>(h)) * channels;
            for (size_t c = 0; c < channels; ++c)
                store(cache.tensor.element, (*x)[from + c], data, to + c);
        }
    }
    return cache;
}

} // namespace

extern constinit const StructuredOp kv_append_op{.result = result, .check = nullptr, .evaluate = evaluate};

} // namespace ingot::ir
