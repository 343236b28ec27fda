#include "cli/completion.hpp"

#include <array>

#include "cli/complete.hpp"
#include "cli/complete_typed.hpp"
#include "cli/session.hpp"

namespace amp {
namespace {

// What amp answers is text to them, never code: nothing of it is evaluated, and what is put into the line is
// quoted by the shell. No option of bash-completion is needed.

constexpr std::string_view k_bash = R"sh(# The words of amp for bash: amp itself is asked for them.
_amp() {
    local amp=${1/#\~\//$HOME/} typed=${COMP_LINE:0:COMP_POINT} head kind='' line word quoted=''
    COMPREPLY=()
    # Bash completes only what stands behind the last of its COMP_WORDBREAKS; amp answers with whole words.
    head=${typed##*[[:space:]]}
    if [[ $head == *"$2" ]]; then head=${head%"$2"}; else head=''; fi
    [[ $head != *[\"\'] ]] || quoted=1
    while IFS= read -r line; do
        if [[ -z $kind ]]; then
            kind=$line
            continue
        fi
        word=${line%%$'\t'*}
        word=${word#"$head"}
        if [[ -n $quoted ]]; then
            [[ $word != *[\"\'\\\$\`!]* ]] || continue
        else
            printf -v word %q "$word"
        fi
        COMPREPLY+=("$word")
    done < <(command -- "$amp" complete --line "$typed" 2>/dev/null)
    [[ $kind != *nospace ]] || compopt -o nospace 2>/dev/null
    if [[ ${#COMPREPLY[@]} == 0 ]]; then
        case $kind in
            files*) compopt -o default 2>/dev/null ;;
            folders*) compopt -o dirnames 2>/dev/null ;;
        esac
    fi
}
complete -o nosort -F _amp amp 2>/dev/null || complete -F _amp amp
)sh";

constexpr std::string_view k_zsh = R"sh(#compdef amp
# The words of amp for zsh: amp itself is asked for them.
_amp() {
    local amp=${${(Q)words[1]}/#\~\//$HOME/} kind line
    local -a lines values shown space
    lines=("${(@f)$(command -- $amp complete -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    kind=$lines[1]
    shift lines
    local -i width=0
    for line in $lines; do
        values+=("${line%%$'\t'*}")
        (( $#values[-1] > width )) && width=$#values[-1]
    done
    for line in $lines; do
        if [[ $line == *$'\t'?* ]]; then
            shown+=("${(r:width:)line%%$'\t'*}  -- ${line#*$'\t'}")
        else
            shown+=("$line")
        fi
    done
    [[ $kind == *nospace ]] && space=(-S '')
    (( $#values )) && compadd -l -V amp -d shown "${space[@]}" -a -- values
    if [[ $kind == (files|folders)* ]]; then
        [[ $PREFIX == *=* ]] && compset -P '*='
        if [[ $kind == files* ]]; then _files; else _files -/; fi
    fi
    return $(( $#values == 0 && compstate[nmatches] == 0 ))
}
if [[ $funcstack[1] == _amp ]]; then
    _amp "$@"
else
    compdef _amp amp
fi
)sh";

constexpr std::string_view k_fish = R"sh(# The words of amp for fish: amp itself is asked for them.
function __amp_words
    set -l words (commandline -opc)
    set -l token (string unescape -- (commandline -ct))
    set -l amp (string replace -r '^~/' "$HOME/" -- $words[1])
    set -e words[1]
    set -l lines (command $amp complete -- $words "$token" 2>/dev/null)
    set -l kind $lines[1]
    set -e lines[1]
    if test (count $lines) -gt 0
        printf '%s\n' $lines
    end
    switch "$kind"
        case 'files*'
            __fish_complete_path "$token"
        case 'folders*'
            __fish_complete_directories "$token" ''
    end
end
complete -c amp -f -k -a '(__amp_words)'
)sh";

}  // namespace

std::string_view completion_script(std::string_view shell) {
    return shell == "bash" ? k_bash : shell == "zsh" ? k_zsh : k_fish;
}

ExitCode execute(Session& session, const CompletionCommand& command) {
    session.out.result(completion_script(command.shell));
    return ExitCode::ok;
}

ExitCode execute(Session& session, const CompleteCommand& command) {
    std::vector<std::string> words = command.words;
    if (!command.line.empty()) {
        words = split_typed(command.line);
        words.erase(words.begin());
    }
    const Completion found = complete_words(session, std::move(words));
    if (found.words.empty() && found.shell == Completion::Shell::nothing) {
        return ExitCode::ok;
    }
    constexpr std::array<std::string_view, 3> k_kinds = {"words", "files", "folders"};
    session.out.result(k_kinds.at(static_cast<std::size_t>(found.shell)));
    session.out.result(found.nospace && !found.words.empty() ? " nospace\n" : "\n");
    for (const auto& [word, what] : found.words) {
        session.out.result(word);
        session.out.result(what.empty() ? "" : "\t");
        session.out.result(what);
        session.out.result("\n");
    }
    return ExitCode::ok;
}

}  // namespace amp
