#include "golden.h"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace ingot::tests {
namespace {

const std::filesystem::path folder = std::filesystem::path(INGOT_SHARED_DIR) / "data" / "smollm2";

// The values of a float32 array in C order; the header's length stands at byte 8 (NumPy format 1.0).
std::vector<float> read_npy(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
    uint16_t header = 0;
    if (bytes.size() < 10) throw std::runtime_error(path.string() + " is not a NumPy file");
    std::memcpy(&header, bytes.data() + 8, 2);
    std::vector<float> out((bytes.size() - 10 - header) / 4);
    std::memcpy(out.data(), bytes.data() + 10 + header, out.size() * 4);
    return out;
}

} // namespace

bool has_golden() {
    return std::filesystem::exists(folder / "golden.json") &&
           std::filesystem::exists(folder / "first_logits.npy");
}

Golden read_golden() {
    std::ifstream in(folder / "golden.json");
    const auto json = nlohmann::json::parse(in);
    const std::vector<float> logits = read_npy(folder / "first_logits.npy");
    Golden golden{.perplexity = json.at("perplexity").at("f32")};
    const auto& prompts = json.at("prompts");
    const auto vocabulary = static_cast<std::ptrdiff_t>(logits.size() / prompts.size());
    for (const auto& p : prompts) {
        const auto first = logits.begin() + static_cast<std::ptrdiff_t>(golden.prompts.size()) * vocabulary;
        golden.prompts.push_back({.name = p.at("name"),
                                  .text = p.at("text"),
                                  .prompt_ids = p.at("prompt_ids"),
                                  .greedy_ids = p.at("greedy_ids"),
                                  .margin = p.at("margin"),
                                  .first_logits = {first, first + vocabulary}});
    }
    return golden;
}

double nmse(const std::vector<float>& out, const std::vector<float>& reference) {
    double error = 0, norm = 0;
    for (size_t i = 0; i < reference.size(); ++i) {
        const double difference = static_cast<double>(out.at(i)) - static_cast<double>(reference[i]);
        error += difference * difference;
        norm += static_cast<double>(reference[i]) * static_cast<double>(reference[i]);
    }
    return std::isfinite(error) ? error / norm : std::numeric_limits<double>::infinity();
}

} // namespace ingot::tests
