#include "runtime/text/jinja/interpreter.h"

#include "runtime/error.h"
#include "runtime/text/jinja/bind_arguments.h"
#include "runtime/text/jinja/builtin.h"
#include "runtime/text/jinja/operators.h"
#include "runtime/text/jinja/scopes.h"
#include "runtime/text/jinja/source_error.h"
#include "runtime/text/jinja/text_form.h"

#include <memory>
#include <utility>

#include <fmt/format.h>

namespace ingot::runtime::jinja {
namespace {

// Of statements and expressions inside each other, over all macro calls; a level takes up to a few kB of
// stack.
constexpr std::size_t most_levels = 1000;

// What a statement does to the loop around it.
enum class Flow { goes_on, breaks, continues };

class Interpreter {
  public:
    Interpreter(const Template& source, const std::optional<std::tm>& now, const RenderLimits& limits)
        : source_(source), limits_(limits),
          context_{.budget{limits.steps, limits.bytes}, .now = now, .namespaces = {}},
          scopes_(context_.budget), output_(context_.budget), out_(&output_) {}

    void define(const Entries& variables) {
        for (NameId id = 0; id < source_.names.size(); ++id) {
            const Value* value = find(variables, source_.names[id]);
            if (value != nullptr) scopes_.set(id, *value);
        }
        for (NameId id = 0; id < source_.names.size(); ++id)
            if (source_.names[id] == "loop") loop_name_ = id;
    }

    MarkedText run() {
        try {
            run(source_.body);
        } catch (const Error& e) {
            if (!e.where().empty()) throw;
            throw source_error(e.code(), source_.name, source_.source, at_, e.what());
        }
        return output_.text();
    }

  private:
    [[noreturn]] static void fail(const std::string& message) {
        throw Error(Code::invalid_argument, "", message);
    }

    Budget& budget() { return context_.budget; }

    // Down one level, at a place that errors name until another comes.
    class Level {
      public:
        Level(Interpreter& interpreter, std::uint32_t at) : interpreter_(interpreter) {
            interpreter_.at_ = at;
            interpreter_.budget().step();
            if (interpreter_.levels_ == most_levels)
                throw Error(Code::unsupported, "", fmt::format("nested more than {} deep", most_levels));
            ++interpreter_.levels_;
        }
        ~Level() { --interpreter_.levels_; }
        Level(const Level&) = delete;
        Level& operator=(const Level&) = delete;

      private:
        Interpreter& interpreter_;
    };

    // Statements.

    Flow run(const Body& body) {
        for (const Statement& statement : body) {
            const Level level(*this, statement.at);
            const Flow flow =
                std::visit([&](const auto& node) { return run(node, statement.at); }, statement.node);
            if (flow != Flow::goes_on) return flow;
        }
        return Flow::goes_on;
    }

    Flow run(const Output& node, std::uint32_t at) {
        const Value value = evaluate(*node.value);
        at_ = at;
        append_text(*out_, value);
        if (output_.text().size() > limits_.output_bytes)
            throw Error(Code::unsupported, "",
                        fmt::format("renders more than {} bytes", limits_.output_bytes));
        return Flow::goes_on;
    }

    Flow run(const If& node, std::uint32_t) {
        for (const auto& [test, body] : node.branches)
            if (is_true(evaluate(*test))) return run(body);
        return run(node.otherwise);
    }

    Flow run(const For& node, std::uint32_t at) {
        const Value iterable = evaluate(*node.iterable);
        at_ = at;
        Value::ListRef over = iterate(budget(), iterable);
        if (node.condition != nullptr) over = chosen(node, *over, at);
        if (over->items.empty()) {
            const Scopes::Inner scope(scopes_, Scopes::Inner::Sees::all);
            return run(node.otherwise);
        }
        const auto loop = std::make_shared<Loop>(Loop{.over = over});
        for (; loop->index < over->items.size(); ++loop->index) {
            budget().step();
            const Scopes::Inner scope(scopes_, Scopes::Inner::Sees::all);
            if (loop_name_) scopes_.set(*loop_name_, Value(Value::LoopRef(loop)));
            at_ = at;
            assign_to(node.target, over->items[loop->index]);
            if (run(node.body) == Flow::breaks) break;
        }
        return Flow::goes_on;
    }

    // The items for which the loop's condition holds.
    Value::ListRef chosen(const For& node, const List& over, std::uint32_t at) {
        Items kept;
        for (const Value& item : over.items) {
            const Scopes::Inner scope(scopes_, Scopes::Inner::Sees::all);
            at_ = at;
            assign_to(node.target, item);
            if (!is_true(evaluate(*node.condition))) continue;
            budget().take(sizeof(Value));
            kept.push_back(item);
        }
        return *budget().list(std::move(kept)).get<Value::ListRef>();
    }

