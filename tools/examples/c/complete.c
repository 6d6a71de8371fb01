/* Lets a model go on with a text: complete PLAN [PROMPT [TOKENS]] */
#include <ingot.h>

#include <stdio.h>
#include <stdlib.h>

/* Prints text as it comes. */
static int print_text(void* user, int32_t id, const char* text, size_t length) {
    (void)user;
    (void)id;
    fwrite(text, 1, length, stdout);
    fflush(stdout);
    return 0;
}

static void fail(const char* what, const ingot_error* error) {
    fprintf(stderr, "%s: %s (code %d)\n", what, error->message, (int)error->code);
    exit(1);
}

int main(int argc, char** argv) {
    const char* prompt = argc > 2 ? argv[2] : "Once upon a time";
    ingot_plan* plan = NULL;
    ingot_device* device = NULL;
    ingot_model* model = NULL;
    ingot_session* session = NULL;
    ingot_tokenizer* tokenizer = NULL;
    ingot_sampler_options sampler = INGOT_SAMPLER_OPTIONS_INIT;
    ingot_generate_options options = INGOT_GENERATE_OPTIONS_INIT;
    ingot_generated result = INGOT_GENERATED_INIT;
    ingot_error error;

    if (argc < 2) {
        fprintf(stderr, "usage: %s PLAN [PROMPT [TOKENS]]\n", argv[0]);
        return 2;
    }
    if (ingot_plan_open(argv[1], &plan, &error) != INGOT_OK) fail("plan", &error);
    if (ingot_device_open(NULL, &device, &error) != INGOT_OK) fail("device", &error);
    if (ingot_model_load(plan, device, NULL, &model, &error) != INGOT_OK) fail("model", &error);
    if (ingot_tokenizer_create(plan, &tokenizer, &error) != INGOT_OK) fail("tokenizer", &error);
    if (ingot_session_open(model, NULL, &session, &error) != INGOT_OK) fail("session", &error);

    sampler.temperature = 0.0f; /* the most probable token, always */
    options.sampler = &sampler;
    options.max_tokens = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 40;
    printf("%s", prompt);
    if (ingot_complete(session, tokenizer, prompt, &options, print_text, NULL, &result, &error) != INGOT_OK)
        fail("generation", &error);
    printf("\n");
    fprintf(stderr, "%u tokens, %.1f a second\n", (unsigned)result.tokens,
            result.decode_seconds > 0 ? result.steps / result.decode_seconds : 0.0);

    ingot_session_free(session);
    ingot_tokenizer_free(tokenizer);
    ingot_model_free(model);
    ingot_device_free(device);
    ingot_plan_free(plan);
    return 0;
}
