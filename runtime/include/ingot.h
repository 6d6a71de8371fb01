/* Ingot's C API (C99): running language models that `ingot compile` made into plans.
 *
 *     plan ──┬── tokenizer ── text decoder           text <-> token ids
 *            └── model (with a device) ── session    token ids -> logits -> token ids
 *
 * Rules of every function
 * - It returns INGOT_OK, or a code that says what went wrong. Where `error` is not NULL, code and message are
 *   then put there; otherwise *error stays as it was.
 * - Nothing is thrown, and nothing is written to standard output or standard error.
 * - Results are written only on success, and after an error no object has changed.
 * - A NULL pointer is INGOT_INVALID_ARGUMENT, except where "may be NULL" is written and for arrays of no
 *   elements. An object that was freed must not be used.
 * - Objects keep alive what they were made from, so they may be freed in any order. Freeing NULL does
 * nothing.
 * - Text is UTF-8. Strings that a function returns belong to the object it was asked of.
 *
 * Threads: plans, devices, models and tokenizers may be used by several threads at once. A session, a sampler
 * or a text decoder belongs to one thread at a time; a session that is in use is INGOT_INVALID_ARGUMENT.
 *
 * Structures that begin with `size` are filled by their _INIT macro first, so that a library that is newer or
 * older than this header notices.
 */
#ifndef INGOT_H
#define INGOT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define INGOT_API __attribute__((visibility("default")))
#else
#define INGOT_API
#endif

/* Of this header. Until 1.0 another minor version may change anything; after it only another major one. */
#define INGOT_VERSION_MAJOR 0
#define INGOT_VERSION_MINOR 1
#define INGOT_VERSION_PATCH 0

/* Of the library, e.g. "0.1.0". */
INGOT_API const char* ingot_version(void);

/* --- Errors --- */

typedef enum ingot_code {
    INGOT_OK = 0,
    INGOT_INVALID_ARGUMENT = 1, /* a call with values that its documentation excludes */
    INGOT_BAD_FILE = 2,         /* a file that is damaged or not of the kind expected */
    INGOT_VERSION = 3,          /* a plan of another format version */
    INGOT_TARGET = 4,           /* a plan for a machine that this is not */
    INGOT_OUT_OF_MEMORY = 5,    /* host memory, device memory, cache pages or sequences */
    INGOT_DEVICE = 6,           /* a device call failed or the device is lost */
    INGOT_IO = 7,               /* the operating system refused to read */
    INGOT_UNSUPPORTED = 8, /* well-formed, but not something this build does, or a device that is not here */
    INGOT_STOPPED = 9,     /* a callback asked for it */
    INGOT_INTERNAL = 10    /* a bug of Ingot's */
} ingot_code;

typedef struct ingot_error {
    ingot_code code;
    char message[1020]; /* one line with its NUL: what it is about, what is wrong, what to do */
} ingot_error;

/* --- Plans: model files that `ingot compile` made --- */

typedef struct ingot_plan ingot_plan;

/* Reads and checks everything but the weights' contents. BAD_FILE, VERSION, IO. */
INGOT_API ingot_code ingot_plan_open(const char* path, ingot_plan** plan, ingot_error* error);
INGOT_API void ingot_plan_free(ingot_plan* plan);

typedef struct ingot_plan_info {
    size_t size;
    const char* model_name;
    const char* architecture;  /* "llama" */
    const char* target;        /* "x86-64-v3" */
    const char* precision;     /* "default" or "f32" */
    const char* chat_template; /* Jinja; empty where the model has none */
    uint32_t context;          /* most positions of a sequence */
    uint32_t vocabulary_size;
    uint32_t layers;
    uint32_t embedding;
    uint32_t max_sequences;
    int32_t external_weights; /* 1: they are in the model file, which ingot_model_load reads; else 0 */
    uint64_t weights_bytes;   /* on the device */
    uint64_t session_bytes;   /* that each session takes beside them */
} ingot_plan_info;
/* clang-format off */
#define INGOT_PLAN_INFO_INIT {sizeof(ingot_plan_info), NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0}
/* clang-format on */

