#include "codegen/host/sink_states.h"

#include <fmt/format.h>

namespace ingot::codegen {

using namespace ir;

void SinkStates::declare(SourceText& out, std::set<std::string>& headers) const {
    for (const SinkGroup& g : groups_)
        for (const Sink& s : g.sinks) {
            if (s.kind == Sink::Kind::argmax) {
                headers.insert("argmax_team.h");
                out.line(fmt::format("BestLanes best{}[{}];", s.node, region_.most(tokens_)));
            } else if (s.kind == Sink::Kind::quantize) {
                headers.insert("quantize.h");
                if (region_.constant(tokens_) != 1)
                    out.line(fmt::format("QuantizeBatch<{}> batch{};", g.width, s.node));
            }
        }
}

void SinkStates::finish(SourceText& out) const {
    const std::string tokens = region_.rows_text(tokens_);
    for (const SinkGroup& g : groups_)
        for (const Sink& s : g.sinks) {
            if (s.kind == Sink::Kind::quantize && region_.constant(tokens_) != 1)
                out.line(fmt::format("batch{}.flush();", s.node));
            if (s.kind != Sink::Kind::argmax) continue;
            out.line(fmt::format("Best mine{}[{}];", s.node, region_.most(tokens_)));
            out.line(
                fmt::format("for (int i = 0; i < {0}; ++i) mine{1}[i] = best{1}[i].best();", tokens, s.node));
            out.line(fmt::format("argmax_team<{}>(c, mine{}, {}, {}, {});", region_.columns(s.value), s.node,
                                 tokens, region_.memory_name(s.value),
                                 region_.memory_name(region_.body.nodes[s.node].results[0])));
        }
}

std::string quantize_function(const SinkGroup& group, const Sink& sink, bool one_token) {
    return one_token ? fmt::format("quantize_block<{}>", group.width) : fmt::format("batch{}.add", sink.node);
}

} // namespace ingot::codegen
