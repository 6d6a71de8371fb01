// How a command ends: exit codes, the one line that says why, and output that can fail.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace ingot::tools {

enum class ExitCode : int {
    ok = 0,
    failed = 1,    // the input was good, and still it did not work: no memory, disk full, compiler missing
    bad_input = 2, // bad usage, or a file that can't be used
};

// A fault that a command finds itself; what() is "where: message".
class Failure : public std::runtime_error {
  public:
    Failure(ExitCode code, const std::string& where, const std::string& message)
        : std::runtime_error(where.empty() ? message : where + ": " + message), code_(code) {}
    ExitCode code() const { return code_; }

  private:
    ExitCode code_;
};

// "ingot: error: TEXT" on stderr, one line whatever the text holds.
void print_error(std::string_view text);
// "ingot: TEXT" on stderr.
void print_note(std::string_view text);

// Writes to stdout; a fault shows in finish_output.
void print_result(std::string_view text);
// The same as indented JSON; bytes that aren't UTF-8 become U+FFFD.
void print_json(const nlohmann::json& value);
// Flushes stdout; throws Failure{failed} where anything of it was lost.
void finish_output();

// Runs `action` and turns what it throws into an error line and an exit code: ir::Error is bad input;
// runtime::Error is bad input or a failure by its code; anything else is a failure.
ExitCode guarded(const std::function<void()>& action);

} // namespace ingot::tools
