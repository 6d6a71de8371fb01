// What the compile worker and its client say to each other over a pipe: a request, a reply, and so on in
// turn.
//
// A message is a u64 length in bytes and then that many: fields one after the other, each a u64 length and
// its bytes. Both ends run on one machine, so numbers are in its byte order.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::codegen {

// Raised when a message changes; the two programs are always built together, and this proves it.
inline constexpr std::string_view worker_protocol_version = "2";

struct SourceFile {
    std::string name; // as #include spells it
    std::string text;
    bool operator==(const SourceFile&) const = default;
};

// What is wanted. For a disassembly the request's source is a code object, and nothing else of it counts.
enum class Emit : uint8_t { object, assembly, llvm_ir, disassembly };

struct CompileRequest {
    std::string name;                // of the kernel, for messages
    std::string target;              // likewise
    std::string source;              // the translation unit
    std::vector<SourceFile> headers; // all that it may include
    std::vector<std::string> flags;  // as the compiler takes them, with its target
    Emit emit = Emit::object;
};

struct CompileReply {
    bool ok = false;
    std::string output; // a code object with nothing undefined, or text
    std::string log;    // diagnostics of compiler and linker
};

// What a worker says of itself when it starts.
struct WorkerHello {
    std::string protocol;
    std::string compiler; // build id: version and the identity of the loaded libraries
    std::string problem;  // why it can't compile, and what to do; empty where it can
};

std::string encode(const CompileRequest& request);
std::string encode(const CompileReply& reply);
std::string encode(const WorkerHello& hello);
// nullopt where the bytes are not such a message.
std::optional<CompileRequest> decode_request(std::string_view bytes);
std::optional<CompileReply> decode_reply(std::string_view bytes);
std::optional<WorkerHello> decode_hello(std::string_view bytes);

// Whole messages over a socket (or, without the timeout, any file descriptor), with the length in front.
// `read_message` gives nullopt at the end of the stream, after an error, for a length above 1 GiB, and where
// the message isn't complete after `timeout_seconds` (negative: waits for ever). `write_message` gives false
// after an error; it never raises SIGPIPE on a socket.
std::optional<std::string> read_message(int fd, double timeout_seconds = -1);
bool write_message(int fd, std::string_view bytes);

} // namespace ingot::codegen
