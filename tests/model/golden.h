// What llama.cpp computes for SmolLM2 in f32 (the README of shared/data/smollm2 says how).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ingot::tests {

struct GoldenPrompt {
    std::string name, text;
    std::vector<int32_t> prompt_ids;
    std::vector<int32_t> greedy_ids;
    std::vector<double> margin;      // best logit minus second best, at each greedy id
    std::vector<float> first_logits; // after the prompt
};

struct Golden {
    std::vector<GoldenPrompt> prompts;
    double perplexity = 0;
};

// Whether the data are there.
bool has_golden();
Golden read_golden();

// ||out - reference||^2 / ||reference||^2; infinity where a value is no number.
double nmse(const std::vector<float>& out, const std::vector<float>& reference);

} // namespace ingot::tests
