#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp complete -- WORD...`, hidden: what the last word may be completed to.
struct CompleteCommand {
    std::vector<std::string>
        words;         ///< behind amp, up to the cursor; the last one, perhaps empty, is completed
    std::string line;  ///< instead: the line as it was typed up to the cursor, amp included
};

/// What fits.
struct Completion {
    enum class Shell { nothing, files, folders };
    Shell shell = Shell::nothing;                            ///< what the shell adds by itself
    bool nospace = false;                                    ///< more of the word may follow
    std::vector<std::pair<std::string, std::string>> words;  ///< with what they are
};

/// Whole words, each beginning with the last of `words`. None holds a control character. What cannot be read
/// (no project, no store, a broken flow) makes them fewer, and is no error.
Completion complete_words(Session& session, std::vector<std::string> words);

/// Prints a line "words", "files" or "folders", with " nospace" where that is so, and a line for each word,
/// with a tab and what it is. Nothing, and no error, when nothing fits.
ExitCode execute(Session& session, const CompleteCommand& command);

}  // namespace amp
