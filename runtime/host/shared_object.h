// Code objects of the host: ELF shared objects in memory.
#pragma once

#include "runtime/device.h"
#include "runtime/posix_file.h"

#include <cstddef>
#include <span>
#include <string>

namespace ingot::runtime {

class SharedObject final : public Module {
  public:
    // Loads the object under a file that has no name. Throws Error: bad_file (not an x86-64 shared object, or
    // one with symbols that nothing defines), device (the system refuses to load code from memory).
    SharedObject(std::span<const std::byte> object, const std::string& name);
    SharedObject(const SharedObject&) = delete;
    SharedObject& operator=(const SharedObject&) = delete;
    ~SharedObject() override;

    // Null where there is no such function.
    void* find(const std::string& symbol) const;

  private:
    // Stays open as long as the object is loaded: the loader takes two objects for one if their paths are
    // equal, and the path is made of the descriptor's number.
    Descriptor file_;
    void* handle_ = nullptr;
};

} // namespace ingot::runtime
