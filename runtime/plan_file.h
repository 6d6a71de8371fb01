// A plan file, opened and checked. What open() accepts, a session can run without meeting a surprise.
#pragma once

#include "runtime/plan_header.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace ingot::plan {
struct Plan;
}

namespace ingot::runtime {

struct Vocabulary;

// Immutable after open(), so one PlanFile serves any number of sessions in any number of threads.
// The description and the code are held in memory, not mapped: what was checked is what is used, whatever
// happens to the file. The weights stay in the file; devices read them into their own memory.
class PlanFile {
  public:
    // Reads and checks everything but the weights' contents: header, version, digest, and all of
    // check_description (plan_check.h). Throws Error: io (can't be read), bad_file (not a plan, damaged,
    // truncated), version.
    static std::shared_ptr<const PlanFile> open(const std::filesystem::path& path);

    PlanFile(const PlanFile&) = delete;
    PlanFile& operator=(const PlanFile&) = delete;
    ~PlanFile();

    const std::filesystem::path& path() const { return path_; }
    const plan::Plan& description() const { return *description_; }
    const PlanHeader& header() const { return header_; }
    std::span<const std::byte> code() const { return code_; }
    // The code object of one kernel; `kernel` < description().kernels()->size().
    std::span<const std::byte> code_of(std::size_t kernel) const;
    // The open file, for reading the weights segment. Valid while this object lives.
    int descriptor() const { return descriptor_; }

    // Reads all weights and compares their checksum. Not part of open(), because it costs a pass over the
    // file. Throws Error bad_file or io.
    void verify_weights() const;

  private:
    PlanFile() = default;

    std::filesystem::path path_;
    int descriptor_ = -1;
    PlanHeader header_;
    std::byte* memory_ = nullptr; // the file up to the end of the code, page aligned
    std::size_t memory_bytes_ = 0;
    std::span<const std::byte> code_;
    const plan::Plan* description_ = nullptr;
};

// The plan's vocabulary. Its texts point into the plan, which it keeps alive. Model none where the plan has
// none. Throws Error bad_file where the vocabulary contradicts itself (validate in text/vocabulary.h).
Vocabulary vocabulary_of(const std::shared_ptr<const PlanFile>& plan);

} // namespace ingot::runtime