INGOT_API ingot_code ingot_plan_get_info(const ingot_plan* plan, ingot_plan_info* info, ingot_error* error);

/* --- Devices --- */

typedef struct ingot_device ingot_device;

/* "host", "hip" (an AMD card), "cuda" (an NVIDIA card) or "null" (runs nothing), or NULL for the one that
 * suits this machine best. INVALID_ARGUMENT names the known ones; UNSUPPORTED says what is missing for one.
 */
INGOT_API ingot_code ingot_device_open(const char* name, ingot_device** device, ingot_error* error);
INGOT_API void ingot_device_free(ingot_device* device);

typedef struct ingot_device_info {
    size_t size;
    const char* name;
    const char* model;  /* of the processor, for people */
    const char* target; /* to compile for: `ingot compile --target` */
    uint32_t cores;     /* physical ones, or compute units */
    uint64_t memory_bytes;
    uint64_t live_allocations; /* that were made of it and not given back */
} ingot_device_info;
#define INGOT_DEVICE_INFO_INIT {sizeof(ingot_device_info), NULL, NULL, NULL, 0, 0, 0}

INGOT_API ingot_code ingot_device_get_info(const ingot_device* device, ingot_device_info* info,
                                           ingot_error* error);

/* --- Models: a plan's weights and code on a device. Any number of sessions share one. --- */

typedef struct ingot_model ingot_model;

typedef struct ingot_load_options {
    size_t size;
    int32_t verify;         /* 1: compare checksums of all weights first, which reads them once more */
    const char* model_path; /* of a plan with external weights: the GGUF; NULL: where the plan says */
} ingot_load_options;
#define INGOT_LOAD_OPTIONS_INIT {sizeof(ingot_load_options), 0, NULL}

/* `options` may be NULL. TARGET (the device can't run the plan), OUT_OF_MEMORY, BAD_FILE, IO. */
INGOT_API ingot_code ingot_model_load(const ingot_plan* plan, const ingot_device* device,
                                      const ingot_load_options* options, ingot_model** model,
                                      ingot_error* error);
INGOT_API void ingot_model_free(ingot_model* model);

/* --- Sessions: memory and threads to run a model with. Takes all memory when it opens. --- */

typedef struct ingot_session ingot_session;

typedef struct ingot_session_options {
    size_t size;
    uint32_t threads;           /* of the host device; 0: one a physical core */
    uint32_t spin_microseconds; /* how long an idle thread watches for work before it sleeps */
    int32_t reuse_prefixes;     /* 1: keep what was computed, and start prompts behind known beginnings */
} ingot_session_options;
#define INGOT_SESSION_OPTIONS_INIT {sizeof(ingot_session_options), 0, 1000, 1}

/* `options` may be NULL. OUT_OF_MEMORY; BAD_FILE for a plan that is none of a language model. */
INGOT_API ingot_code ingot_session_open(const ingot_model* model, const ingot_session_options* options,
                                        ingot_session** session, ingot_error* error);
INGOT_API void ingot_session_free(ingot_session* session);

typedef struct ingot_session_info {
    size_t size;
    uint32_t context; /* most positions of a sequence */
    uint32_t vocabulary_size;
    uint32_t max_sequences;
    uint32_t max_rows;       /* most steps of one ingot_session_decode */
    uint32_t page_positions; /* positions of a page of the cache */
    uint32_t free_pages;     /* pages that new positions can have now */
    uint32_t threads;
    uint32_t device_allocations; /* of the session and its model */
    uint64_t memory_bytes;       /* without the weights */
} ingot_session_info;
#define INGOT_SESSION_INFO_INIT {sizeof(ingot_session_info), 0, 0, 0, 0, 0, 0, 0, 0, 0}

