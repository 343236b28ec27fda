#include "core/base/value.hpp"

#include <array>

namespace amp {

namespace {

/// Exact, also where a float cannot hold the integer.
bool equal(std::int64_t i, double d) {
    constexpr double k_limit = 9223372036854775808.0;  // 2^63
    return d >= -k_limit && d < k_limit && static_cast<double>(static_cast<std::int64_t>(d)) == d &&
           static_cast<std::int64_t>(d) == i;
}

}  // namespace

const Value* Value::find(std::string_view key) const {
    if (!is_object()) {
        return nullptr;
    }
    const auto it = as_object().find(key);
    return it == as_object().end() ? nullptr : &it->second;
}

std::string_view Value::type_name() const {
    static constexpr std::array<std::string_view, 8> k_names = {"null",   "bool", "int",    "float",
                                                                "string", "list", "object", "file"};
    return k_names[data_.index()];
}

bool Value::operator==(const Value& other) const {
    if (is_number() && other.is_number() && is_int() != other.is_int()) {
        return is_int() ? equal(as_int(), other.as_float()) : equal(other.as_int(), as_float());
    }
    if (data_.index() != other.data_.index()) {
        return false;
    }
    if (is_list()) {
        return as_list() == other.as_list();
    }
    if (is_object()) {
        return as_object() == other.as_object();
    }
    if (is_file()) {
        return as_file() == other.as_file();
    }
    return data_ == other.data_;
}

std::string get_string(const Value& object, std::string_view key, std::string_view fallback) {
    const Value* v = object.find(key);
    return v && v->is_string() ? v->as_string() : std::string(fallback);
}

std::int64_t get_int(const Value& object, std::string_view key, std::int64_t fallback) {
    const Value* v = object.find(key);
    return v && v->is_int() ? v->as_int() : fallback;
}

double get_float(const Value& object, std::string_view key, double fallback) {
    const Value* v = object.find(key);
    return v && v->is_number() ? v->as_float() : fallback;
}

bool get_bool(const Value& object, std::string_view key, bool fallback) {
    const Value* v = object.find(key);
    return v && v->is_bool() ? v->as_bool() : fallback;
}

const List& get_list(const Value& object, std::string_view key) {
    static const List k_empty;
    const Value* v = object.find(key);
    return v && v->is_list() ? v->as_list() : k_empty;
}

const Object& get_object(const Value& object, std::string_view key) {
    static const Object k_empty;
    const Value* v = object.find(key);
    return v && v->is_object() ? v->as_object() : k_empty;
}

}  // namespace amp
