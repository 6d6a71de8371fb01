#include "tests/standin/state.h"

namespace ingot::standin {
namespace {

bool set(Settings& s, std::string_view key, std::string_view value) {
    if (key == "arch" || key == "named") {
        (key == "arch" ? s.arch : s.named) = value;
        return true;
    }
    if (key == "memory") return read_number(value, s.memory);
    const std::map<std::string_view, int*> numbers = {{"devices", &s.devices},
                                                      {"version", &s.version},
                                                      {"wave", &s.wave},
                                                      {"threads", &s.threads},
                                                      {"shared", &s.shared},
                                                      {"kernel_threads", &s.kernel_threads},
                                                      {"kernel_shared", &s.kernel_shared}};
    const auto found = numbers.find(key);
    return found != numbers.end() && read_number(value, *found->second);
}

} // namespace

bool State::configure(std::string_view text) {
    const std::lock_guard lock(mutex);
    settings = family_settings();
    clear();
    return take_words(text, [&](std::string_view word) {
        const std::size_t equals = word.find('=');
        if (word.find('@') != std::string_view::npos) return add_fault(word);
        return equals != std::string_view::npos &&
               set(settings, word.substr(0, equals), word.substr(equals + 1));
    });
}

void State::add_memory(const char* kind, const void* at, std::size_t bytes) {
    add(kind, at);
    sizes_[at] = bytes;
    if (std::string_view(kind) == "memory") in_use_ += bytes;
}

bool State::remove_memory(const char* kind, const void* at) {
    if (!remove(kind, at)) return false;
    if (std::string_view(kind) == "memory") in_use_ -= sizes_[at];
    sizes_.erase(at);
    return true;
}

bool State::holds(const char* kind, const void* at, std::size_t bytes) const {
    auto found = sizes_.upper_bound(at);
    if (found == sizes_.begin()) return false;
    --found;
    const auto offset =
        static_cast<std::size_t>(static_cast<const char*>(at) - static_cast<const char*>(found->first));
    return is(kind, found->first) && offset <= found->second && bytes <= found->second - offset;
}

void State::put(Stream& stream, Operation work) {
    (stream.capturing ? stream.captured : stream.pending).push_back(std::move(work));
}

int State::finish(Stream& stream) {
    std::vector<Operation> work;
    work.swap(stream.pending);
    for (const Operation& operation : work) {
        if (broken() != 0) break; // what follows a fault is not done
        if (const int error = operation()) break_down(error);
    }
    return broken();
}

int State::finish_all() {
    for (const auto& [handle, kind] : live())
        if (kind == "stream") finish(*static_cast<Stream*>(const_cast<void*>(handle)));
    return broken();
}

State& state() {
    static OfProcess<State> process("INGOT_STANDIN", "INGOT_STANDIN_REPORT");
    return process.value;
}

} // namespace ingot::standin

extern "C" {

bool standin_configure(const char* text) {
    return ingot::standin::state().configure(text);
}

long standin_count(const char* what) {
    auto& s = ingot::standin::state();
    const std::lock_guard lock(s.mutex);
    return s.count(what);
}

const char* standin_misuse() {
    return ingot::standin::state().misuse.c_str();
}
}
