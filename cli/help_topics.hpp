#pragma once

#include <span>
#include <string>
#include <string_view>

namespace amp {

/// A page of `amp help TOPIC` that is not about one command.
struct HelpTopic {
    std::string_view name;
    std::string_view summary;
    std::string_view text;
};
std::span<const HelpTopic> help_topics();

/// What `amp` and `amp help` print.
std::string help_overview();

/// The page of a command or a topic. @throws Error(usage) with a did-you-mean
/// @param brief of a command, what -h prints
std::string help_page(const std::string& topic, bool brief = false);

}  // namespace amp
