#include "tools/inspect/model_summary.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/inspect/byte_text.h"

namespace ingot::tools {

namespace {

using frontend::gguf::File;
using frontend::gguf::TensorInfo;

struct Sum {
    size_t tensors = 0;
    uint64_t elements = 0, bytes = 0;
};

uint64_t elements_of(const TensorInfo& t) {
    return t.row_length() * t.rows();
}

// By element type, in the order of the names.
std::map<std::string, Sum> sums_of(const File& file) {
    std::map<std::string, Sum> sums;
    for (const TensorInfo& t : file.tensors()) {
        Sum& sum = sums[std::string(ir::info(t.element).gguf)];
        ++sum.tensors;
        sum.elements += elements_of(t);
        sum.bytes += t.bytes;
    }
    return sums;
}

bool runs(const TensorInfo& t) {
    return ir::info(t.element).runs;
}

} // namespace

std::string text_summary(const File& file, bool all_tensors) {
    std::string out =
        fmt::format("file      GGUF version {}, {}, data from byte {}, aligned to {}\n", file.version(),
                    byte_text(file.bytes().size()), file.data_offset(), file.alignment());
    out += fmt::format("metadata  {} keys\n", file.metadata().size());
    for (const auto& [key, value] : file.metadata())
        out += fmt::format("  {:<44} {:<6} {}\n", key, frontend::gguf::type_name(value.type),
                           frontend::gguf::to_text(value));
    out += fmt::format("tensors   {}\n", file.tensors().size());
    if (all_tensors)
        for (const TensorInfo& t : file.tensors())
            out += fmt::format("  {:<44} {:<6} {:<22} {}\n", t.name, ir::info(t.element).gguf,
                               frontend::gguf::dims_text(t.dims), byte_text(t.bytes));
    for (const auto& [type, sum] : sums_of(file))
        out += fmt::format("  {:<8} {:>5} tensors, {:>9.1f} M elements, {}\n", type, sum.tensors,
                           static_cast<double>(sum.elements) / 1e6, byte_text(sum.bytes));
    const auto foreign = std::ranges::find_if_not(file.tensors(), runs);
    if (foreign != file.tensors().end())
        out += fmt::format("This build can't run {}: {} is {}; it runs {}.\n", file.name(), foreign->name,
                           ir::info(foreign->element).gguf, frontend::gguf::runnable_types());
    return out;
}

nlohmann::json json_summary(const File& file) {
    nlohmann::json metadata = nlohmann::json::array(), tensors = nlohmann::json::array(),
                   types = nlohmann::json::object();
    for (const auto& [key, value] : file.metadata())
        metadata.push_back({{"key", key},
                            {"type", frontend::gguf::type_name(value.type)},
                            {"count", value.count},
                            {"value", frontend::gguf::to_text(value)}});
    for (const TensorInfo& t : file.tensors())
        tensors.push_back({{"name", t.name},
                           {"type", ir::info(t.element).gguf},
                           {"dims", t.dims},
                           {"offset", file.data_offset() + t.offset},
                           {"bytes", t.bytes},
                           {"runs", runs(t)}});
    for (const auto& [type, sum] : sums_of(file))
        types[type] = {{"tensors", sum.tensors}, {"elements", sum.elements}, {"bytes", sum.bytes}};
    return {{"kind", "gguf"},
            {"version", file.version()},
            {"bytes", file.bytes().size()},
            {"alignment", file.alignment()},
            {"data_offset", file.data_offset()},
            {"metadata", metadata},
            {"types", types},
            {"tensors", tensors}};
}

} // namespace ingot::tools
