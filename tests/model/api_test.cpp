// The C API and the C++ API over it, on a small random model.
#include "small_api.h"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>

namespace ingot::tests {
namespace {

TEST_F(Api, SaysWhatThereIs) {
    EXPECT_EQ(version(), "0.1.0");
    const Opened o(path());
    const ingot_plan_info plan = o.plan.info();
    EXPECT_STREQ(plan.architecture, "llama");
    EXPECT_STREQ(plan.precision, "f32");
    EXPECT_EQ(plan.context, 96U);
    EXPECT_EQ(plan.vocabulary_size, 333U);
    EXPECT_EQ(plan.layers, 2U);
    EXPECT_EQ(plan.embedding, 96U);
    EXPECT_EQ(plan.max_sequences, 4U);
    EXPECT_EQ(plan.external_weights, 0);
    EXPECT_GT(plan.weights_bytes, 0U);
    EXPECT_THAT(plan.chat_template, testing::StartsWith("{% for m in messages %}"));
    const ingot_session_info session = o.session.info();
    EXPECT_EQ(session.context, 96U);
    EXPECT_EQ(session.max_rows, 3U);
    EXPECT_EQ(session.page_positions, 16U);
    EXPECT_EQ(session.free_pages, small_pages);
    EXPECT_EQ(session.threads, 2U);
    EXPECT_EQ(session.memory_bytes, plan.session_bytes);
    const ingot_device_info device = o.device.info();
    EXPECT_STREQ(device.name, "host");
    EXPECT_STREQ(device.target, plan.target);
    EXPECT_EQ(device.live_allocations, session.device_allocations);
    const ingot_tokenizer_info tokenizer = o.tokenizer.info();
    EXPECT_EQ(tokenizer.bos, 1);
    EXPECT_EQ(tokenizer.eos, 2);
    EXPECT_EQ(tokenizer.eot, -1);
    EXPECT_EQ(tokenizer.tokens, 333U);
    EXPECT_STREQ(Device().info().name, "host");
}

TEST_F(Api, TextGoesToIdsAndBack) {
    const Opened o(path());
    const std::string text = "the \u20ac thing\n";
    const std::vector<std::int32_t> ids = o.tokenizer.encode(text);
    EXPECT_EQ(ids.front(), 1) << "BOS";
    EXPECT_EQ(o.tokenizer.encode(text, {.add_special = false}).size(), ids.size() - 1);
    EXPECT_EQ(o.tokenizer.decode(ids), text);
    EXPECT_EQ(o.tokenizer.decode({}), "");
    EXPECT_EQ(o.tokenizer.encode("", {.add_special = false}).size(), 0U);
    EXPECT_EQ(o.tokenizer.encode("</s>").back(), 2);
    EXPECT_NE(o.tokenizer.encode("</s>", {.parse_special = false}).back(), 2);
    EXPECT_TRUE(o.tokenizer.is_end_of_text(2));
    EXPECT_FALSE(o.tokenizer.is_end_of_text(300));
    EXPECT_EQ(code_of([&] { o.tokenizer.decode(std::vector<std::int32_t>{333}); }), INGOT_INVALID_ARGUMENT);

    TextDecoder decoder(o.tokenizer);
    std::string streamed;
    for (const std::int32_t id : ids) {
        const std::string_view piece = decoder.push(id);
        EXPECT_TRUE(piece.empty() || (static_cast<unsigned char>(piece[0]) & 0xC0U) != 0x80U);
        streamed += piece;
    }
    streamed += decoder.flush();
    EXPECT_EQ(streamed, text);
}

TEST_F(Api, BuffersThatAreTooSmallAreFilledAndTheNeedIsSaid) {
    const Opened o(path());
    const std::string text = "the thing and the other";
    const std::vector<std::int32_t> all = o.tokenizer.encode(text);
    std::vector<int32_t> ids(all.size() + 1, -7);
    size_t count = 0;
    const uint32_t flags = INGOT_ENCODE_ADD_SPECIAL | INGOT_ENCODE_PARSE_SPECIAL;
    for (const size_t capacity : {size_t{0}, size_t{2}, all.size()}) {
        ASSERT_EQ(ingot_tokenizer_encode(o.tokenizer.get(), text.data(), text.size(), flags, ids.data(),
                                         capacity, &count, nullptr),
                  INGOT_OK);
        EXPECT_EQ(count, all.size());
        EXPECT_TRUE(
            std::equal(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(capacity), ids.begin()));
        EXPECT_EQ(ids[capacity], -7);
    }
    std::string buffer(text.size() + 2, '#');
    for (const size_t capacity : {size_t{0}, size_t{1}, size_t{5}, text.size() + 1}) {
        ASSERT_EQ(ingot_tokenizer_decode(o.tokenizer.get(), all.data(), all.size(), 0, buffer.data(),
                                         capacity, &count, nullptr),
                  INGOT_OK);
        EXPECT_EQ(count, text.size());
        if (capacity > 0) {
            EXPECT_EQ(buffer.c_str(), text.substr(0, capacity - 1));
        }
        EXPECT_EQ(buffer[capacity], '#');
    }
    EXPECT_EQ(ingot_tokenizer_encode(o.tokenizer.get(), "a", 1, 4, nullptr, 0, &count, nullptr),
              INGOT_INVALID_ARGUMENT);
    EXPECT_EQ(ingot_tokenizer_decode(o.tokenizer.get(), nullptr, 0, 4, nullptr, 0, &count, nullptr),
              INGOT_INVALID_ARGUMENT);
}

TEST_F(Api, AConversationGoesThroughTheModelsTemplate) {
    const Opened o(path());
    const std::vector<ChatMessage> messages = {{"system", "the"}, {"user", "an </s> and"}};
    const std::vector<std::int32_t> ids = o.tokenizer.encode_chat(messages);
    EXPECT_EQ(o.tokenizer.decode(ids, {.special = true}),
              "<s>system the</s><s>user an </s> and</s><s>assistant");
    EXPECT_EQ(std::ranges::count(ids, 2), 2) << "what the user wrote ends nothing";
    EXPECT_EQ(std::ranges::count(o.tokenizer.encode_chat(messages, false), 1), 2);
    ingot_error e;
    size_t count = 0;
    const ingot_chat_message bad = {"user", nullptr};
    EXPECT_EQ(ingot_tokenizer_encode_chat(o.tokenizer.get(), &bad, 1, 0, nullptr, 0, &count, &e),
              INGOT_INVALID_ARGUMENT);
    EXPECT_EQ(ingot_tokenizer_encode_chat(o.tokenizer.get(), nullptr, 1, 0, nullptr, 0, &count, &e),
              INGOT_INVALID_ARGUMENT);
    EXPECT_EQ(ingot_tokenizer_encode_chat(o.tokenizer.get(), nullptr, 0, 8, nullptr, 0, &count, &e),
              INGOT_INVALID_ARGUMENT);
}

TEST_F(Api, StepsGiveWhatTheSessionGives) {
    Opened o(path());
    const auto session =
        runtime::Session::open(runtime::PlanFile::open(path()), runtime::open_device("host"));
    const runtime::SequenceId expected = session->create_sequence();
    const std::vector<std::int32_t> ids = o.tokenizer.encode("and then the other thing");
    const Sequence a = o.session.create_sequence();
    EXPECT_EQ(o.session.prefill(a, ids), 0U);
    session->prefill(expected, ids);
    const auto expect_same = [&](std::uint32_t row) {
        const auto got = o.session.logits(row), wanted = session->logits();
        ASSERT_EQ(got.size(), wanted.size());
        for (std::size_t i = 0; i < got.size(); ++i)
            ASSERT_NEAR(got[i], wanted[i], 1e-4);
        EXPECT_EQ(o.session.next(row), session->next());
    };
    expect_same(0);
    const Sequence b = o.session.fork(a);
    o.session.truncate(b, 3);
    EXPECT_EQ(o.session.length(b), 3U);
    o.session.decode(std::vector<Step>{{b, 9}, {a, 8}});
    session->decode(expected, 8);
    expect_same(1);
    EXPECT_EQ(code_of([&] { o.session.logits(2); }), INGOT_INVALID_ARGUMENT);
    EXPECT_EQ(code_of([&] { o.session.decode(std::vector<Step>(100, Step{a, 1})); }), INGOT_INVALID_ARGUMENT);
    EXPECT_EQ(code_of([&] { o.session.decode(a, 333); }), INGOT_INVALID_ARGUMENT);
    o.session.free_sequence(b);
    EXPECT_EQ(code_of([&] { o.session.free_sequence(b); }), INGOT_INVALID_ARGUMENT);
    EXPECT_EQ(code_of([&] { o.session.length(0); }), INGOT_INVALID_ARGUMENT);
    o.session.decode(a, 7);
    session->decode(expected, 7);
    expect_same(0);
    for (int i = 0; i < 3; ++i)
        o.session.create_sequence();
    EXPECT_EQ(code_of([&] { o.session.create_sequence(); }), INGOT_OUT_OF_MEMORY);
}

TEST_F(Api, LogitsForAllCanBeStoppedOrThrownOutOf) {
    Opened o(path());
    const std::vector<std::int32_t> ids = o.tokenizer.encode("and then the other thing");
    const Sequence s = o.session.create_sequence();
    std::uint32_t calls = 0;
    o.session.logits_for_all(s, ids, [&](std::uint32_t index, std::span<const float> logits) {
        EXPECT_EQ(index, calls++);
        EXPECT_EQ(logits.size(), 333U);
    });
    EXPECT_EQ(calls, ids.size());
    EXPECT_THROW(o.session.logits_for_all(s, ids,
                                          [](std::uint32_t index, std::span<const float>) {
                                              if (index == 2) throw std::domain_error("two");
                                          }),
                 std::domain_error);
    ingot_error error;
    const auto stop = [](void* user, uint32_t, const float*, uint32_t) { return ++*static_cast<int*>(user); };
    int stopped = 0;
    EXPECT_EQ(
        ingot_session_logits_for_all(o.session.get(), s, ids.data(), ids.size(), stop, &stopped, &error),
        INGOT_STOPPED);
    EXPECT_EQ(stopped, 1);
    EXPECT_EQ(error.code, INGOT_STOPPED);
    EXPECT_EQ(o.session.length(s), ids.size());
}

TEST_F(Api, GenerationIsTheLoopOfItsParts) {
    Opened o(path());
    const std::vector<std::int32_t> prompt = o.tokenizer.encode("the thing");
    for (const float temperature : {0.0F, 1.0F}) {
        const SamplerOptions options{.temperature = temperature, .repetition_penalty = 1.1F, .seed = 3};
        Sampler sampler(options, 333);
        for (const std::int32_t id : prompt)
            sampler.accept(id);
        std::vector<std::int32_t> expected;
        TextDecoder decoder(o.tokenizer, {.continues = true});
        std::string text;
        Sequence s = o.session.create_sequence();
        o.session.prefill(s, prompt);
        while (expected.size() < 20) {
            const std::int32_t id = sampler.sample(o.session.logits());
            expected.push_back(id);
            sampler.accept(id);
            text += decoder.push(id);
            if (o.tokenizer.is_end_of_text(id)) break;
            o.session.decode(s, id);
        }
        text += decoder.flush();
        o.session.free_sequence(s);

        std::vector<std::int32_t> got;
        std::string got_text;
        const GenerateOptions generate_options{
            .max_tokens = 20, .sampler = options, .on_text = [&](std::int32_t id, std::string_view piece) {
                if (id >= 0) got.push_back(id);
                got_text += piece;
                return true;
            }};
        s = o.session.create_sequence();
        const ingot_generated result = generate(o.session, s, o.tokenizer, prompt, generate_options);
        EXPECT_EQ(got, expected);
        EXPECT_EQ(got_text, text);
        EXPECT_EQ(result.tokens, expected.size());
        EXPECT_EQ(o.session.length(s), prompt.size() + result.steps);
        o.session.free_sequence(s);

        got.clear();
        complete(o.session, o.tokenizer, "the thing", generate_options);
        EXPECT_EQ(got, expected);
        EXPECT_EQ(o.session.info().free_pages, small_pages) << "its sequence is gone";
    }
}

TEST_F(Api, GenerationStopsForReasons) {
    Opened o(path());
    GenerateOptions options{.max_tokens = 5, .sampler = {.temperature = 0}};
    EXPECT_EQ(complete(o.session, o.tokenizer, "the", options).stop, INGOT_STOP_LENGTH);
    options.on_text = [](std::int32_t, std::string_view) { return false; };
    const ingot_generated stopped = complete(o.session, o.tokenizer, "the", options);
    EXPECT_EQ(stopped.stop, INGOT_STOP_CALLBACK);
    EXPECT_EQ(stopped.tokens, 1U);
    options.on_text = [](std::int32_t, std::string_view) -> bool { throw std::domain_error("no more"); };
    EXPECT_THROW(complete(o.session, o.tokenizer, "the", options), std::domain_error);
    options = {.max_tokens = UINT32_MAX, .sampler = {.temperature = 0}};
    const ingot_generated full = complete(o.session, o.tokenizer, "the", options);
    EXPECT_TRUE(full.stop == INGOT_STOP_CONTEXT || full.stop == INGOT_STOP_END_OF_TEXT);
    options.max_tokens = 0;
    EXPECT_EQ(complete(o.session, o.tokenizer, "the", options).tokens, 0U);
    EXPECT_EQ(code_of([&] { complete(o.session, o.tokenizer, std::string(200, 'q')); }),
              INGOT_INVALID_ARGUMENT);
    EXPECT_EQ(code_of([&] { complete(o.session, o.tokenizer, "the", {.sampler = {.temperature = -1}}); }),
              INGOT_INVALID_ARGUMENT);
    EXPECT_EQ(o.session.info().free_pages, small_pages);
}

TEST_F(Api, ThreadsWithSessionsOfTheirOwnShareEverythingElse) {
    const Opened o(path());
    std::vector<std::string> texts(4);
    std::vector<std::thread> threads;
    for (std::string& text : texts)
        threads.emplace_back([&] {
            Session session(o.model, {.threads = 1});
            complete(session, o.tokenizer, "the thing",
                     {.max_tokens = 30, .on_text = [&](std::int32_t, std::string_view piece) {
                          text += piece;
                          return true;
                      }});
        });
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_NE(texts[0], "");
    EXPECT_EQ(std::set<std::string>(texts.begin(), texts.end()).size(), 1U) << "the seed is the same";
}

TEST_F(Api, ExternalWeightsComeFromTheModelThatThePlanWasMadeFrom) {
    const TemporaryFile gguf("small.gguf", random_llama(small_model).bytes());
    const TemporaryFile plan_path("external.ingot", {});
    compile_model(gguf.path(), {.f32 = true, .import = small_sizes, .external_weights = true, .cached = true},
                  plan_path.path());
    const Plan plan(plan_path.path().string());
    EXPECT_EQ(plan.info().external_weights, 1);
    const Device device;
    Opened embedded(path());
    const auto expect_same = [&](const LoadOptions& options) {
        Session session(Model(plan, device, options), {.threads = 2});
        const std::vector<std::int32_t> prompt = embedded.tokenizer.encode("and the");
        session.prefill(session.create_sequence(), prompt);
        embedded.session.prefill(embedded.session.create_sequence(), prompt);
        EXPECT_TRUE(std::ranges::equal(session.logits(), embedded.session.logits()));
    };
    expect_same({});
    const TemporaryFile moved("moved.gguf", random_llama(small_model).bytes());
    expect_same({.verify = true, .model_path = moved.path().string()});
    RandomLlama other = small_model;
    other.seed = 2;
    const TemporaryFile another("another.gguf", random_llama(other).bytes());
    EXPECT_EQ(code_of([&] { Model(plan, device, {.verify = true, .model_path = another.path().string()}); }),
              INGOT_BAD_FILE);
    EXPECT_EQ(code_of([&] { Model(plan, device, {.model_path = "/no/such/model.gguf"}); }), INGOT_IO);
}

} // namespace
} // namespace ingot::tests
