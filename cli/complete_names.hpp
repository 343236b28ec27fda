#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/option_info.hpp"

namespace amp {

struct Flow;
struct Parameter;

/// Words that may be completed to, each with what it is.
using CompletionWords = std::vector<std::pair<std::string, std::string>>;

/// Of which nothing is said.
CompletionWords as_words(const std::vector<std::string>& names);

CompletionWords command_words();
/// Those of a kind that amp itself brings along: the words of a metavar, codes, topics.
CompletionWords built_in_words(ValueKind kind, std::string_view metavar);

/// The parameters of a flow as options, with `_` where that is typed.
CompletionWords option_words(const Flow& flow, std::string_view typed);
/// What a parameter may be given, as far as that is known.
CompletionWords value_words(const Parameter& parameter);

/// What runs can be sorted by: the parameters of a flow, or without one all else.
CompletionWords sort_words(const std::string& front, const Flow* flow);

}  // namespace amp