INGOT_API ingot_code ingot_session_get_info(const ingot_session* session, ingot_session_info* info,
                                            ingot_error* error);

/* A text in the making: its positions' keys and values are in the session's cache. Never 0, and never used
 * again within a session. */
typedef uint64_t ingot_sequence;

/* OUT_OF_MEMORY where max_sequences are open. */
INGOT_API ingot_code ingot_sequence_create(ingot_session* session, ingot_sequence* sequence,
                                           ingot_error* error);
/* A second sequence with the same past, which both share. */
INGOT_API ingot_code ingot_sequence_fork(ingot_session* session, ingot_sequence sequence,
                                         ingot_sequence* copy, ingot_error* error);
INGOT_API ingot_code ingot_sequence_free(ingot_session* session, ingot_sequence sequence, ingot_error* error);
/* Forgets everything from position `length` on. */
INGOT_API ingot_code ingot_sequence_truncate(ingot_session* session, ingot_sequence sequence, uint32_t length,
                                             ingot_error* error);
INGOT_API ingot_code ingot_sequence_length(const ingot_session* session, ingot_sequence sequence,
                                           uint32_t* length, ingot_error* error);

/* Appends `count` >= 1 ids and computes the logits after the last, which are row 0. `reused` may be NULL: how
 * many positions were there already and not computed. INVALID_ARGUMENT (ids outside of the vocabulary, the
 * context is full), OUT_OF_MEMORY (no pages). */
INGOT_API ingot_code ingot_session_prefill(ingot_session* session, ingot_sequence sequence,
                                           const int32_t* ids, size_t count, uint32_t* reused,
                                           ingot_error* error);

typedef struct ingot_step {
    ingot_sequence sequence;
    int32_t token;
} ingot_step;

/* Appends one token to each of 1 to max_rows different sequences; row i belongs to steps[i]. Errors as of
 * ingot_session_prefill. */
INGOT_API ingot_code ingot_session_decode(ingot_session* session, const ingot_step* steps, size_t count,
                                          ingot_error* error);

/* vocabulary_size logits of a row of the last step, valid until the next one. */
INGOT_API ingot_code ingot_session_logits(ingot_session* session, uint32_t row, const float** logits,
                                          ingot_error* error);
/* Index of a row's greatest logit, the first among equals; -1 where a logit is NaN. */
INGOT_API ingot_code ingot_session_next(const ingot_session* session, uint32_t row, int32_t* id,
                                        ingot_error* error);

/* Is given the logits after ids[index]; valid during the call. Anything but 0 stops. Must not use the
 * session. */
typedef int (*ingot_logits_callback)(void* user, uint32_t index, const float* logits,
                                     uint32_t vocabulary_size);
/* Appends `count` >= 1 ids and calls back with the logits after each of them. STOPPED, and errors as of
 * ingot_session_prefill; the sequence has not grown then. */
INGOT_API ingot_code ingot_session_logits_for_all(ingot_session* session, ingot_sequence sequence,
                                                  const int32_t* ids, size_t count,
                                                  ingot_logits_callback callback, void* user,
                                                  ingot_error* error);

/* --- Text --- */

typedef struct ingot_tokenizer ingot_tokenizer;

/* UNSUPPORTED for a plan without a vocabulary. */
INGOT_API ingot_code ingot_tokenizer_create(const ingot_plan* plan, ingot_tokenizer** tokenizer,
                                            ingot_error* error);
INGOT_API void ingot_tokenizer_free(ingot_tokenizer* tokenizer);

/* Ids of special tokens, -1 where the vocabulary has none. */
typedef struct ingot_tokenizer_info {
    size_t size;
    int32_t bos, eos, eot, unknown, padding;
    uint32_t tokens;
} ingot_tokenizer_info;
#define INGOT_TOKENIZER_INFO_INIT {sizeof(ingot_tokenizer_info), 0, 0, 0, 0, 0, 0}

