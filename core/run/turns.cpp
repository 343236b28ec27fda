#include "core/run/turns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/run/run_index.hpp"
#include "core/run/run_reader.hpp"
#include "core/run/start.hpp"
#include "core/store/layout.hpp"
#include "core/store/sealed.hpp"
#include "core/store/store.hpp"

namespace amp {
namespace {

constexpr int k_schema = 1;
constexpr double k_look_anyway_s = 2;

Value entry_value(const std::string& run, Timestamp at, const std::string& cancelled_by) {
    return Object{{"run", run}, {"at", format_time(at)}, {"cancelled_by", cancelled_by}};
}

}  // namespace

Turns::Turns(Services& services, OpenStore& store, std::string flow)
    : services_(services), store_(store), flow_(std::move(flow)) {}

Turns::Record Turns::read() {
    Record record;
    const std::string key = layout::turn(flow_);
    record.stored = store_.objects->get(key);
    if (!record.stored) {
        return record;
    }
    const Value value = unseal(record.stored->bytes, key);
    if (get_int(value, "schema") > k_schema) {
        throw Error(ExitCode::mismatch, fmt::format("'{}' was written by a newer amp", key), key,
                    "use that amp");
    }
    const auto entry = [](const Value& v) {
        return Entry{get_string(v, "run"), parse_time(get_string(v, "at")).value_or(Timestamp{}),
                     get_string(v, "cancelled_by")};
    };
    if (const Value* on = value.find("on"); on && on->is_object()) {
        record.on = entry(*on);
    }
    for (const Value& waiting : get_list(value, "waiting")) {
        record.waiting.push_back(entry(waiting));
    }
    return record;
}

/// False when somebody else was faster.
bool Turns::write(const Record& record) {
    List waiting;
    for (const Entry& entry : record.waiting) {
        waiting.push_back(entry_value(entry.run, entry.at, entry.cancelled_by));
    }
    const Value on =
        record.on ? entry_value(record.on->run, record.on->at, record.on->cancelled_by) : Value();
    const std::string text = seal(Object{{"schema", k_schema},
                                         {"flow", flow_},
                                         {"on", on},
                                         {"waiting", std::move(waiting)},
                                         {"token", make_token()}});  // no two writes are alike
    const std::string key = layout::turn(flow_);
    const PutResult result = record.stored
                                 ? store_.objects->compare_and_swap(key, text, record.stored->version)
                                 : store_.objects->put_if_absent(key, text);
    return result == PutResult::stored;
}

/// Driven; or claimed a moment ago and about to be.
bool Turns::lives(const Entry& entry) {
    return is_driven(*store_.objects, *store_.files, services_.clock, entry.run, services_.host) ||
           awaits_driver(services_, store_, entry.run, entry.at);
}

/// Driven runs of the flow that ask nobody ("allow").
std::vector<std::string> Turns::unbound(const Record& record, const std::string& run) {
    const RunIndex index(*store_.objects);
    std::vector<std::string> out;
    const auto waits = [&](const std::string& id) {
        return std::any_of(record.waiting.begin(), record.waiting.end(),
                           [&](const Entry& entry) { return entry.run == id; });
    };
    for (const std::string& id : list_runs(*store_.objects)) {
        if (id == run || (record.on && record.on->run == id) || waits(id) || index.find(id) ||
            !is_driven(*store_.objects, *store_.files, services_.clock, id, services_.host)) {
            continue;
        }
        try {
            const RunRecord other = run_record_from(read_run(*store_.objects, id));
            if (other.flow_name == flow_ && other.parent.empty() && other.concurrency == "allow") {
                out.push_back(id);
            }
        } catch (const Error&) {
            // Removed meanwhile, or damaged: it is no reason to wait.
        }
    }
    return out;
}

/// Who keeps `run` from going on, the first to wait for in front.
std::vector<std::string> Turns::ahead(const Record& record, const std::string& run) {
    std::vector<std::string> out;
    if (record.on && record.on->run != run && lives(*record.on)) {
        out.push_back(record.on->run);
    }
    for (std::string& id : unbound(record, run)) {
        out.push_back(std::move(id));
    }
    for (const Entry& entry : record.waiting) {
        if (entry.run == run) {
            break;
        }
        if (entry.cancelled_by.empty() && lives(entry)) {
            out.push_back(entry.run);
        }
    }
    return out;
}

Turns::Place Turns::ask(const std::string& run) {
    for (;;) {
        Record record = read();
        const auto mine = std::find_if(record.waiting.begin(), record.waiting.end(),
                                       [&](const Entry& entry) { return entry.run == run; });
        Place place;
        if (mine != record.waiting.end() && !mine->cancelled_by.empty()) {
            place.cancelled_by = mine->cancelled_by;
        } else if (const auto before = ahead(record, run); !before.empty()) {
            place.behind = before.front();
        } else {
            place.on = true;
        }
        if (!place.behind.empty() && mine != record.waiting.end()) {
            return place;  // it stands in the line already
        }
        if (place.behind.empty()) {
            std::erase_if(record.waiting, [&](const Entry& e) { return e.run == run || !lives(e); });
        } else {
            record.waiting.push_back({run, services_.clock.now(), {}});
        }
        if (place.on) {
            record.on = Entry{run, services_.clock.now(), {}};
        }
        if (write(record)) {
            return place;
        }
    }
}

std::string Turns::claim(const std::string& run) {
    for (;;) {
        Record record = read();
        const auto before = ahead(record, run);
        if (!before.empty()) {
            return before.front();
        }
        record.on = Entry{run, services_.clock.now(), {}};
        if (write(record)) {
            return {};
        }
    }
}

std::vector<std::string> Turns::ahead_of(const std::string& run) {
    return ahead(read(), run);
}

void Turns::leave(const std::string& run) {
    for (;;) {
        Record record = read();
        if (std::erase_if(record.waiting, [&](const Entry& entry) { return entry.run == run; }) == 0 ||
            write(record)) {
            return;
        }
    }
}

bool Turns::cancel(const std::string& run, const std::string& who) {
    for (;;) {
        Record record = read();
        bool waits = false;
        for (Entry& entry : record.waiting) {
            if (entry.run == run) {
                waits = true;
                entry.cancelled_by = who.empty() ? "somebody" : who;
            }
        }
        if (!waits || write(record)) {
            return waits;
        }
    }
}

std::optional<std::string> Turns::behind(const std::string& run) {
    const Record record = read();
    const bool waits = std::any_of(record.waiting.begin(), record.waiting.end(),
                                   [&](const Entry& entry) { return entry.run == run; });
    if (!waits) {
        return std::nullopt;
    }
    const auto before = ahead(record, run);
    return before.empty() ? std::string() : before.front();
}

namespace {

/// Waits until the line, or the run that is waited for, may have changed.
class TurnChanges {
  public:
    TurnChanges(Services& services, OpenStore& store, const std::string& flow)
        : services_(services), store_(store), line_(store.files->watch(layout::turn_prefix(flow))) {}

