#include "cli/complete_typed.hpp"

#include <algorithm>

namespace amp {

bool Typed::has(const OptionInfo& option) const {
    return std::any_of(options.begin(), options.end(), [&](const auto& given) {
        return std::find(option.names.begin(), option.names.end(), given.first) != option.names.end();
    });
}
std::string Typed::value_of(std::string_view name) const {
    const auto it =
        std::find_if(options.begin(), options.end(), [&](const auto& given) { return given.first == name; });
    return it == options.end() ? "" : it->second;
}

const OptionInfo* find_option(const std::vector<OptionInfo>& options, std::string_view name) {
    const auto it = std::find_if(options.begin(), options.end(), [&](const OptionInfo& option) {
        return std::find(option.names.begin(), option.names.end(), name) != option.names.end();
    });
    return it == options.end() ? nullptr : &*it;
}

std::size_t value_in_cluster(const std::vector<OptionInfo>& options, std::string_view word) {
    for (std::size_t i = 1; i + 1 < word.size(); ++i) {
        const OptionInfo* option = find_option(options, std::string{'-', word[i]});
        if (option == nullptr) {
            break;
        }
        if (option->takes_value) {
            return i + 1;
        }
    }
    return std::string::npos;
}

namespace {

/// -q, -fq, -plr=0.1 and -p: each letter is an option, as far as they are known.
void read_cluster(const std::vector<OptionInfo>& options, const std::string& word, Typed& typed) {
    for (std::size_t i = 1; i < word.size(); ++i) {
        const std::string name = {'-', word[i]};
        const OptionInfo* option = find_option(options, name);
        if (option == nullptr || !option->takes_value) {
            typed.options.emplace_back(name, "");
            continue;
        }
        typed.options.emplace_back(name, word.substr(i + 1));
        typed.waiting = i + 1 == word.size() ? name : "";
        return;
    }
}

}  // namespace

Typed read_typed(const std::vector<OptionInfo>& options, bool parameters,
                 const std::vector<std::string>& words) {
    Typed typed;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        if (typed.ended || word.size() < 2 || word[0] != '-') {
            typed.positionals.push_back(word);
            continue;
        }
        if (word == "--") {
            typed.ended = true;
            continue;
        }
        if (!word.starts_with("--")) {
            read_cluster(options, word, typed);
            if (!typed.waiting.empty() && i + 1 < words.size()) {
                typed.options.back().second = words[++i];
                typed.waiting.clear();
            }
            continue;
        }
        const std::size_t equals = word.find('=');
        const std::string name = word.substr(0, equals);
        const OptionInfo* option = find_option(options, name);
        const bool wants = option != nullptr ? option->takes_value : parameters;
        std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
        if (wants && equals == std::string::npos) {
            if (i + 1 == words.size()) {
                typed.waiting = name;
            } else if (option != nullptr || !words[i + 1].starts_with("--")) {
                value = words[++i];
            }
        }
        typed.options.emplace_back(name, value);
    }
    return typed;
}

std::vector<std::string> split_typed(std::string_view line) {
    std::vector<std::string> words(1);
    char quote = 0;
    bool between = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        const bool blank = quote == 0 && (c == ' ' || c == '\t' || c == '\n');
        if (blank) {
            between = true;
            continue;
        }
        if (between) {
            words.emplace_back();
            between = false;
        }
        if (c == quote) {
            quote = 0;
        } else if (quote == 0 && (c == '"' || c == '\'')) {
            quote = c;
        } else if (c == '\\' && quote != '\'' && i + 1 < line.size()) {
            words.back() += line[++i];
        } else {
            words.back() += c;
        }
    }
    if (between) {
        words.emplace_back();
    }
    return words;
}

}  // namespace amp
