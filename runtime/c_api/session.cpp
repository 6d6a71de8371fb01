// Sessions and sequences of ingot.h.
#include "runtime/c_api/objects.h"

#include "plan_generated.h"
#include "runtime/required.h"

using namespace ingot::runtime;
using namespace ingot::runtime::c_api;

namespace {

Session& session_of(const ingot_session* session) {
    return *given(session, "session").session;
}

} // namespace

extern "C" {

ingot_code ingot_session_open(const ingot_model* model, const ingot_session_options* options,
                              ingot_session** session, ingot_error* error) {
    return guarded(error, [&] {
        ingot_session*& out = given(session, "session");
        const auto o = options_or<ingot_session_options>(options, INGOT_SESSION_OPTIONS_INIT, "options");
        out = new ingot_session{
            Session::open(given(model, "model").plan,
                          {.queue = {.threads = o.threads, .spin_microseconds = o.spin_microseconds},
                           .reuse_prefixes = o.reuse_prefixes != 0})};
    });
}

void ingot_session_free(ingot_session* session) {
    delete session;
}

ingot_code ingot_session_get_info(const ingot_session* session, ingot_session_info* info,
                                  ingot_error* error) {
    return guarded(error, [&] {
        const Session& s = session_of(session);
        ingot_session_info& out = sized(info, "info");
        out.context = s.context();
        out.vocabulary_size = s.vocabulary_size();
        out.max_sequences = s.max_sequences();
        out.max_rows = s.max_rows();
        out.page_positions = required(s.plan().description().cache()).page_positions();
        out.free_pages = s.free_pages();
        out.threads = s.threads();
        out.device_allocations = static_cast<uint32_t>(s.device_allocations());
        out.memory_bytes = s.memory_bytes();
    });
}

ingot_code ingot_sequence_create(ingot_session* session, ingot_sequence* sequence, ingot_error* error) {
    return guarded(error, [&] {
        ingot_sequence& out = given(sequence, "sequence");
        out = static_cast<ingot_sequence>(session_of(session).create_sequence());
    });
}

ingot_code ingot_sequence_fork(ingot_session* session, ingot_sequence sequence, ingot_sequence* copy,
                               ingot_error* error) {
    return guarded(error, [&] {
        ingot_sequence& out = given(copy, "copy");
        out = static_cast<ingot_sequence>(session_of(session).fork(SequenceId{sequence}));
    });
}

ingot_code ingot_sequence_free(ingot_session* session, ingot_sequence sequence, ingot_error* error) {
    return guarded(error, [&] { session_of(session).free_sequence(SequenceId{sequence}); });
}

ingot_code ingot_sequence_truncate(ingot_session* session, ingot_sequence sequence, uint32_t length,
                                   ingot_error* error) {
    return guarded(error, [&] { session_of(session).truncate(SequenceId{sequence}, length); });
}

ingot_code ingot_sequence_length(const ingot_session* session, ingot_sequence sequence, uint32_t* length,
                                 ingot_error* error) {
    return guarded(error, [&] {
        uint32_t& out = given(length, "length");
        out = session_of(session).length(SequenceId{sequence});
    });
}

ingot_code ingot_session_prefill(ingot_session* session, ingot_sequence sequence, const int32_t* ids,
                                 size_t count, uint32_t* reused, ingot_error* error) {
    return guarded(error, [&] {
        const uint32_t known = session_of(session).prefill(SequenceId{sequence}, given(ids, count, "ids"));
        if (reused != nullptr) *reused = known;
    });
}

ingot_code ingot_session_decode(ingot_session* session, const ingot_step* steps, size_t count,
                                ingot_error* error) {
    return guarded(error, [&] {
        Session& s = session_of(session);
        const std::span<const ingot_step> all = given(steps, count, "steps");
        if (count == 1) return s.decode(SequenceId{all[0].sequence}, all[0].token);
        std::vector<Step> own;
        // Too many are the session's to refuse, without room for all of them.
        for (const ingot_step& step : all.first(std::min<std::size_t>(count, std::size_t{s.max_rows()} + 1)))
            own.push_back({.sequence = SequenceId{step.sequence}, .token = step.token});
        s.decode(own);
    });
}

ingot_code ingot_session_logits(ingot_session* session, uint32_t row, const float** logits,
                                ingot_error* error) {
    return guarded(error, [&] {
        const float*& out = given(logits, "logits");
        out = session_of(session).logits(row).data();
    });
}

ingot_code ingot_session_next(const ingot_session* session, uint32_t row, int32_t* id, ingot_error* error) {
    return guarded(error, [&] {
        int32_t& out = given(id, "id");
        out = session_of(session).next(row);
    });
}

ingot_code ingot_session_logits_for_all(ingot_session* session, ingot_sequence sequence, const int32_t* ids,
                                        size_t count, ingot_logits_callback callback, void* user,
                                        ingot_error* error) {
    return guarded(error, [&] {
        if (callback == nullptr) throw Error(Code::invalid_argument, "callback", "is NULL");
        session_of(session).logits_for_all(
            SequenceId{sequence}, given(ids, count, "ids"),
            [&](uint32_t index, std::span<const float> logits) {
                if (callback(user, index, logits.data(), static_cast<uint32_t>(logits.size())) != 0)
                    throw Stopped{};
            });
    });
}
}
