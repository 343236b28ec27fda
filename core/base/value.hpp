#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace amp {

class Value;
using List = std::vector<Value>;
using Object = std::map<std::string, Value, std::less<>>;

/// A file or folder that a task made, as a value of an expression. Its path is known only where a task runs:
/// it is laid there as `$AMP_IN/<path>`.
struct FileRef {
    std::string path;    ///< below $AMP_IN: "prepare/dataset", in a join "train/3/model"
    std::string sha256;  ///< of the content, or of the canonical manifest of a folder
    std::uint64_t size_bytes = 0;
    bool is_folder = false;

    bool operator==(const FileRef&) const = default;
};

/// An immutable value as flows, parameters, artifacts and records know it: what JSON can say, with integers
/// and floats told apart, plus files. Copying is cheap: lists, objects and files are shared.
class Value {
  public:
    Value() = default;
    // NOLINTBEGIN(google-explicit-constructor): a value is written as what it holds
    Value(bool b) : data_(b) {}
    Value(int i) : data_(std::int64_t{i}) {}
    Value(std::int64_t i) : data_(i) {}
    Value(std::uint64_t i) : data_(static_cast<std::int64_t>(i)) {}
    Value(double d) : data_(d) {}
    Value(const char* s) : data_(std::string(s)) {}
    Value(std::string_view s) : data_(std::string(s)) {}
    Value(std::string s) : data_(std::move(s)) {}
    Value(List l) : data_(std::make_shared<const List>(std::move(l))) {}
    Value(Object o) : data_(std::make_shared<const Object>(std::move(o))) {}
    Value(FileRef f) : data_(std::make_shared<const FileRef>(std::move(f))) {}
    // NOLINTEND(google-explicit-constructor)

    bool is_null() const { return holds<std::monostate>(); }
    bool is_bool() const { return holds<bool>(); }
    bool is_int() const { return holds<std::int64_t>(); }
    bool is_float() const { return holds<double>(); }
    bool is_number() const { return is_int() || is_float(); }
    bool is_string() const { return holds<std::string>(); }
    bool is_list() const { return holds<std::shared_ptr<const List>>(); }
    bool is_object() const { return holds<std::shared_ptr<const Object>>(); }
    bool is_file() const { return holds<std::shared_ptr<const FileRef>>(); }

    // Each as_… throws std::bad_variant_access when the value is of another type: ask first.
    bool as_bool() const { return std::get<bool>(data_); }
    std::int64_t as_int() const { return std::get<std::int64_t>(data_); }
    double as_float() const { return is_int() ? static_cast<double>(as_int()) : std::get<double>(data_); }
    const std::string& as_string() const { return std::get<std::string>(data_); }
    const List& as_list() const { return *std::get<std::shared_ptr<const List>>(data_); }
    const Object& as_object() const { return *std::get<std::shared_ptr<const Object>>(data_); }
    const FileRef& as_file() const { return *std::get<std::shared_ptr<const FileRef>>(data_); }

    /// The member of an object, or nullptr when there is none or this is not an object.
    const Value* find(std::string_view key) const;
    /// "null", "bool", "int", "float", "string", "list", "object" or "file".
    std::string_view type_name() const;

    bool operator==(const Value& other) const;

  private:
    template <class T>
    bool holds() const {
        return std::holds_alternative<T>(data_);
    }

    std::variant<std::monostate, bool, std::int64_t, double, std::string, std::shared_ptr<const List>,
                 std::shared_ptr<const Object>, std::shared_ptr<const FileRef>>
        data_;
};

// Reading records: the member, converted; `fallback` when it is missing or of another type.
std::string get_string(const Value& object, std::string_view key, std::string_view fallback = {});
std::int64_t get_int(const Value& object, std::string_view key, std::int64_t fallback = 0);
double get_float(const Value& object, std::string_view key, double fallback = 0);
bool get_bool(const Value& object, std::string_view key, bool fallback = false);
const List& get_list(const Value& object, std::string_view key);
const Object& get_object(const Value& object, std::string_view key);

}  // namespace amp
