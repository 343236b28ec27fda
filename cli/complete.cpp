#include "cli/complete.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "cli/command_list.hpp"
#include "cli/complete_names.hpp"
#include "cli/complete_typed.hpp"
#include "cli/config.hpp"
#include "cli/parser.hpp"
#include "cli/run_text.hpp"
#include "cli/session.hpp"
#include "cli/target.hpp"
#include "core/base/ids.hpp"
#include "core/base/text.hpp"
#include "core/flow/load.hpp"
#include "core/run/glance.hpp"
#include "core/run/reference.hpp"
#include "core/run/run_record.hpp"
#include "core/run/task_glance.hpp"
#include "core/store/store.hpp"
#include "core/store/tags.hpp"

namespace amp {
namespace {

constexpr std::size_t k_runs = 100;
constexpr std::size_t k_tags = 100;
constexpr std::uint64_t k_flow_bytes = std::uint64_t{8} << 20;

bool is_safe(std::string_view word) {
    return !word.empty() && word.find_first_of("\t\n") == std::string_view::npos && printable(word) == word;
}

/// Finds what fits one word. Each question to the project, the store or the flow may throw.
class Completer {
  public:
    Completer(Session& session, Completion& out) : session_(session), out_(out) {}

    void complete(std::vector<std::string> words) {
        current_ = words.back();
        words.pop_back();
        const std::size_t position = command_position(words);
        if (position >= words.size()) {
            complete_first(words);
            return;
        }
        command_ = words[position];
        words.erase(words.begin() + static_cast<std::ptrdiff_t>(position));
        options_ = command_options(command_);
        typed_ = read_typed(options_, takes_parameters(command_), words);
        if (!typed_.waiting.empty()) {
            complete_value_of(typed_.waiting, "", current_);
        } else if (!typed_.ended && current_.starts_with("-")) {
            complete_option();
        } else {
            complete_argument();
        }
    }

  private:
    void add(const std::string& word, std::string_view what) {
        const std::string whole = head_ + word;
        if (whole.starts_with(current_) && is_safe(whole)) {
            out_.words.emplace_back(whole, one_line(what));
        }
    }

    void add_all(const CompletionWords& words) {
        for (const auto& word : words) {
            add(word.first, word.second);
        }
    }

    void complete_first(const std::vector<std::string>& words) {
        options_ = command_options("version");  // what all take
        typed_ = read_typed(options_, false, words);
        if (!typed_.waiting.empty()) {
            complete_value_of(typed_.waiting, "", current_);
        } else if (current_.starts_with("-")) {
            complete_options();
            add("--version", "print the version");
        } else {
            add_all(command_words());
        }
    }

    /// Its name, or the value that stands in the same word: --tag=x, -plr=0.1, -qplr=0.1.
    void complete_option() {
        const bool is_long = current_.starts_with("--");
        const std::size_t equals = is_long ? current_.find('=') : value_in_cluster(options_, current_);
        if (equals == std::string::npos) {
            complete_options();
            return;
        }
        const std::size_t begin = is_long ? equals + 1 : equals;
        complete_value_of(is_long ? current_.substr(0, equals) : "-" + current_.substr(equals - 1, 1),
                          current_.substr(0, begin), current_.substr(begin));
    }

    void complete_options() {
        for (const OptionInfo& option : options_) {
            for (const std::string& name : option.names) {
                if (name.starts_with("--") && (option.repeats || !typed_.has(option))) {
                    add(name, option.help);
                }
            }
        }
        add("--help", "print how it is used");
        if (!takes_parameters(command_)) {
            return;
        }
        for (const auto& word : option_words(flow(), current_)) {
            const OptionInfo taken{{word.first}, "", "", false, false, false};
            if (find_option(options_, word.first) == nullptr && !typed_.has(taken)) {
                add(word.first, word.second);
            }
        }
    }

    void complete_argument() {
        std::size_t place = typed_.positionals.size();
        for (const OptionInfo& option : options_) {
            if (!option.names.empty()) {
                continue;
            }
            if (place == 0 || option.repeats) {
                complete_value(option.metavar, current_);
                return;
            }
            --place;
        }
    }

    /// @param head what of the word stands before the value
    void complete_value_of(const std::string& name, const std::string& head, const std::string& value) {
        head_ = head;
        if (const OptionInfo* option = find_option(options_, name)) {
            if (option->takes_value) {
                complete_value(option->metavar, value);
            }
        } else if (takes_parameters(command_) && name.size() > 2) {
            std::string parameter = name.substr(2);
            std::replace(parameter.begin(), parameter.end(), '-', '_');
            complete_parameter(parameter);
        }
    }

