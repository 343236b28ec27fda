#include "core/base/json.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <boost/json/src.hpp>
#include <charconv>
#include <cmath>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace amp::json {
namespace {

constexpr std::string_view k_file_key = "$file";
constexpr int k_canonical = -1;  // instead of an indentation
constexpr int k_record = -2;

enum class Reading { data, record };

/// "$file", "$$file", "$$$file" …: in records one '$' more than what the user wrote, so that "$file" is ours.
bool is_file_key(std::string_view key) {
    return key.ends_with(k_file_key) && key.find_first_not_of('$') == key.size() - k_file_key.size() + 1;
}

Value convert(const boost::json::value& in, Reading reading);

/// What an object of one member stands for in a record.
Value from_record(Object object) {
    const auto& [key, member] = *object.begin();
    if (key != k_file_key) {
        return Object{{key.substr(1), member}};
    }
    if (member.find("path") && get_int(member, "size_bytes") >= 0) {
        return FileRef{get_string(member, "path"), get_string(member, "sha256"),
                       static_cast<std::uint64_t>(get_int(member, "size_bytes")),
                       get_bool(member, "is_folder")};
    }
    return object;
}

Value convert_object(const boost::json::object& in, Reading reading) {
    Object out;
    for (const auto& member : in) {
        const auto key = member.key();
        out.insert_or_assign(std::string(key.data(), key.size()), convert(member.value(), reading));
    }
    if (reading == Reading::record && out.size() == 1 && is_file_key(out.begin()->first)) {
        return from_record(std::move(out));
    }
    return out;
}

Value convert(const boost::json::value& in, Reading reading) {
    switch (in.kind()) {
        case boost::json::kind::null:
            return {};
        case boost::json::kind::bool_:
            return in.get_bool();
        case boost::json::kind::int64:
            return std::int64_t{in.get_int64()};
        case boost::json::kind::uint64:
            return static_cast<double>(in.get_uint64());
        case boost::json::kind::double_:
            return in.get_double();
        case boost::json::kind::string:
            return std::string(in.get_string().data(), in.get_string().size());
        case boost::json::kind::array: {
            List out;
            out.reserve(in.get_array().size());
            for (const auto& v : in.get_array()) {
                out.push_back(convert(v, reading));
            }
            return out;
        }
        case boost::json::kind::object:
            return convert_object(in.get_object(), reading);
    }
    return {};
}

void dump_float(std::string& out, double d) {
    if (std::isnan(d)) {
        out += "\"nan\"";
    } else if (std::isinf(d)) {
        out += d > 0 ? "\"inf\"" : "\"-inf\"";
    } else {
        char buffer[32];
        const auto end = std::to_chars(buffer, buffer + sizeof buffer, d).ptr;
        const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
        out += text;
        if (text.find_first_of(".e") == std::string_view::npos) {
            out += ".0";
        }
    }
}

void quote_to(std::string& out, std::string_view text) {
    out += '"';
    std::size_t plain = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        out.append(text, plain, i - plain);
        plain = i + 1;
        switch (c) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            default:
                out += fmt::format("\\u{:04x}", c);
        }
    }
    out.append(text, plain);
    out += '"';
}

Value file_object(const FileRef& f) {
    return Object{{std::string(k_file_key), Object{{"path", f.path},
                                                   {"sha256", f.sha256},
                                                   {"size_bytes", f.size_bytes},
                                                   {"is_folder", f.is_folder}}}};
}

/// `indent` < 0: k_canonical or k_record.
void write(std::string& out, const Value& v, int indent) {
    const int inner = indent < 0 ? indent : indent + 2;
    const auto line = [&](int width) {
        if (width >= 0) {
            out += '\n';
            out.append(static_cast<std::size_t>(width), ' ');
        }
    };
    if (v.is_null()) {
        out += "null";
    } else if (v.is_bool()) {
        out += v.as_bool() ? "true" : "false";
    } else if (v.is_int()) {
        out += fmt::format_int(v.as_int()).str();
    } else if (v.is_float()) {
        dump_float(out, v.as_float());
    } else if (v.is_string()) {
        out += quote(v.as_string());
    } else if (v.is_file()) {
        write(out, file_object(v.as_file()), indent == k_record ? k_canonical : indent);
    } else if (v.is_list()) {
        out += '[';
        bool first = true;
        for (const Value& item : v.as_list()) {
            out += first ? "" : ",";
            first = false;
            line(inner);
            write(out, item, inner);
        }
        line(first ? k_canonical : indent);
        out += ']';
    } else {
        out += '{';
        bool first = true;
        for (const auto& [key, member] : v.as_object()) {
            out += first ? "" : ",";
            first = false;
            line(inner);
            const bool escaped = indent == k_record && v.as_object().size() == 1 && is_file_key(key);
            out += escaped ? quote("$" + key) : quote(key);
            out += indent < 0 ? ":" : ": ";
            write(out, member, inner);
        }
        line(first ? k_canonical : indent);
        out += '}';
    }
}

Value parse_as(std::string_view text, std::string_view what, Reading reading) {
    boost::json::parse_options options;
    options.max_depth = 128;
    unsigned char buffer[16384];
    boost::json::monotonic_resource resource(buffer, sizeof buffer);
    boost::system::error_code failed;
    boost::json::stream_parser parser(&resource, options);
    const std::size_t used = parser.write_some(boost::json::string_view(text.data(), text.size()), failed);
    if (!failed && used < text.size() && text.find_first_not_of(" \t\r\n", used) != std::string_view::npos) {
        throw Error(ExitCode::mismatch, fmt::format("{} has text after its end, at byte {}", what, used),
                    std::string(what));
    }
    if (!failed) {
        parser.finish(failed);
    }
    if (failed) {
        throw Error(ExitCode::mismatch,
                    fmt::format("{} is no valid JSON: {} at byte {}", what, failed.message(), used),
                    std::string(what));
    }
    return convert(parser.release(), reading);
}

}  // namespace

Value parse(std::string_view text, std::string_view what) {
    return parse_as(text, what, Reading::data);
}

Value parse_record(std::string_view text, std::string_view what) {
    return parse_as(text, what, Reading::record);
}

void dump_to(std::string& out, const Value& value) {
    write(out, value, k_canonical);
}

void dump_record_to(std::string& out, const Value& value) {
    write(out, value, k_record);
}

std::string dump_record(const Value& value) {
    std::string out;
    dump_record_to(out, value);
    return out;
}

std::string dump(const Value& value) {
    std::string out;
    dump_to(out, value);
    return out;
}

std::string dump_pretty(const Value& value) {
    std::string out;
    write(out, value, 0);
    return out;
}

std::string quote(std::string_view text) {
    std::string out;
    out.reserve(text.size() + 2);
    if (is_utf8(text)) {
        quote_to(out, text);
    } else {
        quote_to(out, to_utf8(text));
    }
    return out;
}

}  // namespace amp::json
