#pragma once

#include <set>
#include <string>
#include <utility>

#include "core/flow/expression.hpp"

namespace amp::test {

/// A scope over one object: `params.x` is its member "params", "x".
class ValueScope : public Scope {
  public:
    explicit ValueScope(Value values = Object{}) : values_(std::move(values)) {}

    std::optional<Value> resolve(const std::string& root, std::span<const Access> path) const override {
        const Value* value = values_.find(root);
        return value == nullptr ? std::nullopt : apply_path(*value, path);
    }
    bool failed(const std::optional<std::string>& step) const override {
        return step ? failed_.contains(*step) : !failed_.empty();
    }
    Timestamp now() const override { return {1'795'162'530'123}; }

    void fail(std::string step) { failed_.insert(std::move(step)); }

  private:
    Value values_;
    std::set<std::string> failed_;
};

}  // namespace amp::test
