// A shared library that is loaded at run time, because a user may not have it.
#pragma once

#include <string>
#include <vector>

namespace ingot::runtime {

// It stays in memory for ever: drivers have threads and exit handlers that must not outlive their code.
class Library {
  public:
    // The first of the names that loads, each by the loader's own search; none is no error here.
    explicit Library(const std::vector<std::string>& names);
    ~Library();
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    explicit operator bool() const { return handle_ != nullptr; }
    const std::string& name() const { return name_; } // the one that loaded
    // Why none loaded: the loader's words for the first that is there but broken, else which there are not.
    const std::string& reason() const { return reason_; }
    void* find(const char* symbol) const; // null where it has no such function

  private:
    void* handle_ = nullptr;
    std::string name_, reason_;
};

} // namespace ingot::runtime
