#include "backends/local/keeper_history.hpp"

#include <charconv>

#include "core/base/error.hpp"
#include "core/store/keeper_log.hpp"
#include "core/store/layout.hpp"

namespace amp {
namespace {

void apply(KeeperHistory& history, const Record& record) {
    if (record.type == "keeper") {
        history.pid = get_int(record.payload, "pid");
        history.host = get_string(record.payload, "host");
        history.socket = get_string(record.payload, "socket");
        history.secret = get_string(record.payload, "secret");
        history.scratch = get_string(record.payload, "scratch");
    } else if (record.type == "last_words") {
        history.last_words = get_string(record.payload, "text");
    } else if (record.type == "start") {
        const AttemptId id{TaskName::parse(get_string(record.payload, "task")),
                           static_cast<std::uint32_t>(get_int(record.payload, "attempt"))};
        history.started[id] = get_string(record.payload, "token");
        if (const std::string engine = get_string(record.payload, "container"); !engine.empty()) {
            history.contained[engine].insert(history.started[id]);
        }
    } else if (record.type == "end") {
        history.ended.push_back(attempt_result_from(record.payload));
        history.started.erase({history.ended.back().task, history.ended.back().attempt});
    }
}

}  // namespace

std::vector<std::uint32_t> keeper_numbers(AppendFiles& files, std::string_view run) {
    std::vector<std::uint32_t> numbers;
    const std::string prefix = layout::keeper_prefix(run);
    for (const std::string& key : files.list(prefix)) {
        std::uint32_t number = 0;
        const char* begin = key.data() + prefix.size();
        const char* end = key.data() + key.size();
        const auto parsed = std::from_chars(begin, end, number);
        if (parsed.ec == std::errc() && parsed.ptr == end) {
            numbers.push_back(number);
        }
    }
    return numbers;
}

std::vector<std::uint32_t> keeper_numbers(AppendFiles& files, std::string_view run, std::uint32_t base) {
    std::vector<std::uint32_t> numbers = keeper_numbers(files, run);
    std::erase_if(numbers,
                  [base](std::uint32_t number) { return number <= base || number > last_number(base); });
    return numbers;
}

KeeperHistory read_history(AppendFiles& files, std::string_view run, std::uint32_t number) {
    KeeperHistory history;
    history.number = number;
    read_keeper_log(files, run, number, [&history](const Record& record) {
        try {
            apply(history, record);
        } catch (const Error&) {
            // A record of a later amp that we do not understand: its attempt counts as started or as unknown.
        }
    });
    return history;
}

bool keeper_lives(AppendFiles& files, std::string_view run, std::uint32_t number) {
    return files.locked(layout::keeper_log(run, number));
}

}  // namespace amp