INGOT_API ingot_code ingot_tokenizer_get_info(const ingot_tokenizer* tokenizer, ingot_tokenizer_info* info,
                                              ingot_error* error);

#define INGOT_ENCODE_ADD_SPECIAL 1u   /* BOS before and EOS after, where the vocabulary says so */
#define INGOT_ENCODE_PARSE_SPECIAL 2u /* control tokens written out in the text become their ids */

/* The ids of a text of any bytes. Like snprintf: *count is their number, and as many as `capacity` allows are
 * written, so a first call with capacity 0 (and ids NULL) tells how much room is needed. */
INGOT_API ingot_code ingot_tokenizer_encode(const ingot_tokenizer* tokenizer, const char* text, size_t length,
                                            uint32_t flags, int32_t* ids, size_t capacity, size_t* count,
                                            ingot_error* error);

/* A conversation by the model's own chat template, whose control tokens only the template itself may write.
 */
typedef struct ingot_chat_message {
    const char* role; /* "system", "user", "assistant" */
    const char* content;
} ingot_chat_message;

#define INGOT_CHAT_ADD_ANSWER 1u /* end with what opens the assistant's turn */

/* Results as of ingot_tokenizer_encode. UNSUPPORTED for a model without a template, or with one outside of
 * the subset of Jinja that Ingot knows; INVALID_ARGUMENT where the template refuses the conversation. */
INGOT_API ingot_code ingot_tokenizer_encode_chat(const ingot_tokenizer* tokenizer,
                                                 const ingot_chat_message* messages, size_t message_count,
                                                 uint32_t flags, int32_t* ids, size_t capacity, size_t* count,
                                                 ingot_error* error);

#define INGOT_DECODE_SPECIAL 1u   /* write control tokens out; otherwise they give no text */
#define INGOT_DECODE_CONTINUES 2u /* the ids go on from others, so a space in front stays */

/* The text of some ids: well-formed UTF-8. *length is its bytes without the NUL; what is written is cut to
 * `capacity` bytes with the NUL (nothing at all where that is 0). */
INGOT_API ingot_code ingot_tokenizer_decode(const ingot_tokenizer* tokenizer, const int32_t* ids,
                                            size_t count, uint32_t flags, char* text, size_t capacity,
                                            size_t* length, ingot_error* error);

/* 1 where generation stops at `id`, else 0. */
INGOT_API ingot_code ingot_tokenizer_is_end_of_text(const ingot_tokenizer* tokenizer, int32_t id,
                                                    int32_t* is_end, ingot_error* error);

/* Ids to text as they come, in whole characters. `flags` as of ingot_tokenizer_decode. */
typedef struct ingot_text_decoder ingot_text_decoder;
INGOT_API ingot_code ingot_text_decoder_create(const ingot_tokenizer* tokenizer, uint32_t flags,
                                               ingot_text_decoder** decoder, ingot_error* error);
INGOT_API void ingot_text_decoder_free(ingot_text_decoder* decoder);
/* The text that `id` completes, NUL-terminated and often empty; valid until the next call. */
INGOT_API ingot_code ingot_text_decoder_push(ingot_text_decoder* decoder, int32_t id, const char** text,
                                             size_t* length, ingot_error* error);
/* What is left at the end: U+FFFD for bytes that never made a character. */
INGOT_API ingot_code ingot_text_decoder_flush(ingot_text_decoder* decoder, const char** text, size_t* length,
                                              ingot_error* error);

/* --- Choosing tokens --- */

