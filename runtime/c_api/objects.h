// What the handles of ingot.h stand for, and how its functions keep their rules.
#pragma once

#include "runtime/error.h"
#include "runtime/include/ingot.h"
#include "runtime/loaded_plan.h"
#include "runtime/sampler.h"
#include "runtime/session.h"
#include "runtime/text/tokenizer.h"

#include <memory>
#include <new>
#include <span>
#include <string>

struct ingot_plan {
    std::shared_ptr<const ingot::runtime::PlanFile> file;
};
struct ingot_device {
    std::shared_ptr<ingot::runtime::Device> device;
};
struct ingot_model {
    std::shared_ptr<const ingot::runtime::LoadedPlan> plan;
};
struct ingot_session {
    std::unique_ptr<ingot::runtime::Session> session;
};
struct ingot_tokenizer {
    std::shared_ptr<const ingot::runtime::Tokenizer> tokenizer;
};
struct ingot_text_decoder {
    std::shared_ptr<const ingot::runtime::Tokenizer> tokenizer;
    ingot::runtime::TextDecoder decoder;
    std::string text; // what the last call gave out
};
struct ingot_sampler {
    ingot::runtime::Sampler sampler;
};

namespace ingot::runtime::c_api {

// Puts code and message where the caller wants them; the message on one line, cut between characters.
ingot_code report(ingot_error* error, ingot_code code, const char* message) noexcept;

// Thrown where a callback asked to stop.
struct Stopped {};

// Runs a function's body; whatever it throws becomes a code.
template <class F>
ingot_code guarded(ingot_error* error, F&& body) noexcept {
    try {
        body();
        return INGOT_OK;
    } catch (const Error& e) {
        return report(error, static_cast<ingot_code>(e.code()), e.what());
    } catch (const Stopped&) {
        return report(error, INGOT_STOPPED, "the callback stopped it");
    } catch (const std::bad_alloc&) {
        return report(error, INGOT_OUT_OF_MEMORY, "out of memory");
    } catch (const std::exception& e) {
        return report(error, INGOT_INTERNAL, e.what());
    } catch (...) {
        return report(error, INGOT_INTERNAL, "an exception of unknown kind");
    }
}

// `pointer`, which must not be null.
template <class T>
T& given(T* pointer, const char* name) {
    if (pointer == nullptr) throw Error(Code::invalid_argument, name, "is NULL");
    return *pointer;
}

// `count` elements, none of which may be null.
template <class T>
std::span<T> given(T* pointer, std::size_t count, const char* name) {
    if (count > 0) given(pointer, name);
    return {pointer, count};
}

// A structure that begins with its size, as this build knows it.
template <class T>
T& sized(T* pointer, const char* name) {
    if (given(pointer, name).size != sizeof(T))
        throw Error(Code::invalid_argument, name,
                    "its size is not this library's: initialise it by its _INIT macro, and build with the "
                    "library's own ingot.h");
    return *pointer;
}

// Options that may be left out.
template <class T>
T options_or(const T* pointer, const T& defaults, const char* name) {
    return pointer == nullptr ? defaults : sized(pointer, name);
}

SamplerOptions sampler_options(const ingot_sampler_options* options);

} // namespace ingot::runtime::c_api
