#include "tests/standin/state.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace ingot::standin {
namespace {

bool number(std::string_view text, auto& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
}

bool set(Settings& s, std::string_view key, std::string_view value) {
    if (key == "arch" || key == "named") {
        (key == "arch" ? s.arch : s.named) = value;
        return true;
    }
    if (key == "memory") return number(value, s.memory);
    const std::map<std::string_view, int*> numbers = {{"devices", &s.devices},
                                                      {"version", &s.version},
                                                      {"wave", &s.wave},
                                                      {"threads", &s.threads},
                                                      {"shared", &s.shared},
                                                      {"kernel_threads", &s.kernel_threads},
                                                      {"kernel_shared", &s.kernel_shared}};
    const auto found = numbers.find(key);
    return found != numbers.end() && number(value, *found->second);
}

bool takes_memory(std::string_view call) {
    return call == "mem_alloc" || call == "host_alloc";
}

// What ends without an answer that a caller could do something with.
bool gives_back(std::string_view call) {
    return call.ends_with("destroy") || call.ends_with("free") || call == "module_unload" ||
           call == "context_release";
}

} // namespace

bool State::configure(std::string_view text) {
    const std::lock_guard lock(mutex);
    settings = family_settings();
    misuse.clear();
    faults_.clear();
    calls_.clear();
    fault_at_ = lost_at_ = kernels_ = misuses_ = refused_ = all_calls_ = 0;
    broken_ = 0;
    std::istringstream words{std::string(text)};
    for (std::string word; words >> word;) {
        const std::size_t at = word.find('@'), equals = word.find('=');
        if (at == std::string::npos) {
            if (equals == std::string::npos || !set(settings, std::string_view(word).substr(0, equals),
                                                    std::string_view(word).substr(equals + 1)))
                return false;
            continue;
        }
        CallFault fault{.call = word.substr(0, at)};
        const bool has_code = equals != std::string::npos && equals > at;
        if (!number(std::string_view(word).substr(at + 1, has_code ? equals - at - 1 : std::string::npos),
                    fault.at))
            return false;
        if (has_code && !number(std::string_view(word).substr(equals + 1), fault.code)) return false;
        if (fault.call == "fault")
            fault_at_ = fault.at;
        else if (fault.call == "lost")
            lost_at_ = fault.at;
        else
            faults_.push_back(std::move(fault));
    }
    return true;
}

long State::count(std::string_view what) const {
    if (what == "calls") return all_calls_;
    if (what == "kernels") return kernels_;
    if (what == "misuse") return misuses_;
    if (what == "refused") return refused_;
    if (const auto found = calls_.find(what); found != calls_.end()) return found->second;
    long count = 0;
    for (const auto& [handle, kind] : live_)
        count += what == "live" || kind == what;
    return count;
}

std::string State::report() const {
    std::string out = "calls=" + std::to_string(all_calls_) + " kernels=" + std::to_string(kernels_) +
                      " live=" + std::to_string(count("live")) + " misuse=" + std::to_string(misuses_);
    for (const auto& [handle, kind] : live_)
        out += " " + kind;
    return out + (misuse.empty() ? "" : " " + misuse) + "\n";
}

int State::enter(const char* call) {
    const long nth = ++calls_[call], nth_of_all = ++all_calls_;
    if (lost_at_ > 0 && nth_of_all >= lost_at_) broken_ = unknown_error;
    // A handle is given back in any case, and nobody could do anything about an error then.
    if (gives_back(call)) return broken_;
    int error = broken_;
    for (const CallFault& f : faults_)
        if (error == 0 && (f.call == call ? f.at == nth : f.call == "any" && f.at == nth_of_all))
            error = f.code != 0 ? f.code : takes_memory(call) ? out_of_memory : unknown_error;
    refused_ += error != 0;
    return error;
}

int State::misused(const std::string& how) {
    if (misuses_++ == 0) misuse = how;
    return invalid_value;
}

bool State::is(const char* kind, const void* handle) const {
    const auto found = live_.find(handle);
    return found != live_.end() && found->second == kind;
}

bool State::remove(const char* kind, const void* handle) {
    if (!is(kind, handle)) return false;
    live_.erase(handle);
    if (const auto found = sizes_.find(handle); found != sizes_.end()) {
        if (std::string_view(kind) == "memory") in_use_ -= found->second;
        sizes_.erase(found);
    }
    return true;
}

void State::add_memory(const char* kind, const void* at, std::size_t bytes) {
    add(kind, at);
    sizes_[at] = bytes;
    if (std::string_view(kind) == "memory") in_use_ += bytes;
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
        if (broken_ != 0) break; // what follows a fault is not done
        broken_ = operation();
        refused_ += broken_ != 0;
    }
    return broken_;
}

int State::finish_all() {
    for (const auto& [handle, kind] : live_)
        if (kind == "stream") finish(*static_cast<Stream*>(const_cast<void*>(handle)));
    return broken_;
}

int State::run_kernel() {
    return ++kernels_ == fault_at_ ? launch_failed : 0;
}

namespace {

// Writes the report when the process ends.
struct Process {
    Process() {
        const char* const text = std::getenv("INGOT_STANDIN");
        if (!state.configure(text == nullptr ? "" : text)) {
            std::fprintf(stderr, "INGOT_STANDIN is not understood: %s\n", text);
            std::abort();
        }
    }
    ~Process() {
        const char* const path = std::getenv("INGOT_STANDIN_REPORT");
        std::FILE* const file = path == nullptr ? nullptr : std::fopen(path, "w");
        if (file == nullptr) return;
        std::fputs(state.report().c_str(), file);
        std::fclose(file);
    }
    State state;
};

} // namespace

State& state() {
    static Process process;
    return process.state;
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
