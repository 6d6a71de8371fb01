#include "tools/driver/failure.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ir/error.h"
#include "runtime/error.h"

namespace ingot::tools {

namespace {

ExitCode exit_code_of(runtime::Code code) {
    switch (code) {
    case runtime::Code::invalid_argument:
    case runtime::Code::bad_file:
    case runtime::Code::version:
    case runtime::Code::target:
    case runtime::Code::unsupported:
        return ExitCode::bad_input;
    case runtime::Code::out_of_memory:
    case runtime::Code::device:
    case runtime::Code::io:
        break;
    }
    return ExitCode::failed;
}

void print_line(std::string_view prefix, std::string_view text) {
    std::string line(prefix);
    for (const char c : text)
        line += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
    line += '\n';
    std::fwrite(line.data(), 1, line.size(), stderr);
}

} // namespace

void print_error(std::string_view text) {
    print_line("ingot: error: ", text);
}

void print_note(std::string_view text) {
    print_line("ingot: ", text);
}

void print_result(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
}

void print_json(const nlohmann::json& value) {
    print_result(value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void finish_output() {
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
        throw Failure(ExitCode::failed, "standard output", std::strerror(errno));
}

ExitCode guarded(const std::function<void()>& action) {
    try {
        action();
        finish_output();
        return ExitCode::ok;
    } catch (const Failure& e) {
        print_error(e.what());
        return e.code();
    } catch (const ir::Error& e) {
        print_error(e.what());
        return ExitCode::bad_input;
    } catch (const runtime::Error& e) {
        print_error(e.what());
        return exit_code_of(e.code());
    } catch (const std::bad_alloc&) {
        print_error("out of memory");
    } catch (const std::logic_error& e) {
        print_error(fmt::format("a bug in ingot: {}", e.what()));
    } catch (const std::exception& e) {
        print_error(e.what());
    }
    return ExitCode::failed;
}

} // namespace ingot::tools