    Flow run(const Set& node, std::uint32_t at) {
        const Value value = evaluate(*node.value);
        at_ = at;
        assign_to(node.target, value);
        return Flow::goes_on;
    }

    Flow run(const SetBlock& node, std::uint32_t at) {
        Value text;
        {
            const Scopes::Inner scope(scopes_, Scopes::Inner::Sees::all);
            text = captured_from(node.body);
        }
        const Value outer = std::exchange(captured_, std::move(text));
        const Value value = evaluate(*node.value);
        captured_ = outer;
        at_ = at;
        assign_to(node.target, value);
        return Flow::goes_on;
    }

    Flow run(const Macro& node, std::uint32_t) {
        scopes_.set(node.name, Value(&node));
        return Flow::goes_on;
    }

    Flow run(const Break&, std::uint32_t) { return Flow::breaks; }
    Flow run(const Continue&, std::uint32_t) { return Flow::continues; }

    // What `body` renders, as a value instead of output.
    Value captured_from(const Body& body) {
        TextBuilder inner(budget());
        TextBuilder* const outer = std::exchange(out_, &inner);
        run(body); // an error ends the whole rendering, so nobody misses `outer` then
        out_ = outer;
        return inner.finish();
    }

    void assign_to(const Target& target, const Value& value) {
        if (!target.unpacks) return assign_to(target.items.front(), value);
        const Value::ListRef list = iterate(budget(), value);
        if (list->items.size() != target.items.size())
            fail(fmt::format("{} values for {} names", list->items.size(), target.items.size()));
        for (std::size_t i = 0; i < target.items.size(); ++i)
            assign_to(target.items[i], list->items[i]);
    }

    void assign_to(const Target::Item& item, const Value& value) {
        if (!item.attribute) return scopes_.set(item.name, value);
        const Value* owner = scopes_.find(item.name);
        Namespace* const* space = owner == nullptr ? nullptr : owner->get<Namespace*>();
        if (space == nullptr)
            fail(fmt::format("'{}' is no namespace, so it can't be set", source_.names[item.name]));
        budget().step(1 + (*space)->attributes.size() / 8);
        budget().take(sizeof(Entry) + item.attribute->size());
        assign((*space)->attributes, MarkedText(*item.attribute, true), value);
    }

    // Expressions.

    Value evaluate(const Expr& expr) {
        const Level level(*this, expr.at);
        return std::visit([&](const auto& node) { return evaluate(node, expr.at); }, expr.node);
    }

    Value evaluate_or_undefined(const ExprPtr& expr) { return expr == nullptr ? Value() : evaluate(*expr); }

    Items evaluate_all(const Exprs& all) {
        Items values;
        values.reserve(all.size());
        for (const ExprPtr& expr : all)
            values.push_back(evaluate_or_undefined(expr));
        return values;
    }

    Value evaluate(const Literal& node, std::uint32_t) { return node.value; }

    Value evaluate(const Variable& node, std::uint32_t) {
        if (const Value* value = scopes_.find(node.name)) return *value;
        if (node.function == nullptr) return {};
        // A template asks whether it is there and has a date of its own otherwise.
        if (node.function->name == "strftime_now" && !context_.now) return {};
        return node.function;
    }

    Value evaluate(const ListDisplay& node, std::uint32_t) {
        return budget().list(evaluate_all(node.items), node.is_tuple);
    }

    Value evaluate(const DictDisplay& node, std::uint32_t at) {
        Entries entries;
        for (const auto& [key_expr, value_expr] : node.entries) {
            const Value key = evaluate(*key_expr);
            at_ = at;
            if (key.as_text() == nullptr)
                throw Error(Code::unsupported, "",
                            fmt::format("a dictionary's key is {}, not a string", kind_of(key)));
            budget().take(key.as_text()->size());
            entries.push_back({.key = *key.as_text(), .value = evaluate(*value_expr)});
        }
        return budget().dict(std::move(entries));
    }

    // Of what an attribute or item is wanted; says what it is that is undefined.
    Value evaluate_object(const Expr& expr, std::uint32_t at) {
        Value object = evaluate(expr);
        at_ = at;
        if (!object.is<Undefined>()) return object;
        const auto* variable = std::get_if<Variable>(&expr.node);
        const auto* attribute_of = std::get_if<Attribute>(&expr.node);
        if (variable != nullptr) fail(fmt::format("'{}' is undefined", source_.names[variable->name]));
        if (attribute_of != nullptr) fail(fmt::format("there is no attribute '{}'", attribute_of->name));
        fail("an attribute or item of something undefined");
    }

    Value evaluate(const Attribute& node, std::uint32_t at) {
        const Value object = evaluate_object(*node.object, at);
        return attribute(budget(), object, node.name);
    }

    Value evaluate(const Subscript& node, std::uint32_t at) {
        const Value object = evaluate_object(*node.object, at);
        const Value index = evaluate(*node.index);
        at_ = at;
        return subscript(budget(), object, index);
    }

