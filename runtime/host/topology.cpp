#include "runtime/host/topology.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include <cpuid.h>
#include <hwloc.h>
#include <sched.h>

namespace ingot::runtime {
namespace {

using TopologyHandle = std::unique_ptr<hwloc_topology, decltype(&hwloc_topology_destroy)>;

TopologyHandle load_topology() {
    hwloc_topology_t raw = nullptr;
    if (hwloc_topology_init(&raw) != 0) return {nullptr, &hwloc_topology_destroy};
    TopologyHandle topology(raw, &hwloc_topology_destroy);
    // Only cores and memory nodes matter here; everything else takes time to discover.
    hwloc_topology_set_all_types_filter(raw, HWLOC_TYPE_FILTER_KEEP_NONE);
    hwloc_topology_set_type_filter(raw, HWLOC_OBJ_CORE, HWLOC_TYPE_FILTER_KEEP_ALL);
    if (hwloc_topology_load(raw) != 0) topology.reset();
    return topology;
}

bool may_use(const cpu_set_t& allowed, bool known, unsigned processor) {
    return !known || (processor < CPU_SETSIZE && CPU_ISSET(processor, &allowed));
}

// "max 100000" or "150000 100000": microseconds of time per period, for all processors together.
double granted_by(const std::filesystem::path& file) {
    std::ifstream in(file);
    double quota = 0;
    double period = 0;
    if (in >> quota >> period && quota > 0 && period > 0) return quota / period;
    return 0;
}

// The smallest limit on the way from this process's control group to the root (cgroup v2).
double granted_by_control_group() {
    std::ifstream in("/proc/self/cgroup");
    std::string line;
    std::filesystem::path group;
    while (std::getline(in, line)) {
        if (line.starts_with("0::/")) group = line.substr(4);
    }
    const std::filesystem::path root = "/sys/fs/cgroup";
    double smallest = granted_by(root / "cpu.max");
    std::filesystem::path at = root;
    for (const std::filesystem::path& part : group) {
        at /= part;
        const double here = granted_by(at / "cpu.max");
        if (here > 0 && (smallest == 0 || here < smallest)) smallest = here;
    }
    return smallest;
}

} // namespace

Topology discover_topology() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    const bool known = ::sched_getaffinity(0, sizeof allowed, &allowed) == 0;
    Topology result;
    if (const TopologyHandle topology = load_topology()) {
        hwloc_obj_t core = nullptr;
        std::vector<unsigned> nodes;
        while ((core = hwloc_get_next_obj_by_type(topology.get(), HWLOC_OBJ_CORE, core)) != nullptr) {
            Core found;
            for (int p = hwloc_bitmap_first(core->cpuset); p >= 0; p = hwloc_bitmap_next(core->cpuset, p)) {
                if (may_use(allowed, known, static_cast<unsigned>(p)))
                    found.processors.push_back(static_cast<unsigned>(p));
            }
            if (found.processors.empty()) continue;
            nodes.push_back(static_cast<unsigned>(hwloc_bitmap_first(core->nodeset)));
            result.cores.push_back(std::move(found));
        }
        std::sort(nodes.begin(), nodes.end());
        const auto distinct = std::unique(nodes.begin(), nodes.end()) - nodes.begin();
        result.numa_nodes = static_cast<unsigned>(std::max<std::ptrdiff_t>(1, distinct));
    }
    if (result.cores.empty()) {
        // Without a topology every processor counts as a core.
        for (unsigned p = 0; known && p < CPU_SETSIZE; ++p) {
            if (CPU_ISSET(p, &allowed)) result.cores.push_back({{p}});
        }
        if (result.cores.empty()) result.cores.push_back({{0}});
    }
    result.granted = static_cast<unsigned>(result.cores.size());
    const double limit = granted_by_control_group();
    if (limit > 0) {
        const auto whole = static_cast<unsigned>(std::min(limit + 0.999, 1.0e6));
        result.granted = std::clamp(whole, 1u, result.granted);
    }
    return result;
}

std::string processor_name() {
    std::array<unsigned, 12> words = {};
    unsigned most = 0;
    unsigned unused[3] = {};
    if (__get_cpuid(0x80000000u, &most, &unused[0], &unused[1], &unused[2]) == 0 || most < 0x80000004u)
        return "x86-64";
    for (unsigned i = 0; i < 3; ++i) {
        unsigned* at = words.data() + std::size_t{4} * i;
        __get_cpuid(0x80000002u + i, at, at + 1, at + 2, at + 3);
    }
    std::array<char, sizeof words + 1> text = {};
    std::memcpy(text.data(), words.data(), sizeof words);
    std::istringstream in(text.data());
    std::string name;
    for (std::string word; in >> word;)
        name += (name.empty() ? "" : " ") + word;
    return name.empty() ? "x86-64" : name;
}

} // namespace ingot::runtime
