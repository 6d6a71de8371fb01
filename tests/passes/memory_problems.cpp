#include "tests/passes/memory_problems.h"

#include <algorithm>
#include <numeric>

namespace ingot::passes::memory::test {

namespace {

// Not std::uniform_int_distribution, whose results differ between libraries.
uint64_t below(uint64_t end, std::mt19937& random) {
    return random() % end;
}

} // namespace

Problem random_problem(size_t count, const RandomProblem& how, std::mt19937& random) {
    Problem problem;
    for (size_t i = 0; i < count; ++i) {
        const auto times = static_cast<uint64_t>(how.times);
        const auto lower = static_cast<int64_t>(below(times, random));
        const auto life = 1 + static_cast<int64_t>(below(times - static_cast<uint64_t>(lower), random));
        problem.buffers.push_back({.size = 1 + below(how.most_size, random),
                                   .lower = lower,
                                   .upper = lower + life,
                                   .alignment = how.alignments[below(how.alignments.size(), random)]});
    }
    return problem;
}

Problem perfect_problem(size_t count, int64_t times, uint64_t capacity, std::mt19937& random) {
    Problem problem;
    problem.buffers.push_back({.size = capacity, .lower = 0, .upper = times});
    while (problem.buffers.size() < count) {
        // One of the largest is cut, so that the pieces are of one order of magnitude.
        std::swap(problem.buffers[below(problem.buffers.size(), random)], problem.buffers.back());
        for (Buffer& b : problem.buffers) {
            const auto area = [](const Buffer& x) {
                return x.size * static_cast<uint64_t>(x.upper - x.lower);
            };
            if (area(b) > 2 * area(problem.buffers.back())) std::swap(b, problem.buffers.back());
        }
        Buffer& cut = problem.buffers.back();
        Buffer piece = cut;
        if (const auto life = static_cast<uint64_t>(cut.upper - cut.lower);
            life > 1 && (cut.size == 1 || below(2, random) == 0))
            piece.lower = cut.upper = cut.lower + 1 + static_cast<int64_t>(below(life - 1, random));
        else if (cut.size > 1) {
            piece.size = 1 + below(cut.size - 1, random);
            cut.size -= piece.size;
        } else
            continue;
        problem.buffers.push_back(piece);
    }
    return problem;
}

uint64_t best_peak(const Problem& problem) {
    const std::vector<Buffer>& buffers = problem.buffers;
    std::vector<size_t> order(buffers.size());
    std::iota(order.begin(), order.end(), size_t{0});
    uint64_t best = UINT64_MAX;
    do {
        std::vector<uint64_t> offsets(buffers.size(), 0);
        uint64_t peak = 0;
        for (size_t k = 0; k < order.size(); ++k) {
            const Buffer& b = buffers[order[k]];
            uint64_t top = 0;
            for (size_t before = 0; before < k; ++before) {
                const Buffer& other = buffers[order[before]];
                if (b.lower < other.upper && other.lower < b.upper)
                    top = std::max(top, offsets[order[before]] + other.size);
            }
            offsets[order[k]] = (top + b.alignment - 1) / b.alignment * b.alignment;
            peak = std::max(peak, offsets[order[k]] + b.size);
        }
        best = std::min(best, peak);
    } while (std::next_permutation(order.begin(), order.end()));
    return best;
}

} // namespace ingot::passes::memory::test