    Value evaluate(const Slice& node, std::uint32_t at) {
        const Value object = evaluate_object(*node.object, at);
        const auto bound = [&](const ExprPtr& expr) {
            return expr == nullptr ? Value(None{}) : evaluate(*expr);
        };
        const Value start = bound(node.start);
        const Value stop = bound(node.stop);
        const Value step = bound(node.step);
        at_ = at;
        return slice(budget(), object, start, stop, step);
    }

    Value evaluate(const Unary& node, std::uint32_t at) {
        Value operand = evaluate(*node.operand);
        at_ = at;
        if (node.op == UnaryOp::logical_not) return !is_true(operand);
        if (node.op == UnaryOp::negate) return negate(operand);
        if (!is_number(operand)) fail(fmt::format("{} has no sign", kind_of(operand)));
        return operand;
    }

    Value evaluate(const Binary& node, std::uint32_t at) {
        Value left = evaluate(*node.left);
        // As in Python these give one of their operands.
        if (node.op == BinaryOp::logical_and) return is_true(left) ? evaluate(*node.right) : left;
        if (node.op == BinaryOp::logical_or) return is_true(left) ? left : evaluate(*node.right);
        const Value right = evaluate(*node.right);
        at_ = at;
        return arithmetic(budget(), node.op, left, right);
    }

    Value evaluate(const Comparison& node, std::uint32_t at) {
        Value left = evaluate(*node.first);
        for (const auto& [op, expr] : node.rest) {
            Value right = evaluate(*expr);
            at_ = at;
            if (!compare(budget(), op, left, right)) return false;
            left = std::move(right);
        }
        return true;
    }

    Value evaluate(const Concatenation& node, std::uint32_t at) {
        TextBuilder text(budget());
        for (const ExprPtr& part : node.parts) {
            const Value value = evaluate(*part);
            at_ = at;
            append_text(text, value);
        }
        return text.finish();
    }

    Value evaluate(const Conditional& node, std::uint32_t) {
        return is_true(evaluate(*node.test)) ? evaluate(*node.value) : evaluate_or_undefined(node.otherwise);
    }

    Value evaluate(const BuiltinCall& node, std::uint32_t at) {
        const Value subject = evaluate_or_undefined(node.subject);
        const Items values = evaluate_all(node.arguments);
        const Items inner_values = evaluate_all(node.inner_arguments);
        Entries named;
        for (const auto& [name, expr] : node.named)
            named.push_back({.key = MarkedText(name, true), .value = evaluate(*expr)});
        at_ = at;
        return node.builtin->run({.context = context_,
                                  .name = node.builtin->name,
                                  .subject = subject,
                                  .values = values,
                                  .inner = node.inner,
                                  .inner_values = inner_values,
                                  .named = named});
    }

    Value evaluate(const MacroCall& node, std::uint32_t at) {
        const Value* called = scopes_.find(node.name);
        const Macro* const* found = called == nullptr ? nullptr : called->get<const Macro*>();
        if (found == nullptr)
            fail(fmt::format("the macro '{}' is called before it is defined", source_.names[node.name]));
        const Macro& macro = **found;
        const Items given = evaluate_all(node.arguments);
        NamedValues named;
        for (const auto& [name, expr] : node.named)
            named.emplace_back(name, evaluate(*expr));
        at_ = at;
        budget().step(1 + macro.parameters.size() * (1 + named.size()) / 8);
        const std::vector<const Value*> bound = bind_values(macro, source_.names, given, named);
        const Scopes::Inner scope(scopes_, Scopes::Inner::Sees::outermost);
        for (std::size_t i = 0; i < macro.parameters.size(); ++i) {
            const Macro::Parameter& parameter = macro.parameters[i];
            scopes_.set(parameter.name,
                        bound[i] != nullptr ? *bound[i] : evaluate_or_undefined(parameter.otherwise));
        }
        return captured_from(macro.body);
    }

    Value evaluate(const CapturedText&, std::uint32_t) { return captured_; }

    const Template& source_;
    const RenderLimits& limits_;
    Context context_;
    Scopes scopes_;
    TextBuilder output_;
    TextBuilder* out_; // where output goes now
    Value captured_;   // by the set block whose filters are applied
    std::optional<NameId> loop_name_;
    std::uint32_t at_ = 0; // the place in the source that an error names
    std::size_t levels_ = 0;
};

} // namespace

MarkedText render(const Template& source, const Entries& variables, const std::optional<std::tm>& now,
                  const RenderLimits& limits) {
    Interpreter interpreter(source, now, limits);
    try {
        interpreter.define(variables);
    } catch (const Error& e) {
        throw Error(e.code(), source.name, e.what());
    }
    return interpreter.run();
}

} // namespace ingot::runtime::jinja
