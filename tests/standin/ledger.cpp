#include "tests/standin/ledger.h"

#include <algorithm>

namespace ingot::standin {
namespace {

bool takes_memory(std::string_view call) {
    return call == "mem_alloc" || call == "host_alloc";
}

// What ends without an answer that a caller could do something with.
bool gives_back(std::string_view call) {
    return call.ends_with("destroy") || call.ends_with("free") || call == "module_unload" ||
           call == "context_release";
}

} // namespace

bool take_words(std::string_view text, const std::function<bool(std::string_view)>& take) {
    for (std::size_t at = 0; (at = text.find_first_not_of(' ', at)) != std::string_view::npos;) {
        const std::size_t end = std::min(text.find(' ', at), text.size());
        if (!take(text.substr(at, end - at))) return false;
        at = end;
    }
    return true;
}

void Ledger::clear() {
    misuse.clear();
    faults_.clear();
    kernel_fault_ = loss_ = {};
    calls_.clear();
    all_calls_ = kernels_ = misuses_ = refused_ = hit_ = 0;
    broken_ = 0;
}

bool Ledger::add_fault(std::string_view word) {
    const std::size_t at = word.find('@'), equals = word.find('=', at);
    if (at == std::string_view::npos) return false;
    CallFault fault{.call = std::string(word.substr(0, at))};
    if (!read_number(word.substr(at + 1, std::min(equals, word.size()) - at - 1), fault.at)) return false;
    if (equals != std::string_view::npos && !read_number(word.substr(equals + 1), fault.code)) return false;
    if (fault.call == "fault")
        kernel_fault_ = std::move(fault);
    else if (fault.call == "lost")
        loss_ = std::move(fault);
    else
        faults_.push_back(std::move(fault));
    return true;
}

long Ledger::count(std::string_view what) const {
    if (what == "calls") return all_calls_;
    if (what == "kernels") return kernels_;
    if (what == "misuse") return misuses_;
    if (what == "refused") return refused_;
    if (const auto found = calls_.find(what); found != calls_.end()) return found->second;
    return std::ranges::count_if(live_,
                                 [&](const auto& handle) { return what == "live" || handle.second == what; });
}

std::string Ledger::report() const {
    std::string out = "calls=" + std::to_string(all_calls_) + " kernels=" + std::to_string(kernels_) +
                      " hit=" + std::to_string(hit_) + " live=" + std::to_string(count("live")) +
                      " misuse=" + std::to_string(misuses_);
    for (const auto& [handle, kind] : live_)
        out += " " + kind;
    return out + (misuse.empty() ? "" : " " + misuse) + "\n";
}

int Ledger::enter(const char* call) {
    const long nth = ++calls_[call], nth_of_all = ++all_calls_;
    const auto hits = [&](const CallFault& f) {
        return f.call == call ? f.at == nth : f.call == "any" && f.at == nth_of_all;
    };
    const auto fault = std::ranges::find_if(faults_, hits);
    const bool now_lost = loss_.at == nth_of_all;
    if (now_lost) broken_ = loss_.code != 0 ? loss_.code : unknown_error;
    if (hit_ == 0 && (now_lost || fault != faults_.end())) hit_ = nth_of_all;
    int error = broken_;
    if (error == 0 && fault != faults_.end())
        error = fault->code != 0 ? fault->code : takes_memory(call) ? out_of_memory : unknown_error;
    refused_ += error != 0 && !gives_back(call); // nobody can do anything about an error then
    return error;
}

int Ledger::misused(const std::string& how) {
    if (misuses_++ == 0) misuse = how;
    return invalid_value;
}

bool Ledger::kernel_faults() {
    if (++kernels_ != kernel_fault_.at) return false;
    hit_ = all_calls_;
    return true;
}

bool Ledger::is(const char* kind, const void* handle) const {
    const auto found = live_.find(handle);
    return found != live_.end() && found->second == kind;
}

bool Ledger::remove(const char* kind, const void* handle) {
    return is(kind, handle) && live_.erase(handle) == 1;
}

void Ledger::break_down(int error) {
    broken_ = error;
    ++refused_;
}

} // namespace ingot::standin
