// For tests: the vocabulary of a GGUF file, read by the smallest reader that can (little-endian GGUF 2 and 3,
// metadata only). The runtime itself gets vocabularies from plans and reads no GGUF.
#pragma once

#include "runtime/text/vocabulary.h"

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::runtime::test {

inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::string bytes(std::filesystem::file_size(path), '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!file) throw std::runtime_error("cannot read " + path.string());
    return bytes;
}

class VocabFile {
  public:
    explicit VocabFile(const std::filesystem::path& path)
        : bytes_(std::make_shared<const std::string>(read_file(path))) {
        rest_ = *bytes_;
        if (take(4) != "GGUF") throw std::runtime_error("not a GGUF file");
        number<std::uint32_t>();
        number<std::uint64_t>();
        for (auto keys = number<std::uint64_t>(); keys > 0; --keys) {
            const std::string key(string());
            values_[key] = value(number<std::uint32_t>());
        }
    }

    Vocabulary vocabulary() const {
        const auto text = [&](const char* key) {
            const Value* v = find(key);
            return v == nullptr ? std::string() : std::string(v->text);
        };
        const auto id = [&](const char* key) {
            const Value* v = find(key);
            return v == nullptr ? Vocabulary::no_id : static_cast<std::int32_t>(v->number);
        };
        const auto flag = [&](const char* key) {
            const Value* v = find(key);
            return v == nullptr ? std::optional<bool>() : v->number != 0;
        };
        Vocabulary v;
        v.model = vocabulary_model_named(text("ggml.model"));
        v.pre = text("ggml.pre");
        v.owner = bytes_;
        if (const Value* a = find("ggml.tokens")) v.tokens = a->texts;
        if (const Value* a = find("ggml.merges")) v.merges = a->texts;
        if (const Value* a = find("ggml.scores")) v.scores.assign(a->numbers.begin(), a->numbers.end());
        if (const Value* a = find("ggml.token_type")) {
            for (const double type : a->numbers) {
                v.types.push_back(static_cast<TokenType>(static_cast<std::int32_t>(type)));
            }
        }
        v.bos = id("ggml.bos_token_id");
        v.eos = id("ggml.eos_token_id");
        v.unk = id("ggml.unknown_token_id");
        v.pad = id("ggml.padding_token_id");
        v.eot = id("ggml.eot_token_id");
        v.add_bos = flag("ggml.add_bos_token");
        v.add_eos = flag("ggml.add_eos_token");
        v.add_space_prefix = flag("ggml.add_space_prefix");
        v.chat_template = text("chat_template");
        return v;
    }

  private:
    struct Value {
        double number = 0;
        std::string_view text;
        std::vector<double> numbers;
        std::vector<std::string_view> texts;
    };

    const Value* find(const char* key) const {
        const auto found = values_.find(std::string("tokenizer.") + key);
        return found == values_.end() ? nullptr : &found->second;
    }
    std::string_view take(std::size_t count) {
        if (count > rest_.size()) throw std::runtime_error("truncated GGUF file");
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }
    template <typename T>
    T number() {
        T result;
        std::memcpy(&result, take(sizeof(T)).data(), sizeof(T));
        return result;
    }
    std::string_view string() { return take(number<std::uint64_t>()); }
    double scalar(std::uint32_t type) {
        switch (type) {
        case 0:
        case 7:
            return number<std::uint8_t>();
        case 1:
            return number<std::int8_t>();
        case 2:
            return number<std::uint16_t>();
        case 3:
            return number<std::int16_t>();
        case 4:
            return number<std::uint32_t>();
        case 5:
            return number<std::int32_t>();
        case 6:
            return number<float>();
        case 10:
            return static_cast<double>(number<std::uint64_t>());
        case 11:
            return static_cast<double>(number<std::int64_t>());
        case 12:
            return number<double>();
        default:
            throw std::runtime_error("unknown GGUF value type");
        }
    }
    Value value(std::uint32_t type) {
        Value v;
        if (type == 8) {
            v.text = string();
        } else if (type == 9) {
            const auto element = number<std::uint32_t>();
            for (auto count = number<std::uint64_t>(); count > 0; --count) {
                if (element == 8) {
                    v.texts.push_back(string());
                } else {
                    v.numbers.push_back(scalar(element));
                }
            }
        } else {
            v.number = scalar(type);
        }
        return v;
    }

    std::shared_ptr<const std::string> bytes_;
    std::string_view rest_;
    std::map<std::string, Value> values_;
};

} // namespace ingot::runtime::test
