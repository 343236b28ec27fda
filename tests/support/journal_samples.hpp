#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/store/journal.hpp"
#include "core/store/layout.hpp"

/// Journals whose records tell their own truth, for the tests of the journal.
namespace amp::test::journal_samples {

inline const std::string k_run = "261120-081530-k3fx";

/// "1:1:a {"n":1}": seq, epoch, type, payload.
inline std::string text_of(const Record& record) {
    return fmt::format("{}:{}:{} {}", record.seq, record.epoch, record.type, json::dump(record.payload));
}

struct Read {
    std::vector<std::string> records;
    LogEnd end;
};

inline Read read_all(AppendFiles& files) {
    Read read;
    read.end =
        read_journal(files, k_run, [&](const Record& record) { read.records.push_back(text_of(record)); });
    return read;
}

inline Value payload(int n) {
    return Object{{"n", n}, {"text", std::string(static_cast<std::size_t>(n % 7), 'x')}};
}

inline std::string expected(int seq, int epoch) {
    return fmt::format("{}:{}:rec {}", seq, epoch, json::dump(payload(seq)));
}

inline std::vector<std::string> expected_all(int count, int epoch = 1) {
    std::vector<std::string> out;
    for (int n = 1; n <= count; ++n) {
        out.push_back(expected(n, epoch));
    }
    return out;
}

inline void write(JournalWriter& journal, int from, int to) {
    for (int n = from; n <= to; ++n) {
        journal.append("rec", payload(n));
    }
}

inline std::string segment(int epoch, int number) {
    return layout::journal(k_run, static_cast<std::uint32_t>(epoch), static_cast<std::uint32_t>(number));
}

inline bool is_prefix(const std::vector<std::string>& some, const std::vector<std::string>& all) {
    return some.size() <= all.size() && std::equal(some.begin(), some.end(), all.begin());
}

/// Reads a journal that may be damaged; false when it said so. What it gave was right in either case.
inline bool reads_prefix(AppendFiles& files, const std::vector<std::string>& truth) {
    std::vector<std::string> got;
    try {
        read_journal(files, k_run, [&](const Record& record) { got.push_back(text_of(record)); });
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::mismatch);
        CHECK(is_prefix(got, truth));
        return false;
    }
    CHECK(is_prefix(got, truth));
    return true;
}

}  // namespace amp::test::journal_samples
