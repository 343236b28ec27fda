#include "core/run/holds.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/store/layout.hpp"

namespace amp {
namespace {

constexpr double k_look_s = 1;      // where the store cannot tell of changes by itself, or does not
constexpr double k_moment_s = 0.1;  // much changes in the folder of a run
constexpr int k_tries = 5;

std::optional<Hold> parse_hold(const std::optional<Stored>& stored) {
    return stored ? std::optional(hold_from(json::parse(stored->bytes, "a hold"))) : std::nullopt;
}

AttemptId id_of(const Hold& hold) {
    return {TaskName::parse(hold.task), hold.attempt};
}

}  // namespace

Value to_value(const Hold& hold) {
    return Object{{"schema", Hold::k_schema},
                  {"task", hold.task},
                  {"attempt", std::int64_t{hold.attempt}},
                  {"profile", hold.profile},
                  {"until", format_time(hold.until)},
                  {"inside_until", format_time(hold.inside_until)}};
}

Hold hold_from(const Value& value) {
    if (get_int(value, "schema") > Hold::k_schema) {
        throw Error(ExitCode::mismatch, "the hold was written by a newer version of amp");
    }
    return {get_string(value, "task"), static_cast<std::uint32_t>(get_int(value, "attempt", 1)),
            get_string(value, "profile"), parse_time(get_string(value, "until")).value_or(Timestamp{}),
            parse_time(get_string(value, "inside_until")).value_or(Timestamp{})};
}

std::optional<Hold> read_hold(ObjectStore& objects, const std::string& run, const std::string& task) {
    return parse_hold(objects.get(layout::hold(run, task)));
}

std::vector<Hold> read_holds(ObjectStore& objects, const std::string& run) {
    std::vector<Hold> out;
    for (const std::string& key :
         objects.list_after(layout::hold_prefix(run), {}, std::numeric_limits<std::size_t>::max())) {
        if (auto hold = parse_hold(objects.get(key))) {
            out.push_back(std::move(*hold));
        }
    }
    return out;
}

bool stay_inside(ObjectStore& objects, const std::string& run, const std::string& task, Timestamp until) {
    const std::string key = layout::hold(run, task);
    for (int i = 0; i < k_tries; ++i) {
        const auto stored = objects.get(key);
        auto hold = parse_hold(stored);
        if (!hold) {
            return false;
        }
        hold->inside_until = until;
        if (objects.compare_and_swap(key, json::dump(to_value(*hold)), stored->version) ==
            PutResult::stored) {
            break;
        }
    }
    return true;
}

void end_hold(ObjectStore& objects, const std::string& run, const std::string& task) {
    objects.remove(layout::hold(run, task));
}

Holds::Holds(Services& services, const OpenStore& store, std::string run)
    : services_(services), store_(store), run_(std::move(run)) {}

void Holds::add(const Hold& hold) {
    if (!watch_) {
        watch_ = store_.files->watch(layout::run_prefix(run_));
    }
    store_.objects->put(layout::hold(run_, hold.task), json::dump(to_value(hold)));
    open_.push_back(hold);
    next_look_ = 0;
}

bool Holds::is_over(const Hold& hold) {
    try {
        const auto now = read_hold(*store_.objects, run_, hold.task);
        return !now || now->attempt != hold.attempt || now->over() <= services_.clock.now();
    } catch (const Error&) {  // another look will tell; and its time is known without
        return hold.over() <= services_.clock.now();
    }
}

std::vector<AttemptId> Holds::look() {
    std::vector<AttemptId> over;
    if (open_.empty()) {
        return over;
    }
    const double steady = services_.clock.steady_seconds();
    if (watch_ && watch_->take()) {
        next_look_ = std::min(next_look_, steady + k_moment_s);
    }
    if (next_look_ > steady) {
        return over;
    }
    next_look_ = steady + k_look_s;
    std::erase_if(open_, [&](const Hold& hold) {
        const bool ended = is_over(hold);
        if (ended) {
            end_hold(*store_.objects, run_, hold.task);
            over.push_back(id_of(hold));
        }
        return ended;
    });
    if (open_.empty()) {
        watch_.reset();
    }
    return over;
}

void Holds::end(std::span<const AttemptId> ids) {
    std::erase_if(open_, [&](const Hold& hold) {
        const bool gone = std::find(ids.begin(), ids.end(), id_of(hold)) != ids.end();
        if (gone) {
            end_hold(*store_.objects, run_, hold.task);
        }
        return gone;
    });
}

std::vector<AttemptId> Holds::end_all() {
    std::vector<AttemptId> over;
    for (const Hold& hold : open_) {
        end_hold(*store_.objects, run_, hold.task);
        over.push_back(id_of(hold));
    }
    open_.clear();
    watch_.reset();
    return over;
}

double Holds::seconds_to_look() const {
    return open_.empty() ? HUGE_VAL : std::max(0.0, next_look_ - services_.clock.steady_seconds());
}

}  // namespace amp
