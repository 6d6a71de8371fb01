// A shared library that is loaded at run time, because a user may not have it.
#pragma once

#include <string>
#include <vector>

namespace ingot::runtime {

class Library {
  public:
    // The first of the names that loads; none is no error here.
    explicit Library(const std::vector<std::string>& names);
    ~Library();
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    explicit operator bool() const { return handle_ != nullptr; }
    // The loader's words for the last name that did not load.
    const std::string& reason() const { return reason_; }
    void* find(const char* symbol) const; // null where it has no such function

  private:
    void* handle_ = nullptr;
    std::string reason_;
};

} // namespace ingot::runtime
