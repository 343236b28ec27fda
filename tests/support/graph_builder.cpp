#include "tests/support/graph_builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "core/base/text.hpp"

namespace amp::test {

namespace {

using Stack = std::vector<StepId>;

bool begins_with(const Stack& stack, const Stack& prefix) {
    return stack.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), stack.begin());
}

/// The stack that stays open behind the needs of a step; false: there is none.
bool rest_of(const Graph& graph, const Graph::Node& node, const std::string& join_step, Stack& rest) {
    rest.clear();
    for (const auto& edge : node.needs) {
        if (graph.nodes[edge.from].stack.size() > rest.size()) {
            rest = graph.nodes[edge.from].stack;
        }
    }
    if (!node.joins) {
        return true;
    }
    if (rest.empty()) {
        return false;
    }
    if (join_step.empty()) {
        rest.pop_back();
        return true;
    }
    const auto closed =
        std::find_if(rest.begin(), rest.end(), [&](StepId s) { return graph.nodes[s].name == join_step; });
    if (closed == rest.end()) {
        return false;
    }
    rest.erase(closed, rest.end());
    return true;
}

class Words {
  public:
    explicit Words(std::string_view text) {
        for (const auto word : split(text, ' ')) {
            if (!trim(word).empty()) {
                words_.emplace_back(trim(word));
            }
        }
    }
    bool done() const { return at_ == words_.size(); }
    std::string next() {
        return at_ < words_.size() ? words_[at_++] : throw std::invalid_argument("a word is missing");
    }

  private:
    std::vector<std::string> words_;
    std::size_t at_ = 0;
};

void set_number(Graph::Node& node, const std::string& key, const std::string& value) {
    if (key == "on") {
        node.retry.on.clear();
        for (const auto name : split(value, '+')) {
            node.retry.on.push_back(parse_cause(name).value());
        }
        return;
    }
    const double number = std::stod(value);
    const auto whole = static_cast<std::uint32_t>(number < 0 ? 0 : number);
    if (key == "repeat") {
        node.repeat = true;
        node.max_rounds = whole;
    } else if (key == "retry") {
        node.retry.times = whole;
    } else if (key == "delay") {
        node.retry.delay_s = number;
    } else if (key == "backoff") {
        node.retry.backoff = number;
    } else if (key == "max_delay") {
        node.retry.max_delay_s = number;
    } else if (key == "jitter") {
        node.retry.jitter = number;
    } else if (key == "limit") {
        node.limit = whole;
    } else if (key == "priority") {
        node.priority = static_cast<std::int32_t>(number);
    } else {
        throw std::invalid_argument("unknown word '" + key + "'");
    }
}

void set_word(Graph::Node& node, const std::string& word, std::string& join_step) {
    const auto equals = word.find('=');
    if (word == "foreach") {
        node.foreach = true;
    } else if (word == "join") {
        node.joins = true;
    } else if (word.starts_with("join=")) {
        node.joins = true;
        join_step = word.substr(5);
    } else if (word == "when") {
        node.when = true;
    } else if (word == "each") {
        node.when = node.when_per_item = true;
    } else if (word == "cleanup") {
        node.when = node.cleanup = true;
    } else if (word == "until") {
        node.repeat = node.until = true;
    } else if (word == "wait") {
        node.wait = true;
    } else if (word == "ok") {
        node.on_max_ok = true;
    } else if (word == "catch") {
        node.caught = true;
    } else if (equals != std::string::npos) {
        set_number(node, word.substr(0, equals), word.substr(equals + 1));
    } else {
        throw std::invalid_argument("unknown word '" + word + "'");
    }
}

void add_needs(const Graph& graph, Graph::Node& node, const std::string& names) {
    for (auto name : split(names, ',')) {
        const bool conditional = name.ends_with('?');
        name.remove_suffix(conditional ? 1 : 0);
        const auto from = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                       [&](const auto& n) { return n.name == name; });
        if (from == graph.nodes.end()) {
            throw std::invalid_argument("unknown step '" + std::string(name) + "'");
        }
        node.needs.push_back({static_cast<StepId>(from - graph.nodes.begin()), conditional, 0});
    }
}

}  // namespace

bool link(Graph& graph, const std::vector<std::string>& join_steps) {
    graph.order.clear();
    graph.by_name.clear();
    for (StepId id = 0; id < graph.nodes.size(); ++id) {
        graph.order.push_back(id);
        graph.by_name.push_back(id);
        Graph::Node& node = graph.nodes[id];
        node.next.clear();
        node.at_end = node.cleanup && node.needs.empty();
        Stack rest;
        if (!rest_of(graph, node, join_steps[id], rest)) {
            return false;
        }
        for (auto& edge : node.needs) {
            const Stack& stack = graph.nodes[edge.from].stack;
            if (!begins_with(rest, stack) && !(node.joins && begins_with(stack, rest))) {
                return false;
            }
            edge.closes =
                static_cast<std::uint32_t>(stack.size() > rest.size() ? stack.size() - rest.size() : 0);
            graph.nodes[edge.from].next.push_back(id);
        }
        node.stack = rest;
        if (node.foreach) {
            node.stack.push_back(id);
        }
    }
    std::sort(graph.by_name.begin(), graph.by_name.end(),
              [&](StepId a, StepId b) { return graph.nodes[a].name < graph.nodes[b].name; });
    return true;
}

Graph graph_of(std::string_view text) {
    Graph graph;
    std::vector<std::string> join_steps;
    for (const auto part : split(text, ';')) {
        if (trim(part).empty()) {
            continue;
        }
        const auto colon = part.find(':');
        Graph::Node node;
        node.name = trim(part.substr(0, colon));
        join_steps.emplace_back();
        Words words(colon == std::string_view::npos ? "" : part.substr(colon + 1));
        while (!words.done()) {
            const std::string word = words.next();
            if (word == "needs") {
                add_needs(graph, node, words.next());
            } else {
                set_word(node, word, join_steps.back());
            }
        }
        graph.nodes.push_back(std::move(node));
    }
    if (!link(graph, join_steps)) {
        throw std::invalid_argument("stacks do not fit: " + std::string(text));
    }
    return graph;
}

std::string text_of(const Graph& graph) {
    std::string text;
    for (const auto& node : graph.nodes) {
        text += fmt::format("{}{}:", text.empty() ? "" : "; ", node.name);
        std::string needs;
        for (const auto& edge : node.needs) {
            needs += fmt::format("{}{}{}", needs.empty() ? "" : ",", graph.nodes[edge.from].name,
                                 edge.conditional ? "?" : "");
        }
        text += needs.empty() ? "" : " needs " + needs;
        for (const auto& edge : node.needs) {
            if (node.joins && edge.closes > 0) {
                text += " join=" + graph.nodes[graph.nodes[edge.from].stack[node.stack.size()]].name;
                break;
            }
        }
        text += node.foreach ? " foreach" : "";
        text += node.cleanup ? " cleanup" : node.when_per_item ? " each" : node.when ? " when" : "";
        text += node.cleanup && node.when_per_item ? " each" : "";
        text += node.repeat ? fmt::format(" repeat={}", node.max_rounds) : "";
        text += node.until ? " until" : "";
        text += node.on_max_ok ? " ok" : "";
        text += node.caught ? " catch" : "";
        text += node.retry.times > 0
                    ? fmt::format(" retry={} delay={}", node.retry.times, node.retry.delay_s.value_or(0))
                    : "";
        text += node.limit > 0 ? fmt::format(" limit={}", node.limit) : "";
        text += node.priority != 0 ? fmt::format(" priority={}", node.priority) : "";
    }
    return text;
}

}  // namespace amp::test