    void complete_value(const std::string& metavar, const std::string& value) {
        const ValueKind kind = value_kind(metavar).value_or(ValueKind::other);
        switch (kind) {
            case ValueKind::run:
                add_runs("", value);
                break;
            case ValueKind::task:
                complete_target(value, true);
                break;
            case ValueKind::shown:
                out_.shell = Completion::Shell::files;
                add_flow_file();
                complete_target(value, false);
                break;
            case ValueKind::target:
                complete_target(value, false);
                break;
            case ValueKind::source:
                complete_source(value);
                break;
            case ValueKind::field:
                add_sort_keys(value);
                break;
            case ValueKind::flow:
            case ValueKind::file:
                out_.shell = Completion::Shell::files;
                break;
            case ValueKind::folder:
                out_.shell = Completion::Shell::folders;
                break;
            case ValueKind::step:
                add_steps("", flow());
                break;
            case ValueKind::tag:
                complete_tag();
                break;
            case ValueKind::profile:
                add_profiles();
                break;
            case ValueKind::parameter:
                complete_assignment(value);
                break;
            case ValueKind::config_file:
                complete_config(value);
                break;
            case ValueKind::setting:
                add_settings("");
                break;
            case ValueKind::assignment:
                add_settings("=");
                break;
            default:
                add_all(built_in_words(kind, metavar));
        }
    }

    const Project& project() {
        if (!project_) {
            project_ = session_.project();
        }
        return *project_;
    }

    const StoreGlance& glance() {
        if (!glance_) {
            glance_.emplace(store());
        }
        return *glance_;
    }

    OpenStore store() { return session_.services.open_store(project().store_folder, false); }

    void add_flow_file() {
        if (session_.services.files.info("flow.toml")) {
            add("flow.toml", "the flow here");
        }
    }

    void add_runs(std::string_view behind, const std::string& begin) {
        const auto word = [&](std::string_view run) { return fmt::format("{}{}", run, behind); };
        glance();  // without a store there is no latest run either
        add(word("latest"), "the newest run");
        if (begin.empty() || begin.front() == '@') {
            add_tags("@", k_tags, behind);
        }
        const std::vector<RunGlance> runs = glance().runs(begin, k_runs);
        for (const RunGlance& run : runs) {
            add(word(run.run), run.state + " " + run.flow);
        }
        if (!begin.empty()) {
            add_flows(glance().runs("", k_runs), behind);
        }
    }

    /// FLOW/latest, of the flows of these runs.
    void add_flows(const std::vector<RunGlance>& runs, std::string_view behind) {
        std::vector<std::string> known;
        for (const RunGlance& run : runs) {
            if (std::find(known.begin(), known.end(), run.flow) == known.end()) {
                known.push_back(run.flow);
                add(fmt::format("{}/latest{}", run.flow, behind), "its newest run");
            }
        }
    }

    void add_tags(std::string_view front, std::size_t most, std::string_view behind = {}) {
        const std::vector<std::string> tags = glance().tags();
        for (std::size_t i = 0; i < std::min(most, tags.size()); ++i) {
            if (front.empty() || tags[i].find('/') == std::string::npos) {
                add(fmt::format("{}{}{}", front, tags[i], behind),
                    front.empty() ? "" : "the newest run with this tag");
            }
        }
    }

    /// Those of the run that loses them; else all.
    void complete_tag() {
        const std::vector<std::string>& given = typed_.positionals;
        if (command_ != "tag" || given.size() < 2 || given.front() != "remove" || !typed_.waiting.empty()) {
            add_tags("", k_tags);
            return;
        }
        add_all(as_words(active_tags(*store().objects, session_.resolve(project(), given[1]))));
    }

    void complete_source(const std::string& value) {
        if (typed_.positionals.empty()) {
            complete_target(value, false);
        } else if (typed_.positionals.size() == 1) {
            add_artifacts(typed_.positionals.front());
        }
    }

    void add_artifacts(const std::string& target) {
        const TaskTarget meant = parse_target(target);
        const std::string run = session_.resolve(project(), meant.run);
        add_all(as_words(glance_artifacts(store(), run, meant.step, meant.index)));
    }

    void add_sort_keys(const std::string& value) {
        const std::string front = value.starts_with("-") ? "-" : "";
        add_all(sort_words(front, nullptr));
        const Flow meant = flow();
        add_all(sort_words(front, &meant));
    }

    void add_steps(const std::string& front, const Flow& of) {
        for (const Step& step : of.steps) {
            add(front + step.name, step.foreach ? "for each item" : "");
        }
    }

