#include "codegen/templates.h"

#include <algorithm>
#include <cassert>
#include <map>

namespace ingot::codegen {

namespace {

const TemplateFile* find_template(std::string_view name) {
    const std::span files(template_files, template_file_count);
    const auto at =
        std::find_if(files.begin(), files.end(), [&](const TemplateFile& f) { return f.name == name; });
    return at == files.end() ? nullptr : &*at;
}

// The names in a text's #include lines.
std::vector<std::string_view> includes(std::string_view text) {
    std::vector<std::string_view> names;
    for (size_t at = 0; at < text.size();) {
        const size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = text.substr(at, end - at);
        at = end + 1;
        if (!line.starts_with("#include ")) continue;
        const size_t open = line.find_first_of("\"<"), close = line.find_first_of("\">", open + 1);
        if (open != line.npos && close != line.npos) names.push_back(line.substr(open + 1, close - open - 1));
    }
    return names;
}

// As the compiler looks a name up: beside the including file, then from the root.
const TemplateFile* resolve(std::string_view includer, std::string_view name) {
    if (const size_t slash = includer.rfind('/'); slash != includer.npos)
        if (const TemplateFile* f = find_template(std::string(includer.substr(0, slash + 1)).append(name)))
            return f;
    return find_template(name);
}

void collect(std::string_view includer, std::string_view text,
             std::map<std::string_view, const TemplateFile*>& out) {
    for (const std::string_view name : includes(text)) {
        const TemplateFile* file = resolve(includer, name);
        assert(file != nullptr && "templates include only each other");
        if (file != nullptr && out.try_emplace(file->name, file).second) collect(file->name, file->text, out);
    }
}

} // namespace

std::vector<SourceFile> headers_of(std::string_view source) {
    std::map<std::string_view, const TemplateFile*> found;
    collect("", source, found);
    std::vector<SourceFile> headers;
    for (const auto& [name, file] : found)
        headers.push_back({.name = std::string(name), .text = std::string(file->text)});
    return headers;
}

} // namespace ingot::codegen
