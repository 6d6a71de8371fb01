// What the C API promises of faults: nulls, structures of another size, messages, the order of freeing.
#include "small_api.h"

#include <cstring>

#include <gmock/gmock.h>

namespace ingot::tests {
namespace {

using testing::HasSubstr;

// Every function with every pointer that must not be null.
TEST_F(Api, NullIsAnErrorAndNoCrash) {
    Opened o(path());
    ingot_plan* plan = nullptr;
    ingot_model* model = nullptr;
    ingot_session* session = nullptr;
    ingot_tokenizer* tokenizer = nullptr;
    ingot_text_decoder* decoder = nullptr;
    ingot_sampler* sampler = nullptr;
    const Sampler good_sampler({}, 333);
    TextDecoder good_decoder(o.tokenizer);
    const Sequence sequence = o.session.create_sequence();
    uint64_t made = 0;
    uint32_t number = 0;
    int32_t id = 1;
    size_t size = 0;
    const char* text = nullptr;
    const float* logits = nullptr;
    const float value = 0;
    const ingot_step step = {sequence, 1};
    const auto each = [](void*, uint32_t, const float*, uint32_t) { return 0; };
    ingot_error e;
    const std::vector<ingot_code> codes = {
        ingot_plan_open(nullptr, &plan, &e),
        ingot_plan_open(path().c_str(), nullptr, &e),
        ingot_plan_get_info(o.plan.get(), nullptr, &e),
        ingot_plan_get_info(nullptr, nullptr, &e),
        ingot_device_open(nullptr, nullptr, &e),
        ingot_device_get_info(o.device.get(), nullptr, &e),
        ingot_device_get_info(nullptr, nullptr, &e),
        ingot_model_load(nullptr, o.device.get(), nullptr, &model, &e),
        ingot_model_load(o.plan.get(), nullptr, nullptr, &model, &e),
        ingot_model_load(o.plan.get(), o.device.get(), nullptr, nullptr, &e),
        ingot_session_open(nullptr, nullptr, &session, &e),
        ingot_session_open(o.model.get(), nullptr, nullptr, &e),
        ingot_session_get_info(o.session.get(), nullptr, &e),
        ingot_session_get_info(nullptr, nullptr, &e),
        ingot_sequence_create(nullptr, &made, &e),
        ingot_sequence_create(o.session.get(), nullptr, &e),
        ingot_sequence_fork(nullptr, sequence, &made, &e),
        ingot_sequence_fork(o.session.get(), sequence, nullptr, &e),
        ingot_sequence_free(nullptr, sequence, &e),
        ingot_sequence_truncate(nullptr, sequence, 0, &e),
        ingot_sequence_length(nullptr, sequence, &number, &e),
        ingot_sequence_length(o.session.get(), sequence, nullptr, &e),
        ingot_session_prefill(nullptr, sequence, &id, 1, nullptr, &e),
        ingot_session_prefill(o.session.get(), sequence, nullptr, 1, nullptr, &e),
        ingot_session_prefill(o.session.get(), sequence, nullptr, 0, nullptr, &e),
        ingot_session_decode(nullptr, &step, 1, &e),
        ingot_session_decode(o.session.get(), nullptr, 1, &e),
        ingot_session_decode(o.session.get(), nullptr, 0, &e),
        ingot_session_logits(nullptr, 0, &logits, &e),
        ingot_session_logits(o.session.get(), 0, nullptr, &e),
        ingot_session_next(nullptr, 0, &id, &e),
        ingot_session_next(o.session.get(), 0, nullptr, &e),
        ingot_session_logits_for_all(nullptr, sequence, &id, 1, each, nullptr, &e),
        ingot_session_logits_for_all(o.session.get(), sequence, nullptr, 1, each, nullptr, &e),
        ingot_session_logits_for_all(o.session.get(), sequence, &id, 1, nullptr, nullptr, &e),
        ingot_tokenizer_create(nullptr, &tokenizer, &e),
        ingot_tokenizer_create(o.plan.get(), nullptr, &e),
        ingot_tokenizer_get_info(nullptr, nullptr, &e),
        ingot_tokenizer_get_info(o.tokenizer.get(), nullptr, &e),
        ingot_tokenizer_encode(nullptr, "a", 1, 0, nullptr, 0, &size, &e),
        ingot_tokenizer_encode(o.tokenizer.get(), nullptr, 1, 0, nullptr, 0, &size, &e),
        ingot_tokenizer_encode(o.tokenizer.get(), "a", 1, 0, nullptr, 1, &size, &e),
        ingot_tokenizer_encode(o.tokenizer.get(), "a", 1, 0, nullptr, 0, nullptr, &e),
        ingot_tokenizer_decode(nullptr, &id, 1, 0, nullptr, 0, &size, &e),
        ingot_tokenizer_decode(o.tokenizer.get(), nullptr, 1, 0, nullptr, 0, &size, &e),
        ingot_tokenizer_decode(o.tokenizer.get(), &id, 1, 0, nullptr, 1, &size, &e),
        ingot_tokenizer_decode(o.tokenizer.get(), &id, 1, 0, nullptr, 0, nullptr, &e),
        ingot_tokenizer_is_end_of_text(nullptr, 1, &id, &e),
        ingot_tokenizer_is_end_of_text(o.tokenizer.get(), 1, nullptr, &e),
        ingot_text_decoder_create(nullptr, 0, &decoder, &e),
        ingot_text_decoder_create(o.tokenizer.get(), 0, nullptr, &e),
        ingot_text_decoder_push(nullptr, 1, &text, &size, &e),
        ingot_text_decoder_push(good_decoder.get(), 1, nullptr, &size, &e),
        ingot_text_decoder_push(good_decoder.get(), 1, &text, nullptr, &e),
        ingot_text_decoder_flush(nullptr, &text, &size, &e),
        ingot_text_decoder_flush(good_decoder.get(), nullptr, &size, &e),
        ingot_text_decoder_flush(good_decoder.get(), &text, nullptr, &e),
        ingot_sampler_create(nullptr, 333, nullptr, &e),
        ingot_sampler_create(nullptr, 0, &sampler, &e),
        ingot_sampler_sample(nullptr, &value, 1, &id, &e),
        ingot_sampler_sample(good_sampler.get(), nullptr, 333, &id, &e),
        ingot_sampler_sample(good_sampler.get(), &value, 1, nullptr, &e),
        ingot_sampler_accept(nullptr, 1, &e),
        ingot_generate(nullptr, sequence, o.tokenizer.get(), &id, 1, nullptr, nullptr, nullptr, nullptr, &e),
        ingot_generate(o.session.get(), sequence, nullptr, &id, 1, nullptr, nullptr, nullptr, nullptr, &e),
        ingot_generate(o.session.get(), sequence, o.tokenizer.get(), nullptr, 1, nullptr, nullptr, nullptr,
                       nullptr, &e),
        ingot_generate(o.session.get(), sequence, o.tokenizer.get(), nullptr, 0, nullptr, nullptr, nullptr,
                       nullptr, &e),
        ingot_complete(nullptr, o.tokenizer.get(), "a", nullptr, nullptr, nullptr, nullptr, &e),
        ingot_complete(o.session.get(), nullptr, "a", nullptr, nullptr, nullptr, nullptr, &e),
        ingot_complete(o.session.get(), o.tokenizer.get(), nullptr, nullptr, nullptr, nullptr, nullptr, &e),
    };
    for (std::size_t i = 0; i < codes.size(); ++i)
        EXPECT_EQ(codes[i], INGOT_INVALID_ARGUMENT) << "call " << i;
    EXPECT_EQ(ingot_plan_open(nullptr, &plan, nullptr), INGOT_INVALID_ARGUMENT) << "nobody asks why";
    EXPECT_EQ(plan, nullptr);
    EXPECT_EQ(o.session.length(sequence), 0U);
    ingot_plan_free(nullptr);
    ingot_device_free(nullptr);
    ingot_model_free(nullptr);
    ingot_session_free(nullptr);
    ingot_tokenizer_free(nullptr);
    ingot_text_decoder_free(nullptr);
    ingot_sampler_free(nullptr);
}

TEST_F(Api, AnErrorHasItsCodeAndOneLineThatFits) {
    ingot_plan* plan = nullptr;
    ingot_error error;
    error.code = INGOT_OK;
    std::strcpy(error.message, "untouched");
    ASSERT_EQ(ingot_plan_open(path().c_str(), &plan, &error), INGOT_OK);
    EXPECT_EQ(error.code, INGOT_OK);
    EXPECT_STREQ(error.message, "untouched");
    ingot_plan_free(plan);

    EXPECT_EQ(ingot_plan_open("/no/such\nfolder/\x01plan", &plan, &error), INGOT_IO);
    EXPECT_EQ(error.code, INGOT_IO);
    EXPECT_THAT(error.message, HasSubstr("/no/such folder/ plan"));
    // Cut between characters where it is too long.
    std::string longest = "/";
    while (longest.size() < 3000)
        longest += "\u20ac";
    EXPECT_EQ(ingot_plan_open(longest.c_str(), &plan, &error), INGOT_IO);
    const std::size_t length = std::strlen(error.message);
    EXPECT_GE(length, sizeof error.message - 4);
    EXPECT_EQ((length - 1) % 3, 0U);
    EXPECT_EQ(std::string_view(error.message).substr(length - 3), "\u20ac");
    EXPECT_EQ(code_of([] { Device("toaster"); }), INGOT_INVALID_ARGUMENT);
}

TEST_F(Api, StructuresOfAnotherSizeAreNoticed) {
    Opened o(path());
    const auto expect_refused = [](ingot_code code, const ingot_error& e) {
        EXPECT_EQ(code, INGOT_INVALID_ARGUMENT);
        EXPECT_THAT(e.message, HasSubstr("_INIT"));
    };
    ingot_error e;
    ingot_plan_info info = {};
    expect_refused(ingot_plan_get_info(o.plan.get(), &info, &e), e);
    ingot_session_options options = INGOT_SESSION_OPTIONS_INIT;
    options.size += 8;
    ingot_session* session = nullptr;
    expect_refused(ingot_session_open(o.model.get(), &options, &session, &e), e);
    ingot_load_options load = {};
    ingot_model* model = nullptr;
    expect_refused(ingot_model_load(o.plan.get(), o.device.get(), &load, &model, &e), e);
    ingot_sampler_options sampler_options = {};
    ingot_sampler* sampler = nullptr;
    expect_refused(ingot_sampler_create(&sampler_options, 333, &sampler, &e), e);
    ingot_generated result = {};
    expect_refused(
        ingot_complete(o.session.get(), o.tokenizer.get(), "a", nullptr, nullptr, nullptr, &result, &e), e);
}

TEST_F(Api, ObjectsMayBeFreedInAnyOrder) {
    ingot_plan* plan = nullptr;
    ingot_device* device = nullptr;
    ingot_model* model = nullptr;
    ingot_session* session = nullptr;
    ingot_tokenizer* tokenizer = nullptr;
    ingot_text_decoder* decoder = nullptr;
    ASSERT_EQ(ingot_plan_open(path().c_str(), &plan, nullptr), INGOT_OK);
    ASSERT_EQ(ingot_device_open("host", &device, nullptr), INGOT_OK);
    ASSERT_EQ(ingot_model_load(plan, device, nullptr, &model, nullptr), INGOT_OK);
    ingot_device_free(device);
    ASSERT_EQ(ingot_tokenizer_create(plan, &tokenizer, nullptr), INGOT_OK);
    ingot_plan_free(plan);
    ASSERT_EQ(ingot_session_open(model, nullptr, &session, nullptr), INGOT_OK);
    ingot_model_free(model);
    ASSERT_EQ(ingot_text_decoder_create(tokenizer, INGOT_DECODE_CONTINUES, &decoder, nullptr), INGOT_OK);
    uint64_t sequence = 0;
    ASSERT_EQ(ingot_sequence_create(session, &sequence, nullptr), INGOT_OK);
    EXPECT_NE(sequence, 0U);
    const int32_t ids[] = {1, 300, 301};
    ASSERT_EQ(ingot_session_prefill(session, sequence, ids, 3, nullptr, nullptr), INGOT_OK);
    EXPECT_EQ(ingot_complete(session, tokenizer, "the", nullptr, nullptr, nullptr, nullptr, nullptr),
              INGOT_OK);
    ingot_tokenizer_free(tokenizer);
    const char* text = nullptr;
    size_t length = 0;
    ASSERT_EQ(ingot_text_decoder_push(decoder, 3 + 'x', &text, &length, nullptr), INGOT_OK);
    EXPECT_STREQ(text, "x");
    ingot_text_decoder_free(decoder);
    ingot_session_free(session);
}

} // namespace
} // namespace ingot::tests
