#include "tools/bench/bench.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>

#include <fmt/format.h>

#include "ir/print.h"
#include "plan_generated.h"
#include "runtime/required.h"
#include "tools/driver/failure.h"

namespace ingot::tools {
namespace {

using Clock = std::chrono::steady_clock;

class Bench {
  public:
    Bench(runtime::Session& session, const BenchOptions& options, const MachineLimits& limits)
        : session_(session), options_(options), limits_(limits),
          ids_(0, static_cast<int32_t>(session.vocabulary_size()) - 1) {}

    BenchResult prompt(uint32_t tokens) {
        BenchResult result{.test = name("pp", tokens)};
        check(tokens);
        measure(result, tokens, [&] {
            const std::vector<int32_t> prompt = random_ids(tokens);
            const runtime::SequenceId sequence = filled();
            const Clock::time_point start = Clock::now();
            session_.prefill(sequence, prompt);
            return seconds_since(start);
        });
        // Two operations for each weight of the layers; attention and the one row of the head are left out.
        const double operations = 2.0 * static_cast<double>(weights_of("prefill"));
        set_limit(result, limits_.ops_per_second / operations);
        return result;
    }

    BenchResult generation(uint32_t tokens) {
        BenchResult result{.test = name("tg", tokens)};
        if (options_.sequences > 1) result.test += fmt::format(" x {}", options_.sequences);
        check(tokens);
        measure(result, uint64_t{tokens} * options_.sequences, [&] {
            std::vector<runtime::Step> steps;
            for (uint32_t i = 0; i < options_.sequences; ++i)
                steps.push_back({filled(), 0});
            const Clock::time_point start = Clock::now();
            for (uint32_t i = 0; i < tokens; ++i) {
                for (runtime::Step& step : steps)
                    step.token = ids_(random_);
                session_.decode(steps);
            }
            return seconds_since(start);
        });
        const uint64_t bytes =
            options_.sequences == 1 ? bytes_of("decode") : bytes_of("prefill") + bytes_of("head");
        result.bytes_per_token = bytes / options_.sequences;
        set_limit(result, limits_.read_bytes_per_second / static_cast<double>(result.bytes_per_token));
        return result;
    }

  private:
    static double seconds_since(Clock::time_point start) {
        return std::chrono::duration<double>(Clock::now() - start).count();
    }

    std::string name(const char* kind, uint32_t tokens) const {
        std::string text = fmt::format("{}{}", kind, tokens);
        if (options_.depth > 0) text += fmt::format(" @ {}", options_.depth);
        return text;
    }

    void check(uint32_t tokens) const {
        const uint64_t positions = uint64_t{options_.depth} + tokens;
        if (positions > session_.context())
            throw Failure(ExitCode::bad_input, "bench",
                          fmt::format("a test of {} positions does not fit into the plan's context of {}; "
                                      "compile with a larger --context",
                                      positions, session_.context()));
        if (options_.sequences < 1 || options_.sequences > session_.max_rows())
            throw Failure(ExitCode::bad_input, "--sequences",
                          fmt::format("{} is not between 1 and {}", options_.sequences, session_.max_rows()));
    }

    std::vector<int32_t> random_ids(uint32_t count) {
        std::vector<int32_t> ids(count);
        std::ranges::generate(ids, [&] { return ids_(random_); });
        return ids;
    }

    // A new sequence of `depth` positions.
    runtime::SequenceId filled() {
        open_.push_back(session_.create_sequence());
        if (options_.depth > 0) session_.prefill(open_.back(), random_ids(options_.depth));
        return open_.back();
    }

    // `once()` returns the seconds for `tokens` tokens.
    template <class Once>
    void measure(BenchResult& result, uint64_t tokens, Once once) {
        std::vector<double> speeds;
        for (uint32_t i = 0; i <= options_.repetitions; ++i) {
            const double seconds = once();
            for (const runtime::SequenceId sequence : open_)
                session_.free_sequence(sequence);
            open_.clear();
            if (i > 0) speeds.push_back(static_cast<double>(tokens) / seconds);
            if (options_.progress) options_.progress(result.test, i + 1, options_.repetitions + 1);
        }
        for (const double s : speeds)
            result.mean += s / static_cast<double>(speeds.size());
        double squares = 0;
        for (const double s : speeds)
            squares += (s - result.mean) * (s - result.mean);
        if (speeds.size() > 1) result.deviation = std::sqrt(squares / static_cast<double>(speeds.size() - 1));
        result.best = *std::ranges::max_element(speeds);
    }

    void set_limit(BenchResult& result, double limit) const {
        if (!std::isfinite(limit) || limit <= 0) return;
        result.limit = limit;
        result.share = result.mean / limit;
    }

    const plan::Program& program(std::string_view name) const {
        const auto& programs = runtime::required(session_.plan().description().programs());
        return **std::ranges::find_if(programs, [&](const plan::Program* p) {
            return runtime::required(p->name()).string_view() == name;
        });
    }

    // Weights that one run of the program streams.
    uint64_t bytes_of(std::string_view name) const {
        uint64_t bytes = 0;
        for (const plan::Launch* launch : runtime::required(program(name).launches()))
            bytes += launch->bytes_read();
        return bytes;
    }

    // How many weights the program multiplies each token with.
    uint64_t weights_of(std::string_view name) const {
        const ir::Graph lowered = ir::parse(runtime::required(program(name).ir()).string_view());
        uint64_t count = 0;
        for (const ir::Graph& body : lowered.bodies)
            for (const ir::Node& n : body.nodes) {
                if (n.op != ir::Op::matmul) continue;
                const ir::Type& weight = body.type(n.operands[1]);
                count += static_cast<uint64_t>(weight.dims[0].constant() * weight.dims[1].constant());
            }
        return count;
    }

    runtime::Session& session_;
    const BenchOptions& options_;
    const MachineLimits& limits_;
    std::mt19937 random_{1};
    std::uniform_int_distribution<int32_t> ids_;
    std::vector<runtime::SequenceId> open_;
};

} // namespace

std::vector<BenchResult> run_bench(runtime::Session& session, const BenchOptions& options,
                                   const MachineLimits& limits) {
    Bench bench(session, options, limits);
    std::vector<BenchResult> results;
    for (const uint32_t tokens : options.prompts)
        if (tokens > 0) results.push_back(bench.prompt(tokens));
    for (const uint32_t tokens : options.generated)
        if (tokens > 0) results.push_back(bench.generation(tokens));
    return results;
}

} // namespace ingot::tools
