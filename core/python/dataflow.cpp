#include "core/python/dataflow.hpp"

#include <algorithm>

#include "core/python/function_flow.hpp"

namespace amp::python {

Methods::Methods(const Names& names, const Classes& classes, std::vector<std::size_t> order)
    : names_(names), classes_(classes), order_(std::move(order)) {}

Methods::Found Methods::find(std::string_view name, std::size_t after) const {
    for (std::size_t i = after; i < order_.size(); ++i) {
        if (const Member* member = at(i).find(name)) {
            return {member, i};
        }
    }
    return {};
}

bool Methods::has_decorator(NodeId function, std::string_view name) const {
    const auto decorators = names_.tree().group(function, 0);
    return std::any_of(decorators.begin(), decorators.end(), [&](NodeId decorator) {
        const auto chain = names_.chain(decorator);
        return !chain.empty() && chain.back() == name;
    });
}

const Dataflow& Dataflows::of(NodeId function, std::size_t place_in_order, std::size_t inputs_parameter) {
    const auto [it, fresh] = known_.try_emplace(Key(function, inputs_parameter));
    if (!fresh) {
        return it->second;
    }
    if (depth_ >= k_max_calls) {
        Undecided far;
        far.about = Undecided::About::artifacts;
        far.place = methods_.names().place(methods_.names().tree()[function].text);
        far.reason = "methods call methods more than 40 deep here";
        it->second.sets_undecided = far;
        it->second.reads_undecided = far;
        return it->second;
    }
    ++depth_;
    Dataflow flow = FunctionFlow(*this, place_in_order, function, inputs_parameter).run();
    --depth_;
    it->second = std::move(flow);
    return it->second;
}

}  // namespace amp::python
