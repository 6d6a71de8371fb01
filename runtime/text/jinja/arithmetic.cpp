#include "runtime/text/jinja/operators.h"

#include "runtime/error.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace ingot::runtime::jinja {
namespace {

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();

std::string_view symbol_of(BinaryOp op) {
    static constexpr std::string_view symbols[] = {"+", "-", "*", "/", "//", "%", "**", "and", "or"};
    return symbols[static_cast<std::size_t>(op)];
}

[[noreturn]] void overflow() {
    throw Error(Code::unsupported, "", "the result is an integer beyond 64 bits");
}

[[noreturn]] void divided_by_zero() {
    throw Error(Code::invalid_argument, "", "division by zero");
}

double as_double(const Value& value) {
    const double* real = value.get<double>();
    return real != nullptr ? *real : static_cast<double>(*as_integer(value));
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
    if (b == 0) divided_by_zero();
    if (a == lowest && b == -1) overflow();
    return a / b - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
}

// The sign of the result is that of b.
std::int64_t modulo(std::int64_t a, std::int64_t b) {
    if (b == 0) divided_by_zero();
    if (b == -1) return 0; // what the machine can't do for the lowest integer
    const std::int64_t rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

double modulo(double a, double b) {
    if (b == 0) divided_by_zero();
    const double rest = std::fmod(a, b);
    if (rest == 0) return std::copysign(0.0, b);
    return (rest < 0) != (b < 0) ? rest + b : rest;
}

double floor_divide(double a, double b) {
    const double rest = modulo(a, b);
    const double quotient = (a - rest) / b;
    return quotient == 0 ? std::copysign(0.0, a / b) : std::round(quotient);
}

Value power(std::int64_t base, std::int64_t exponent) {
    if (exponent < 0) {
        if (base == 0) divided_by_zero();
        return std::pow(static_cast<double>(base), static_cast<double>(exponent));
    }
    std::int64_t result = 1;
    for (std::int64_t square = base; exponent > 0; exponent >>= 1) {
        if ((exponent & 1) != 0 && __builtin_mul_overflow(result, square, &result)) overflow();
        if (exponent > 1 && __builtin_mul_overflow(square, square, &square)) overflow();
    }
    return result;
}

double power(double base, double exponent) {
    if (base == 0 && exponent < 0) divided_by_zero();
    const double result = std::pow(base, exponent);
    if (std::isnan(result) && !std::isnan(base) && !std::isnan(exponent))
        throw Error(Code::unsupported, "", "the result is a complex number");
    if (std::isinf(result) && std::isfinite(base) && std::isfinite(exponent))
        throw Error(Code::invalid_argument, "", "the result is beyond the range of a float");
    return result;
}

Value of_integers(BinaryOp op, std::int64_t a, std::int64_t b) {
    std::int64_t result = 0;
    bool wraps = false;
    switch (op) {
    case BinaryOp::add:
        wraps = __builtin_add_overflow(a, b, &result);
        break;
    case BinaryOp::subtract:
        wraps = __builtin_sub_overflow(a, b, &result);
        break;
    case BinaryOp::multiply:
        wraps = __builtin_mul_overflow(a, b, &result);
        break;
    case BinaryOp::floor_divide:
        return floor_divide(a, b);
    case BinaryOp::modulo:
        return modulo(a, b);
    case BinaryOp::power:
        return power(a, b);
    default:
        if (b == 0) divided_by_zero();
        return static_cast<double>(a) / static_cast<double>(b);
    }
    if (wraps) overflow();
    return result;
}

Value of_reals(BinaryOp op, double a, double b) {
    switch (op) {
    case BinaryOp::add:
        return a + b;
    case BinaryOp::subtract:
        return a - b;
    case BinaryOp::multiply:
        return a * b;
    case BinaryOp::floor_divide:
        return floor_divide(a, b);
    case BinaryOp::modulo:
        return modulo(a, b);
    case BinaryOp::power:
        return power(a, b);
    default:
        if (b == 0) divided_by_zero();
        return a / b;
    }
}

Value joined(Budget& budget, const List& a, const List& b) {
    budget.take((a.items.size() + b.items.size()) * sizeof(Value));
    Items items = a.items;
    items.insert(items.end(), b.items.begin(), b.items.end());
    return budget.list(std::move(items), a.is_tuple);
}

Value repeated(Budget& budget, const Value& value, std::int64_t times) {
    const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(times, 0));
    if (const MarkedText* text = value.as_text()) {
        TextBuilder result(budget);
        for (std::uint64_t i = 0; i < count && !text->empty(); ++i)
            result.append(*text);
        return result.finish();
    }
    const List& list = *value.as_list();
    Items items;
    for (std::uint64_t i = 0; i < count && !list.items.empty(); ++i) {
        budget.take(list.items.size() * sizeof(Value));
        items.insert(items.end(), list.items.begin(), list.items.end());
    }
    return budget.list(std::move(items), list.is_tuple);
}

bool is_sequence(const Value& value) {
    return value.as_text() != nullptr || value.as_list() != nullptr;
}

} // namespace

Value arithmetic(Budget& budget, BinaryOp op, const Value& a, const Value& b) {
    budget.step();
    if (is_number(a) && is_number(b)) {
        if (a.is<double>() || b.is<double>()) return of_reals(op, as_double(a), as_double(b));
        return of_integers(op, *as_integer(a), *as_integer(b));
    }
    if (op == BinaryOp::add) {
        if (a.as_text() != nullptr && b.as_text() != nullptr)
            return TextBuilder(budget).append(*a.as_text()).append(*b.as_text()).finish();
        const List* first = a.as_list();
        const List* second = b.as_list();
        if (first != nullptr && second != nullptr && first->is_tuple == second->is_tuple)
            return joined(budget, *first, *second);
    }
    if (op == BinaryOp::multiply && is_sequence(a) && as_integer(b))
        return repeated(budget, a, *as_integer(b));
    if (op == BinaryOp::multiply && is_sequence(b) && as_integer(a))
        return repeated(budget, b, *as_integer(a));
    if (op == BinaryOp::modulo && a.as_text() != nullptr)
        throw Error(Code::unsupported, "", "formatting by '%' is not supported");
    throw Error(Code::invalid_argument, "",
                fmt::format("'{}' does not work on {} and {}", symbol_of(op), kind_of(a), kind_of(b)));
}

Value negate(const Value& value) {
    if (const double* real = value.get<double>()) return -*real;
    const std::optional<std::int64_t> integer = as_integer(value);
    if (!integer) throw Error(Code::invalid_argument, "", fmt::format("{} has no sign", kind_of(value)));
    if (*integer == lowest) overflow();
    return -*integer;
}

} // namespace ingot::runtime::jinja
