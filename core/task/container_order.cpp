#include "core/task/container_order.hpp"

#include <charconv>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr std::string_view k_form = "amp container order 1";

void add(std::string& text, std::string_view field) {
    text.append(field).push_back('\0');
}

void add(std::string& text, const std::vector<std::string>& fields) {
    add(text, std::to_string(fields.size()));
    for (const std::string& field : fields) {
        add(text, field);
    }
}

/// Takes the fields of an order one by one.
class Fields {
  public:
    explicit Fields(std::string_view text) : left_(text) {}

    std::string next() {
        const std::size_t end = left_.find('\0');
        if (end == std::string_view::npos) {
            throw Error(ExitCode::mismatch, "the order of a container is cut off");
        }
        std::string field(left_.substr(0, end));
        left_.remove_prefix(end + 1);
        return field;
    }
    std::vector<std::string> list() {
        const std::string count = next();
        std::size_t n = 0;
        std::from_chars(count.data(), count.data() + count.size(), n);
        std::vector<std::string> fields;
        for (std::size_t i = 0; i < n; ++i) {
            fields.push_back(next());
        }
        return fields;
    }

  private:
    std::string_view left_;
};

}  // namespace

std::string order_text(const ContainerOrder& order) {
    std::string text;
    add(text, k_form);
    add(text, order.cwd);
    add(text, order.words);
    add(text, order.environment);
    add(text, order.defaults);
    std::vector<std::string> links;
    for (const auto& [place, target] : order.home_links) {
        links.push_back(place);
        links.push_back(target);
    }
    add(text, links);
    add(text, order.spare_home);
    add(text, order.interactive ? "interactive" : "");
    return text;
}

ContainerOrder order_from(std::string_view text) {
    Fields fields(text);
    if (fields.next() != k_form) {
        throw Error(ExitCode::mismatch, "the order of a container is of another amp");
    }
    ContainerOrder order;
    order.cwd = fields.next();
    order.words = fields.list();
    order.environment = fields.list();
    order.defaults = fields.list();
    const std::vector<std::string> links = fields.list();
    for (std::size_t i = 0; i + 1 < links.size(); i += 2) {
        order.home_links.emplace_back(links[i], links[i + 1]);
    }
    order.spare_home = fields.next();
    order.interactive = !fields.next().empty();
    return order;
}

std::string end_text(const ContainerEnd& end) {
    return json::dump(Object{{"exit", end.exit},
                             {"signal", end.signal},
                             {"cpu_s", end.cpu_s},
                             {"max_rss_bytes", static_cast<std::int64_t>(end.max_rss_bytes)},
                             {"oom", end.oom},
                             {"leftovers", end.leftovers},
                             {"problem", to_utf8(end.problem)}});
}

std::optional<ContainerEnd> end_from(std::string_view text) {
    try {
        const Value value = json::parse(text);
        ContainerEnd end;
        end.exit = static_cast<int>(get_int(value, "exit"));
        end.signal = static_cast<int>(get_int(value, "signal"));
        end.cpu_s = get_float(value, "cpu_s", 0);
        end.max_rss_bytes = static_cast<std::uint64_t>(get_int(value, "max_rss_bytes"));
        end.oom = get_bool(value, "oom");
        end.leftovers = get_bool(value, "leftovers");
        end.problem = get_string(value, "problem");
        return end;
    } catch (const Error&) {
        return std::nullopt;
    }
}

}  // namespace amp
