#include "codegen/worker_protocol.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ingot::codegen {

namespace {

constexpr uint64_t max_message = uint64_t{1} << 30;

void put(std::string& out, std::string_view field) {
    const uint64_t size = field.size();
    out.append(reinterpret_cast<const char*>(&size), sizeof size);
    out.append(field);
}

void put_count(std::string& out, uint64_t count) {
    put(out, std::to_string(count));
}

// Takes fields off the front; after the first bad one everything it gives is empty and `ok` is false.
struct Reader {
    std::string_view rest;
    bool ok = true;

    std::string take() {
        uint64_t size = 0;
        if (rest.size() >= sizeof size) std::memcpy(&size, rest.data(), sizeof size);
        if (!ok || rest.size() < sizeof size || rest.size() - sizeof size < size) {
            ok = false;
            return {};
        }
        std::string field(rest.substr(sizeof size, size));
        rest.remove_prefix(sizeof size + size);
        return field;
    }
    // Every counted item takes some bytes, which bounds the count.
    size_t take_count() {
        const std::string text = take();
        size_t count = 0;
        for (const char c : text) {
            if (c < '0' || c > '9' || count > max_message) ok = false;
            count = count * 10 + static_cast<size_t>(c - '0');
        }
        if (text.empty() || count > rest.size()) ok = false;
        return ok ? count : 0;
    }
    bool done() const { return ok && rest.empty(); }
};

using Clock = std::chrono::steady_clock;

// Waits until `fd` can be read; false if that takes longer than to the deadline.
bool wait_readable(int fd, std::optional<Clock::time_point> deadline) {
    while (deadline) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(*deadline - Clock::now()).count();
        if (left <= 0) return false;
        pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
        const int ready = poll(&wanted, 1, static_cast<int>(std::min<int64_t>(left + 1, 60'000)));
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return false;
    }
    return true;
}

bool read_all(int fd, char* data, size_t size, std::optional<Clock::time_point> deadline) {
    while (size > 0) {
        if (!wait_readable(fd, deadline)) return false;
        const ssize_t n = ::read(fd, data, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        data += n;
        size -= static_cast<size_t>(n);
    }
    return true;
}

} // namespace

std::string encode(const CompileRequest& request) {
    std::string out;
    put(out, "compile");
    put(out, request.name);
    put(out, request.target);
    put(out, request.source);
    put_count(out, static_cast<uint64_t>(request.emit));
    put_count(out, request.flags.size());
    for (const std::string& flag : request.flags)
        put(out, flag);
    put_count(out, request.headers.size());
    for (const SourceFile& header : request.headers) {
        put(out, header.name);
        put(out, header.text);
    }
    return out;
}

std::string encode(const CompileReply& reply) {
    std::string out;
    put(out, reply.ok ? "ok" : "failed");
    put(out, reply.output);
    put(out, reply.log);
    return out;
}

std::string encode(const WorkerHello& hello) {
    std::string out;
    put(out, "ingot-worker");
    put(out, hello.protocol);
    put(out, hello.compiler);
    put(out, hello.problem);
    return out;
}

std::optional<CompileRequest> decode_request(std::string_view bytes) {
    Reader in{bytes};
    if (in.take() != "compile") return std::nullopt;
    CompileRequest request;
    request.name = in.take();
    request.target = in.take();
    request.source = in.take();
    const size_t emit = in.take_count();
    if (emit > static_cast<size_t>(Emit::disassembly)) return std::nullopt;
    request.emit = static_cast<Emit>(emit);
    for (size_t n = in.take_count(); n > 0 && in.ok; --n)
        request.flags.push_back(in.take());
    for (size_t n = in.take_count(); n > 0 && in.ok; --n) {
        SourceFile header;
        header.name = in.take();
        header.text = in.take();
        request.headers.push_back(std::move(header));
    }
    if (!in.done()) return std::nullopt;
    return request;
}

std::optional<CompileReply> decode_reply(std::string_view bytes) {
    Reader in{bytes};
    const std::string verdict = in.take();
    CompileReply reply{.ok = verdict == "ok", .output = in.take(), .log = in.take()};
    if (!in.done() || (!reply.ok && verdict != "failed")) return std::nullopt;
    return reply;
}

std::optional<WorkerHello> decode_hello(std::string_view bytes) {
    Reader in{bytes};
    const bool named = in.take() == "ingot-worker";
    WorkerHello hello{.protocol = in.take(), .compiler = in.take(), .problem = in.take()};
    if (!named || !in.done()) return std::nullopt;
    return hello;
}

std::optional<std::string> read_message(int fd, double timeout_seconds) {
    std::optional<Clock::time_point> deadline;
    if (timeout_seconds >= 0)
        deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                      std::chrono::duration<double>(timeout_seconds));
    uint64_t size = 0;
    if (!read_all(fd, reinterpret_cast<char*>(&size), sizeof size, deadline) || size > max_message)
        return std::nullopt;
    std::string bytes(size, '\0');
    if (!read_all(fd, bytes.data(), bytes.size(), deadline)) return std::nullopt;
    return bytes;
}

bool write_message(int fd, std::string_view bytes) {
    const uint64_t size = bytes.size();
    std::string framed(reinterpret_cast<const char*>(&size), sizeof size);
    framed.append(bytes);
    for (size_t done = 0; done < framed.size();) {
        ssize_t n = ::send(fd, framed.data() + done, framed.size() - done, MSG_NOSIGNAL);
        if (n < 0 && errno == ENOTSOCK) n = ::write(fd, framed.data() + done, framed.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        done += static_cast<size_t>(n);
    }
    return true;
}

} // namespace ingot::codegen
