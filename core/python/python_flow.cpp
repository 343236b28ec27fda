#include "core/python/python_flow.hpp"

#include <algorithm>

namespace amp::python {

const SourceValue* Arguments::find(std::string_view keyword) const {
    const auto it = std::find_if(keywords.begin(), keywords.end(),
                                 [&](const KeywordArgument& one) { return one.name == keyword; });
    return it == keywords.end() ? nullptr : &it->value;
}

bool Origin::from_metaflow() const {
    const std::string_view top = std::string_view(module).substr(0, module.find('.'));
    return kind == Kind::imported && (top == "metaflow" || top == "amp");
}

bool Origin::is_metaflow(std::string_view wanted) const {
    if (!from_metaflow()) {
        return false;
    }
    // metaflow.cards.Table is no metaflow.Table, but what is there may be imported from where it is written
    // too.
    const std::size_t last = name.rfind('.');
    return (last == std::string::npos ? name : name.substr(last + 1)) == wanted;
}

std::string Origin::dotted() const {
    return module.empty() ? name : name.empty() ? module : module + "." + name;
}

const Transition& PythonStep::transition() const {
    static const Transition k_none;
    const auto it = std::find_if(next_calls.begin(), next_calls.end(),
                                 [](const NextCall& call) { return call.where == NextCall::Where::last; });
    return it == next_calls.end() ? k_none : it->transition;
}

const PythonStep* PythonFlow::find(std::string_view step) const {
    const auto it =
        std::find_if(steps.begin(), steps.end(), [&](const PythonStep& one) { return one.name == step; });
    return it == steps.end() ? nullptr : &*it;
}

}  // namespace amp::python