    void look_at(const std::string& run) {
        if (run != run_) {
            run_ = run;
            ahead_ = store_.files->watch(layout::run_prefix(run));
        }
    }
    void wait(double seconds) {
        const int fds[] = {line_ ? line_->fd() : -1, ahead_ ? ahead_->fd() : -1};
        // A writer's end is told a moment before its lock is free: so there is one more look soon.
        const double most = changed_ ? k_soon_s : k_look_anyway_s;
        services_.waiter.get().wait_any(fds, std::min(seconds, most));
        const bool line = line_ && line_->take();
        const bool ahead = ahead_ && ahead_->take();
        changed_ = line || ahead;
    }

  private:
    static constexpr double k_soon_s = 0.02;

    Services& services_;
    OpenStore& store_;
    std::unique_ptr<Watch> line_;
    std::unique_ptr<Watch> ahead_;
    std::string run_;
    bool changed_ = false;
};

/// Each that is ahead is asked once.
void replace_those(Services& services, OpenStore& store, Turns& turns, const std::string& run,
                   std::set<std::string>& asked, RunObserver& observer) {
    for (const std::string& other : turns.ahead_of(run)) {
        if (!asked.insert(other).second) {
            continue;
        }
        observer.note(fmt::format("run {} is cancelled: this one replaces it", other));
        try {
            cancel_run(services, store, other, "run " + run);
        } catch (const Error& error) {
            observer.note(error.advice());
        }
    }
}

}  // namespace

TurnTaken wait_for_turn(Services& services, OpenStore& store, const RunRecord& record,
                        const std::string& concurrency, Lease& lease, RunObserver& observer) {
    if (concurrency == "allow" || !record.parent.empty()) {
        return {};
    }
    Turns turns(services, store, record.flow_name);
    if (concurrency == "skip") {
        const std::string other = turns.claim(record.run);
        return other.empty() ? TurnTaken{} : TurnTaken{TurnTaken::Kind::skipped, other};
    }
    TurnChanges changes(services, store, record.flow_name);
    std::set<std::string> asked;
    std::string told;
    for (;;) {
        const Turns::Place place = turns.ask(record.run);
        if (place.on) {
            return {};
        }
        if (!place.cancelled_by.empty()) {
            return {TurnTaken::Kind::cancelled, place.cancelled_by};
        }
        if (services.waiter.get().interrupts() > 0 || services.waiter.get().terminating_signal() != 0) {
            turns.leave(record.run);
            return {TurnTaken::Kind::interrupted, {}};
        }
        if (place.behind != told) {
            told = place.behind;
            observer.run_waits(record.run, told);
        }
        if (concurrency == "replace") {
            replace_those(services, store, turns, record.run, asked, observer);
        }
        const double steady = services.clock.steady_seconds();
        if (steady >= lease.renew_at()) {
            lease.renew();
        }
        changes.look_at(place.behind);
        changes.wait(std::max(0.0, lease.renew_at() - steady));
    }
}

}  // namespace amp
