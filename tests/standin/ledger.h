// What a library of ours in a driver's place keeps of its calls: how many there were, which of them are to
// fail, and what was given out and not given back. Stand-ins (state.h) and interposers (interposer.h) have
// one.
#pragma once

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::standin {

// Error numbers that both families have.
inline constexpr int invalid_value = 1, out_of_memory = 2, no_device = 100, invalid_image = 200,
                     not_found = 500, launch_failed = 719, unknown_error = 999;

struct CallFault {
    std::string call;
    long at = 0;
    int code = 0; // 0: what fits the call
};

class Ledger {
  public:
    // Begins anew: no faults, no counts; what is out stays known.
    void clear();
    // A fault as control.h has them. False for a word that is none.
    bool add_fault(std::string_view word);
    long count(std::string_view what) const;
    // One line of NAME=COUNT, then the kinds of handles that are out and the first misuse.
    std::string report() const;

    // Begins a call: the error that it has to end in, or 0.
    int enter(const char* call);
    // Ends a call with an error, because a caller broke the driver's rules.
    int misused(const std::string& how);
    // Counts a kernel; whether it is the one that faults.
    bool kernel_faults();

    void add(const char* kind, const void* handle) { live_[handle] = kind; }
    bool is(const char* kind, const void* handle) const;
    // Counted as given back even where the device is lost. False: there is no such handle.
    bool remove(const char* kind, const void* handle);

    std::string misuse;

  protected:
    const std::map<const void*, std::string>& live() const { return live_; }
    // After an asynchronous fault, or a loss: what every call ends in; else 0.
    int broken() const { return broken_; }
    void break_down(int error);

  private:
    std::vector<CallFault> faults_;
    CallFault kernel_fault_, loss_;
    std::map<std::string, long, std::less<>> calls_;
    long all_calls_ = 0, kernels_ = 0, misuses_ = 0, refused_ = 0;
    long hit_ = 0; // which of all calls was the first that a fault was for
    int broken_ = 0;
    std::map<const void*, std::string> live_;
};

// False for a text that is not a number alone.
bool read_number(std::string_view text, auto& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size();
}

// Whether `take` takes each of the words, which are separated by blanks.
bool take_words(std::string_view text, const std::function<bool(std::string_view)>& take);

// A T that is configured by the text of one environment variable when it is made, and whose report goes to
// the file that another one names when the process ends.
template <class T>
class OfProcess {
  public:
    OfProcess(const char* text_variable, const char* report_variable) : report_variable_(report_variable) {
        const char* const text = std::getenv(text_variable);
        if (value.configure(text == nullptr ? "" : text)) return;
        std::fprintf(stderr, "%s is not understood: %s\n", text_variable, text);
        std::abort();
    }
    ~OfProcess() {
        const char* const path = std::getenv(report_variable_);
        std::FILE* const file = path == nullptr ? nullptr : std::fopen(path, "w");
        if (file == nullptr) return;
        std::fputs(value.report().c_str(), file);
        std::fclose(file);
    }
    OfProcess(const OfProcess&) = delete;
    OfProcess& operator=(const OfProcess&) = delete;
    T value;

  private:
    const char* report_variable_;
};

} // namespace ingot::standin
