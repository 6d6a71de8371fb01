// The variables of a rendering, innermost scope last. Loops, set blocks and macros have scopes of their own;
// a macro sees its own and the template's outermost.
#pragma once

#include "runtime/text/jinja/budget.h"
#include "runtime/text/jinja/syntax.h"

#include <cstddef>
#include <vector>

namespace ingot::runtime::jinja {

class Scopes {
  public:
    explicit Scopes(Budget& budget) : budget_(budget) {}

    // Null where the name means nothing.
    const Value* find(NameId name) const;
    // In the innermost scope.
    void set(NameId name, Value value);

    // A scope while it lives.
    class Inner {
      public:
        enum class Sees { all, outermost };
        Inner(Scopes& scopes, Sees sees);
        ~Inner();
        Inner(const Inner&) = delete;
        Inner& operator=(const Inner&) = delete;

      private:
        Scopes& scopes_;
        std::size_t outer_begin_;
        std::size_t outer_visible_;
    };

  private:
    struct Binding {
        NameId name;
        Value value;
    };

    Budget& budget_;
    std::vector<Binding> bindings_;
    std::size_t begin_ = 0;     // of the innermost scope
    std::size_t visible_ = 0;   // from here on everything is seen
    std::size_t outermost_ = 0; // up to here too, once there are inner scopes
    std::size_t depth_ = 0;
};

} // namespace ingot::runtime::jinja
