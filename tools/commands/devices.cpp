// ingot devices: where plans can run on this machine.
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/open_device.h"
#include "tools/commands/commands.h"
#include "tools/commands/common_options.h"
#include "tools/driver/failure.h"

namespace ingot::tools {

namespace {

void devices(bool json) {
    nlohmann::json list = nlohmann::json::array();
    for (const runtime::DeviceInfo& d : runtime::available_devices()) {
        list.push_back({{"name", d.name},
                        {"model", d.model},
                        {"target", d.target},
                        {"cores", d.cores},
                        {"memory_bytes", d.memory_bytes}});
        if (!json)
            print_result(fmt::format("{:<8} {}, {} cores, {:.1f} GiB, target {}\n", d.name, d.model, d.cores,
                                     static_cast<double>(d.memory_bytes) / (uint64_t{1} << 30),
                                     d.target.empty() ? "none" : d.target));
    }
    if (json) print_json(list);
}

} // namespace

void add_devices(CLI::App& app, Action& chosen) {
    const auto json = std::make_shared<bool>(false);
    CLI::App& command = *app.add_subcommand("devices", "List the devices of this machine");
    add_json(command, *json);
    command.footer(
        "The preferred one comes first; the target is the best that it runs (ingot compile --target).\n"
        "Example:\n"
        "  ingot devices --json");
    command.callback([json, &chosen] { chosen = [json] { devices(*json); }; });
}

} // namespace ingot::tools
