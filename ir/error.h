// The one error of the compile side: the user's input cannot be used.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace ingot::ir {

// Thrown by frontend, ir, passes and codegen when *input* (a GGUF, IR text, an option) is at fault. A bug of
// ours is an assertion instead. `where()` names the file, tensor, key, line or node; `what()` is
// "where: message", one line, and says what to do where something can be done.
class Error : public std::runtime_error {
  public:
    Error(std::string where, const std::string& message)
        : std::runtime_error(where.empty() ? message : where + ": " + message), where_(std::move(where)),
          message_(message) {}
    const std::string& where() const { return where_; }
    const std::string& message() const { return message_; } // what() without where()

  private:
    std::string where_;
    std::string message_;
};

} // namespace ingot::ir