/* In this order: repetition penalty, top-k, top-p, min-p, temperature. */
typedef struct ingot_sampler_options {
    size_t size;
    float temperature;        /* 0: the most probable token, always */
    int32_t top_k;            /* keep the k most probable; 0: all */
    float top_p;              /* of these the fewest that together reach p; 1: all */
    float min_p;              /* of these the ones with p times the best's probability; 0: all */
    float repetition_penalty; /* logits of recent tokens are divided by it if positive, else multiplied; 1: no
                               */
    int32_t repetition_window; /* how many tokens are recent */
    uint64_t seed;             /* the same seed makes the same choices, on every machine */
} ingot_sampler_options;
#define INGOT_SAMPLER_OPTIONS_INIT {sizeof(ingot_sampler_options), 0.8f, 40, 0.95f, 0.05f, 1.0f, 64, 0}

typedef struct ingot_sampler ingot_sampler;

/* `options` may be NULL. INVALID_ARGUMENT names an option out of range. */
INGOT_API ingot_code ingot_sampler_create(const ingot_sampler_options* options, size_t vocabulary_size,
                                          ingot_sampler** sampler, ingot_error* error);
INGOT_API void ingot_sampler_free(ingot_sampler* sampler);
/* Chooses one of `count` = vocabulary_size logits. Does not accept it. */
INGOT_API ingot_code ingot_sampler_sample(ingot_sampler* sampler, const float* logits, size_t count,
                                          int32_t* id, ingot_error* error);
/* Records a token of the sequence, of the prompt or chosen, for the penalty. */
INGOT_API ingot_code ingot_sampler_accept(ingot_sampler* sampler, int32_t id, ingot_error* error);

/* --- All together --- */

typedef struct ingot_generate_options {
    size_t size;
    uint32_t max_tokens;
    const ingot_sampler_options* sampler; /* NULL: the defaults */
} ingot_generate_options;
#define INGOT_GENERATE_OPTIONS_INIT {sizeof(ingot_generate_options), 256, NULL}

typedef enum ingot_stop {
    INGOT_STOP_END_OF_TEXT = 1,
    INGOT_STOP_LENGTH = 2,  /* max_tokens */
    INGOT_STOP_CONTEXT = 3, /* the context is full */
    INGOT_STOP_CALLBACK = 4
} ingot_stop;

typedef struct ingot_generated {
    size_t size;
    ingot_stop stop;
    uint32_t tokens;       /* chosen, the one that ends the text included */
    uint32_t steps;        /* decode steps, in decode_seconds */
    uint32_t reused;       /* positions of the prompt that were not computed */
    double prompt_seconds; /* to the prompt's logits */
    double decode_seconds;
} ingot_generated;
#define INGOT_GENERATED_INIT {sizeof(ingot_generated), INGOT_STOP_LENGTH, 0, 0, 0, 0.0, 0.0}

/* Is given each token as it is chosen and the text that it completes, NUL-terminated and often empty; once
 * more at the end, with id -1, where text is left. Anything but 0 stops; that is no error. Must not use the
 * session. */
typedef int (*ingot_text_callback)(void* user, int32_t id, const char* text, size_t length);

/* Appends the prompt of `count` >= 1 ids to a sequence and chooses tokens. The last one chosen is not
 * appended. `options`, `callback` and `result` may be NULL. After an error the sequence holds what was
 * computed so far. Errors as of ingot_session_prefill and ingot_sampler_create. */
INGOT_API ingot_code ingot_generate(ingot_session* session, ingot_sequence sequence,
                                    const ingot_tokenizer* tokenizer, const int32_t* prompt, size_t count,
                                    const ingot_generate_options* options, ingot_text_callback callback,
                                    void* user, ingot_generated* result, ingot_error* error);

/* The same for a text, in a sequence of its own that is gone afterwards. `prompt` is NUL-terminated and not
 * empty; control tokens written out in it become their ids. */
INGOT_API ingot_code ingot_complete(ingot_session* session, const ingot_tokenizer* tokenizer,
                                    const char* prompt, const ingot_generate_options* options,
                                    ingot_text_callback callback, void* user, ingot_generated* result,
                                    ingot_error* error);

#ifdef __cplusplus
}
#endif

#endif
