#include "core/run/url_questions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr double k_again_s = 10;
constexpr int k_answer_s = 3;
constexpr double k_patience_s = k_answer_s + 1;  // for a curl that does not keep to its time
constexpr double k_deaf_s = 0.05;                // where the kernel does not tell of a tool's end

}  // namespace

UrlQuestions::UrlQuestions(Process& process, Clock& clock)
    : process_(dynamic_cast<BackgroundProcess*>(&process)), clock_(clock) {}

std::unique_ptr<RunningTool> UrlQuestions::ask(const std::string& url) const {
    if (!url.starts_with("http://") && !url.starts_with("https://")) {
        throw Error(ExitCode::invalid, fmt::format("'{}' is no http or https address", printable(url)));
    }
    try {
        if (process_ == nullptr) {
            throw Error(ExitCode::not_found, "no tool can be started here");
        }
        return process_->start({"curl", "--silent", "--fail", "--location", "--proto", "=http,https",
                                "--output", "/dev/null", "--max-time", std::to_string(k_answer_s), "--", url},
                               "/");
    } catch (const Error& error) {
        throw Error(ExitCode::not_found, "`wait` with a url needs curl: " + error.message(), {},
                    "install curl, or wait for a file");
    }
}

std::optional<bool> UrlQuestions::answers(const std::string& url) {
    const double steady = clock_.steady_seconds();
    const auto known = addresses_.find(url);
    if (known != addresses_.end() && !known->second.tool && known->second.next > steady) {
        return known->second.good;
    }
    if (asked_.contains(url)) {
        return std::nullopt;
    }
    if (asked_.size() >= k_most) {
        queued_.insert(url);
        return std::nullopt;
    }
    addresses_[url] = {ask(url), steady + k_patience_s, false, 0};
    asked_.insert(url);
    return std::nullopt;
}

std::set<std::string> UrlQuestions::take() {
    const double steady = clock_.steady_seconds();
    std::set<std::string> told;
    for (const std::string& url : asked_) {
        Address& address = addresses_[url];
        const std::optional<int> exit = address.tool->exit();
        if (exit || address.patience <= steady) {
            address = {nullptr, 0, exit == 0, steady + k_again_s};
            told.insert(url);
        }
    }
    for (const std::string& url : told) {
        asked_.erase(url);
    }
    if (!told.empty()) {
        told.merge(std::exchange(queued_, {}));
    }
    return told;
}

void UrlQuestions::clear() {
    addresses_.clear();
    asked_.clear();
    queued_.clear();
}

double UrlQuestions::next_look() const {
    double next = HUGE_VAL;
    for (const std::string& url : asked_) {
        const Address& address = addresses_.at(url);
        next = std::min(next, address.patience);
        if (address.tool->fd() < 0) {
            next = std::min(next, clock_.steady_seconds() + k_deaf_s);
        }
    }
    return next;
}

double UrlQuestions::asked_again(const std::string& url) const {
    const auto known = addresses_.find(url);
    return known == addresses_.end() || known->second.tool ? HUGE_VAL : known->second.next;
}

std::vector<int> UrlQuestions::fds() const {
    std::vector<int> out;
    for (const std::string& url : asked_) {
        out.push_back(addresses_.at(url).tool->fd());
    }
    return out;
}

}  // namespace amp