    /// RUN/STEP/INDEX, piece by piece.
    void complete_target(const std::string& value, bool whole) {
        const std::size_t slash = run_part(value);
        out_.nospace = true;
        if (slash == value.size()) {
            add_runs(whole ? "/" : "", value);
            return;
        }
        if (slash == value.find('/') && value.substr(0, slash) != "latest" &&
            !is_run_id(value.substr(0, slash))) {
            add_flows(glance().runs("", k_runs), whole ? "/" : "");
        }
        const std::string reference = value.substr(0, slash);
        const std::string run = session_.resolve(project(), reference);
        const Flow recorded = flow_of_run(run);
        const std::size_t second = value.find('/', slash + 1);
        if (second == std::string::npos) {
            add_steps(reference + "/", recorded);
            return;
        }
        out_.nospace = false;
        add_tasks(run, value.substr(slash + 1, second - slash - 1), value.substr(0, second + 1));
    }

    void add_tasks(const std::string& run, const std::string& step, const std::string& before) {
        const std::string_view begin = std::string_view(current_).substr(head_.size() + before.size());
        for (const TaskGlance& task : glance_tasks(store(), run, step, begin)) {
            add(before + task.index, task.state);
        }
    }

    Flow load(const std::string& text, const std::string& path) const {
        Diagnostics ignored;
        return load_flow(text, path, ignored);
    }

    Flow flow_of_run(const std::string& run) {
        const RunRecord record = run_record_from(read_run(*store().objects, run));
        return load(record.flow_source, record.flow_path);
    }

    /// The flow that is meant: of the run that was named, else a file.
    Flow flow() {
        std::string first = typed_.positionals.empty() ? "" : typed_.positionals.front();
        const auto argument = std::find_if(options_.begin(), options_.end(),
                                           [](const OptionInfo& option) { return option.names.empty(); });
        const auto kind = argument == options_.end() ? std::nullopt : value_kind(argument->metavar);
        const bool of_file = !kind || *kind == ValueKind::flow;
        const std::string resumed = of_file ? typed_.value_of("--resume") : first;
        if (!of_file || !resumed.empty()) {
            const std::string run = resumed.substr(0, run_part(resumed));
            return flow_of_run(session_.resolve(project(), run.empty() ? "latest" : run));
        }
        if (first.empty()) {
            const bool here = session_.services.files.info("flow.toml").has_value();
            first = here ? "flow.toml" : project().folder + "/flow.toml";
        }
        return load(session_.services.files.read(first, k_flow_bytes), first);
    }

    void add_profiles() {
        add("local", "this machine");
        for (const auto& [name, table] : get_object(project().settings, "profile")) {
            if (name != "local") {
                add(name, get_string(table, "backend", "local"));
            }
        }
    }

    void add_settings(std::string_view behind) {
        out_.nospace = !behind.empty();
        for (const SettingLine& line : list_settings(project(), "")) {
            add(fmt::format("{}{}", line.key, behind), line.origin);
        }
    }

    void complete_assignment(const std::string& value) {
        const std::size_t equals = value.find('=');
        if (equals != std::string::npos) {
            head_ += value.substr(0, equals + 1);
            complete_parameter(value.substr(0, equals));
            return;
        }
        out_.nospace = true;
        for (const Parameter& parameter : flow().params) {
            add(parameter.name + "=", parameter.help);
        }
    }

    void complete_config(const std::string& value) {
        if (value.find('=') != std::string::npos) {
            out_.shell = Completion::Shell::files;
            return;
        }
        out_.nospace = true;
        for (const ConfigFile& config : flow().config) {
            add(config.name + "=", config.file);
        }
    }

    void complete_parameter(const std::string& name) {
        const Flow meant = flow();
        const auto it = std::find_if(meant.params.begin(), meant.params.end(),
                                     [&](const Parameter& parameter) { return parameter.name == name; });
        if (it == meant.params.end()) {
            return;
        }
        add_all(value_words(*it));
        if (it->type == Parameter::Type::file) {
            out_.shell = Completion::Shell::files;
        }
    }

    Session& session_;
    Completion& out_;
    std::string command_;
    std::string current_;
    std::string head_;  ///< what every answer begins with: "--param=lr="
    std::vector<OptionInfo> options_;
    Typed typed_;
    std::optional<Project> project_;
    std::optional<StoreGlance> glance_;
};

}  // namespace

Completion complete_words(Session& session, std::vector<std::string> words) {
    if (words.empty()) {
        words.emplace_back();
    }
    Completion out;
    try {
        Completer(session, out).complete(std::move(words));
    } catch (const std::exception&) {
        // No project, no store, a broken flow: what was known before that stands.
    }
    return out;
}

}  // namespace amp
