// A library that is found and loaded at run time.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace ingot::codegen {

// Where a library may be: each name is tried by the loader's own search, then in each folder.
struct LibrarySearch {
    std::span<const std::string_view> names;   // the preferred one first
    std::span<const std::string_view> folders; // absolute
    std::string_view needs;  // a function that it must have; a library without is passed over
    std::string_view advice; // what to install: ends the error's message
};

// Stays loaded: compilers have threads and exit handlers that must not outlive their code.
class Library {
  public:
    // Throws ir::Error with the names that were tried, or why the library that is there can't be loaded.
    Library(std::string_view what, const LibrarySearch& search);

    // Null where there is no such symbol.
    void* find(const std::string& symbol) const;

  private:
    void* handle_ = nullptr;
};

} // namespace ingot::codegen
