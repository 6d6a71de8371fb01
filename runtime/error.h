// The one error of the run side.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace ingot::runtime {

// What went wrong, in the terms a caller can act on. The numbers are part of the C API (ingot.h).
enum class Code {
    invalid_argument = 1, // a call with values that its documentation excludes
    bad_file = 2,         // a plan or other file that is damaged or not of the kind expected
    version = 3,          // a plan of another format version
    target = 4,           // a plan for a machine that this is not
    out_of_memory = 5,    // host, device, KV pages or sequence slots
    device = 6,           // a device call failed or the device is lost
    io = 7,               // the operating system refused to read or write
    unsupported = 8,      // well-formed, but not something this build does, or a device that is not here
};

// Thrown for every fault that is not a bug of ours. `where()` names the file, tensor, kernel or call;
// `what()` is "where: message" on one line.
class Error : public std::runtime_error {
  public:
    Error(Code code, std::string where, const std::string& message)
        : std::runtime_error(where.empty() ? message : where + ": " + message), code_(code),
          where_(std::move(where)) {}
    Code code() const { return code_; }
    const std::string& where() const { return where_; }

  private:
    Code code_;
    std::string where_;
};

} // namespace ingot::runtime
