// Modules of a stand-in.
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace ingot::standin {

struct Launch {
    unsigned grid[3] = {1, 1, 1};
    unsigned threads = 1;
    unsigned shared_bytes = 0;
};

// A kernel of this machine: is given the addresses of its arguments.
using HostKernel = void (*)(void** arguments, const Launch& launch);

struct Kernel {
    std::string name;
    HostKernel run = nullptr; // null: of a GPU's code object
    std::string arguments;    // 'p': a pointer, 'i': 32 bits; known of kernels that run
};

class Code {
  public:
    // An image of an ELF file, whose size its own headers tell: of this machine, of AMD's or NVIDIA's GPUs.
    // Null for anything else.
    static std::unique_ptr<Code> load(const void* image);
    ~Code();
    Code(const Code&) = delete;
    Code& operator=(const Code&) = delete;

    // Null where there is no such kernel. A kernel that runs needs NAME_arguments beside it, a text.
    const Kernel* find(const std::string& name);

  private:
    Code() = default;

    void* object_ = nullptr;          // of this machine
    std::set<std::string> functions_; // of a GPU
    std::vector<std::unique_ptr<Kernel>> kernels_;
};

} // namespace ingot::standin
