#pragma once

#include <memory>
#include <optional>
#include <utility>

namespace amp {

/// A std::optional whose value lies elsewhere: for members that are large and rarely set, of something that
/// there are many of. Copies are deep.
template <class T>
class Boxed {
  public:
    Boxed() = default;
    Boxed(std::nullopt_t) {}                                           // NOLINT(google-explicit-constructor)
    Boxed(T value) : value_(std::make_unique<T>(std::move(value))) {}  // NOLINT(google-explicit-constructor)
    Boxed(std::optional<T> value) {                                    // NOLINT(google-explicit-constructor)
        if (value) {
            value_ = std::make_unique<T>(std::move(*value));
        }
    }
    Boxed(const Boxed& other) : value_(other.value_ ? std::make_unique<T>(*other.value_) : nullptr) {}
    Boxed(Boxed&&) noexcept = default;
    Boxed& operator=(Boxed other) noexcept {
        value_ = std::move(other.value_);
        return *this;
    }
    ~Boxed() = default;

    explicit operator bool() const { return value_ != nullptr; }
    bool has_value() const { return value_ != nullptr; }
    T& operator*() { return *value_; }
    const T& operator*() const { return *value_; }
    T* operator->() { return value_.get(); }
    const T* operator->() const { return value_.get(); }
    /// nullptr: not set
    const T* get() const { return value_.get(); }

  private:
    std::unique_ptr<T> value_;
};

}  // namespace amp
