#include "core/run/waits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/store/layout.hpp"

namespace amp {
namespace {

constexpr double k_file_s = 0.5;
constexpr double k_watched_file_s =
    10;  // for whatever a watch does not tell: a folder above that is replaced
constexpr double k_deaf_s = 0.05;
constexpr std::size_t k_most_folders = 32;  // of which changes are heard; a user has not many watches
constexpr double k_approval_s = 2;          // where the store cannot tell of changes by itself
constexpr double k_until_s = 1;

Waits::Over failed(const Question& question, Cause cause, std::string message) {
    return {question, cause, std::move(message), {}};
}

std::string said(const Approval& approval) {
    return approval.by + (approval.comment.empty() ? "" : ": " + approval.comment);
}

}  // namespace

Value to_value(const Approval& approval) {
    return Object{
        {"schema", Approval::k_schema},  {"task", approval.task}, {"since", format_time(approval.since)},
        {"approved", approval.approved}, {"by", approval.by},     {"at", format_time(approval.at)},
        {"comment", approval.comment}};
}

Approval approval_from(const Value& value) {
    if (get_int(value, "schema") > Approval::k_schema) {
        throw Error(ExitCode::mismatch, "the approval was written by a newer version of amp");
    }
    return {get_string(value, "task"),
            parse_time(get_string(value, "since")).value_or(Timestamp{}),
            get_bool(value, "approved"),
            get_string(value, "by"),
            parse_time(get_string(value, "at")).value_or(Timestamp{}),
            get_string(value, "comment")};
}

std::string approval_key(std::string_view run, std::string_view task, Timestamp since) {
    return layout::approval(run, fmt::format("{} {}", task, format_time(since)));
}

std::string answer_text(ObjectStore& objects, std::string_view run, std::string_view task, Timestamp since) {
    const std::string key = approval_key(run, task, since);
    const auto stored = objects.get(key);
    if (!stored) {
        return "";
    }
    const Approval answer = approval_from(json::parse(stored->bytes, key));
    return fmt::format("{} by {}", answer.approved ? "approved" : "rejected", answer.by);
}

Waits::Waits(Services& services, const OpenStore& store, const RunData& data, const ArtifactLoader& load)
    : services_(services), store_(store), data_(data), load_(load), urls_(services.process, services.clock) {}

RunScope Waits::scope_of(const Question& question, Timestamp now) const {
    return RunScope(data_, ScopePosition{question.step, question.index, 1, false}, load_, now);
}

std::string Waits::rendered(const TextTemplate& text, const Question& question, Timestamp now) const {
    const LateText late = render(text, scope_of(question, now));
    std::string out;
    for (const Piece& piece : late) {
        if (piece.kind != Piece::Kind::text) {
            throw Error(ExitCode::invalid, "what a step waits for cannot be a file that another step makes",
                        data_.step(question.step).name,
                        "a step that needs it starts when it is there: `needs` is enough");
        }
        out += piece.text;
    }
    return out;
}

std::string Waits::path_of(const Question& question, Timestamp now) const {
    std::string path = rendered(*data_.step(question.step).wait->file, question, now);
    return path.starts_with('/') ? path : data_.record().project_folder + "/" + path;
}

std::string Waits::describe(const Question& question, Timestamp now) const {
    const Wait& wait = *data_.step(question.step).wait;
    std::vector<std::string> parts;
    if (wait.approval) {
        parts.emplace_back("approval");
    }
    if (wait.file) {
        parts.push_back("file " + path_of(question, now));
    }
    if (wait.url) {
        parts.push_back("url " + rendered(*wait.url, question, now));
    }
    if (wait.until) {
        parts.push_back("`" + wait.until->text() + "`");
    }
    return parts.empty() ? "its timeout" : join(parts, ", ");
}

void Waits::add(const Question& question, Timestamp since) {
    const auto task = data_.plan().find(question.step, question.index);
    if (!task) {
        return;
    }
    const Open open{question, *task, since, services_.clock.steady_seconds()};
    if (wait_of(open).approval && !watch_) {
        watch_ = store_.files->watch(layout::run_prefix(data_.record().run));
    }
    open_.push_back(open);
}

std::vector<int> Waits::fds() const {
    std::vector<int> out = urls_.fds();
    if (watch_) {
        out.push_back(watch_->fd());
    }
    const double steady = services_.clock.steady_seconds();
    for (const auto& entry : folders_) {
        if (entry.second.watch && entry.second.deaf_until <= steady) {
            out.push_back(entry.second.watch->fd());
        }
    }
    return out;
}

double Waits::seconds_to_look() const {
    double next = urls_.next_look();
    for (const Open& open : open_) {
        next = std::min(next, open.next_look);
    }
    const double steady = services_.clock.steady_seconds();
    for (const auto& entry : folders_) {
        next = entry.second.deaf_until > steady ? std::min(next, entry.second.deaf_until) : next;
    }
    return std::max(0.0, next - services_.clock.steady_seconds());
}

std::vector<Waits::Over> Waits::look(Timestamp now) {
    std::erase_if(open_, [&](const Open& open) { return data_.waiting(open.task) == nullptr; });
    const double steady = services_.clock.steady_seconds();
    const bool told = watch_ && watch_->take() && list_answers();
    const bool due = std::any_of(open_.begin(), open_.end(), [&](const Open& open) {
        return open.next_look <= steady && wait_of(open).approval;
    });
    if (due && !told) {
        list_answers();
    }
    const std::set<std::string> changed = changed_folders(steady);
    const std::set<std::string> asked = urls_.take();
    std::vector<Over> over;
    std::erase_if(open_, [&](Open& open) {
        if (open.next_look > steady && !(told && wait_of(open).approval) && !changed.contains(open.folder) &&
            !asked.contains(open.url)) {
            return false;
        }
        auto end = look_at(open, now);
        if (end) {
            over.push_back(std::move(*end));
        }
        return end.has_value();
    });
    if (open_.empty()) {
        watch_.reset();
        folders_.clear();
        urls_.clear();
    }
    return over;
}

/// A watch that has told something is made anew by whoever goes on waiting: its folder may be another one.
std::set<std::string> Waits::changed_folders(double steady) {
    std::set<std::string> changed;
    for (auto& entry : folders_) {
        Folder& folder = entry.second;
        if (folder.watch && folder.deaf_until <= steady && folder.watch->take()) {
            folder.watch.reset();
            folder.deaf_until = steady + k_deaf_s;
            changed.insert(entry.first);
        }
    }
    return changed;
}

bool Waits::watches(const std::string& folder) {
    if (!folders_.contains(folder) && folders_.size() >= k_most_folders) {
        return false;
    }
    Folder& known = folders_[folder];
    if (!known.watch) {
        known.watch = services_.files.watch(folder);
    }
    return known.watch != nullptr;
}

/// Watched before it is looked for, so that it cannot come between.
bool Waits::is_there(Open& open, Timestamp now, double& look_again_s) {
    const std::string path = path_of(open.question, now);
    open.folder = path.substr(0, std::max<std::size_t>(1, path.rfind('/')));
    look_again_s = watches(open.folder) ? k_watched_file_s : k_file_s;
    return services_.files.info(path).has_value();
}

/// One listing for all who wait. True when there are others than before.
bool Waits::list_answers() {
    auto keys = store_.objects->list_after(layout::approval_prefix(data_.record().run), {},
                                           std::numeric_limits<std::size_t>::max());
    std::set<std::string> answers(std::make_move_iterator(keys.begin()), std::make_move_iterator(keys.end()));
    return std::exchange(answers_, answers) != answers;
}

std::optional<Waits::Over> Waits::look_at(Open& open, Timestamp now) {
    try {
        bool come = true;
        if (auto over = judge(open, now, come)) {
            return over;
        }
        if (come) {
            return Over{open.question, {}, {}, {}};
        }
    } catch (const Error& error) {
        return failed(open.question, Cause::user, error.advice());
    }
    // Who takes over a wait whose time has passed meanwhile looks once, too.
    const bool looked = !wait_of(open).url || open.url_asked;
    const auto& timeout = wait_of(open).timeout_s;
    if (timeout && looked && now.seconds_since(open.since) >= *timeout) {
        return failed(open.question, Cause::timeout,
                      fmt::format("what it waited for did not come within {:g} s", *timeout));
    }
    const double left = timeout ? *timeout - now.seconds_since(open.since) : 0;
    if (left > 0) {
        open.next_look = std::min(open.next_look, services_.clock.steady_seconds() + left + 0.001);
    }
    return std::nullopt;
}

/// A verdict, or in `come` whether all that it waits for has come; and when to look again.
std::optional<Waits::Over> Waits::judge(Open& open, Timestamp now, bool& come) {
    const Wait& wait = wait_of(open);
    const double steady = services_.clock.steady_seconds();
    open.next_look = HUGE_VAL;
    const auto missing = [&](double look_again_s) {
        come = false;
        open.next_look = std::min(open.next_look, steady + look_again_s);
    };
    if (wait.approval) {
        const TaskName name{data_.step(open.question.step).name, open.question.index};
        const std::string key = approval_key(data_.record().run, name.text(), open.since);
        const auto stored = answers_.contains(key) ? store_.objects->get(key) : std::nullopt;
        if (stored) {
            const Approval approval = approval_from(json::parse(stored->bytes, "approval"));
            if (!approval.approved) {
                return failed(open.question, Cause::user, "rejected by " + said(approval));
            }
            return Over{open.question, {}, {}, said(approval)};
        }
        missing(k_approval_s);
    }
    if (double look_again_s = k_file_s; wait.file && !is_there(open, now, look_again_s)) {
        missing(look_again_s);
    }
    if (wait.until && !until_holds(open, now)) {
        missing(k_until_s);
    }
    if (wait.url && !url_answers(open, now)) {
        missing(urls_.asked_again(open.url) - steady);
    }
    if (!wait.approval && !wait.file && !wait.until && !wait.url) {
        missing(HUGE_VAL);
    }
    return std::nullopt;
}

bool Waits::until_holds(Open& open, Timestamp now) const {
    const Value value = wait_of(open).until->evaluate(scope_of(open.question, now));
    const auto time = value.is_string() ? parse_time(value.as_string()) : std::nullopt;
    return time ? *time <= now : truthy(value);
}

bool Waits::url_answers(Open& open, Timestamp now) {
    if (open.url_seen) {
        return true;
    }
    open.url = rendered(*wait_of(open).url, open.question, now);
    const std::optional<bool> answer = urls_.answers(open.url);
    open.url_asked = open.url_asked || answer;
    open.url_seen = answer.value_or(false);
    return open.url_seen;
}

}  // namespace amp
