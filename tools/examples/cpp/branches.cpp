// Several ways on from one text, computed together: branches PLAN [PROMPT [TOKENS]]
//
// The prompt is computed once. Its sequence is forked, so the branches share its past, and every step decodes
// one token of each.
#include <ingot.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

struct Branch {
    ingot::Sequence sequence;
    ingot::Sampler sampler;
    ingot::TextDecoder decoder;
    std::string text = {};
    bool done = false;
};

void run(const std::string& path, const std::string& prompt, unsigned tokens) {
    const ingot::Plan plan(path);
    const ingot::Tokenizer tokenizer(plan);
    const ingot::Model model(plan, ingot::Device());
    ingot::Session session(model);
    const ingot_session_info info = session.info();

    const ingot::Sequence first = session.create_sequence();
    session.prefill(first, tokenizer.encode(prompt));
    const std::vector<float> logits(session.logits().begin(), session.logits().end());

    std::vector<Branch> branches;
    for (std::uint64_t seed = 1; seed <= std::min(info.max_rows, 3U); ++seed)
        branches.push_back({.sequence = seed == 1 ? first : session.fork(first),
                            .sampler = ingot::Sampler({.temperature = 1.0F, .seed = seed}, logits.size()),
                            .decoder = ingot::TextDecoder(tokenizer, {.continues = true})});

    for (unsigned token = 0; token < tokens; ++token) {
        std::vector<ingot::Step> next;
        std::size_t row = 0;
        for (Branch& b : branches) {
            if (b.done) continue;
            const auto of_branch = token == 0 ? std::span<const float>(logits)
                                              : session.logits(static_cast<std::uint32_t>(row++));
            const std::int32_t id = b.sampler.sample(of_branch);
            b.done = tokenizer.is_end_of_text(id) || session.length(b.sequence) == info.context;
            b.text += b.decoder.push(id);
            if (!b.done) next.push_back({b.sequence, id});
        }
        if (next.empty()) break;
        session.decode(next);
    }
    for (Branch& b : branches) {
        b.text += b.decoder.flush();
        std::printf("%s%s\n---\n", prompt.c_str(), b.text.c_str());
    }
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: %s PLAN [PROMPT [TOKENS]]\n", argv[0]);
        return 2;
    }
    try {
        run(argv[1], argc > 2 ? argv[2] : "Once upon a time",
            argc > 3 ? static_cast<unsigned>(std::strtoul(argv[3], nullptr, 10)) : 40);
    } catch (const ingot::Error& e) {
        std::fprintf(stderr, "%s (code %d)\n", e.what(), static_cast<int>(e.code()));
        return 1;
    }
}
