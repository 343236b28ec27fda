#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "core/python/classes.hpp"

namespace amp::python {

/// The methods of one flow class, each in the class of the file that Python finds it in.
class Methods {
  public:
    struct Found {
        const Member* member = nullptr;
        std::size_t place_in_order = 0;  ///< of the class, in the order of look-up
    };

    Methods(const Names& names, const Classes& classes, std::vector<std::size_t> order);

    /// The member of that name, as `self.NAME`; behind the class `after` of the order for `super().NAME`.
    Found find(std::string_view name, std::size_t after = 0) const;
    const std::vector<std::size_t>& order() const { return order_; }
    const ClassInfo& at(std::size_t place_in_order) const { return classes_.all()[order_[place_in_order]]; }
    /// Part of the class is written in another module.
    bool partly_elsewhere() const { return at(0).from_elsewhere; }
    /// One of Python's own decorators (`property`, `staticmethod`), among those of a function.
    bool has_decorator(NodeId function, std::string_view name) const;

    const Names& names() const { return names_; }
    const Classes& classes() const { return classes_; }

  private:
    const Names& names_;
    const Classes& classes_;
    std::vector<std::size_t> order_;
};

/// What methods do to the artifacts of `self`, each read once and kept.
class Dataflows {
  public:
    explicit Dataflows(const Methods& methods) : methods_(methods) {}

    /// Of a step or another method. `inputs_parameter`: the index of the parameter that holds a join's
    /// inputs, 0 when there is none. Of a method that calls itself, on the way there: nothing.
    const Dataflow& of(NodeId function, std::size_t place_in_order, std::size_t inputs_parameter);
    const Methods& methods() const { return methods_; }

  private:
    using Key = std::pair<NodeId, std::size_t>;
    static constexpr std::size_t k_max_calls = 40;  ///< of methods by methods by methods

    const Methods& methods_;
    std::map<Key, Dataflow> known_;
    std::size_t depth_ = 0;
};

}  // namespace amp::python
