#include "core/task/engines.hpp"

#include <fmt/format.h>

#include <vector>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr std::string_view k_docker = "docker";
constexpr std::string_view k_podman = "podman";
constexpr std::string_view k_rootless = ":rootless";
constexpr double k_answer_s = 20;

/// Why it does not answer; empty: `engine` is what it says.
std::string ask_engine(Process& process, const std::string& name, Engine& engine) {
    try {
        const ToolResult result = process.run(version_words(name), "/", k_answer_s);
        const auto version = engine_version_from(result.out);
        if (result.exit == 0 && version) {
            engine = {name, version->rootless, version->version};
            return {};
        }
        const std::string words = engine_words(result.err);
        return fmt::format("{}: {}", name,
                           result.timed_out ? std::string("no answer")
                           : words.empty()  ? "it fails"
                                            : words);
    } catch (const Error&) {
        return fmt::format("there is no {}", name);
    }
}

std::vector<std::string> candidates(const std::string& wanted) {
    if (wanted.empty()) {
        return {std::string(k_docker), std::string(k_podman)};
    }
    return {parse_engine(wanted).name};
}

}  // namespace

std::string engine_text(const Engine& engine) {
    return engine.rootless ? engine.name + std::string(k_rootless) : engine.name;
}

Engine parse_engine(std::string_view text) {
    Engine engine;
    engine.rootless = text.ends_with(k_rootless);
    engine.name = text.substr(0, text.size() - (engine.rootless ? k_rootless.size() : 0));
    if (engine.name != k_docker && engine.name != k_podman) {
        throw Error(ExitCode::usage, fmt::format("'{}' is no container engine", text), "",
                    "there are docker and podman");
    }
    return engine;
}

Engine find_engine(Process& process, const std::string& wanted) {
    std::vector<std::string> problems;
    for (const std::string& name : candidates(wanted)) {
        Engine engine;
        problems.push_back(ask_engine(process, name, engine));
        if (problems.back().empty()) {
            return engine;
        }
    }
    throw Error(
        ExitCode::infrastructure, fmt::format("no container engine answers: {}", join(problems, "; ")), "",
        fmt::format("start docker, or install podman; {} says which of them is used", k_engine_variable));
}

Engine engine_of(const TaskSpec& spec) {
    for (const auto& [name, text] : spec.env) {
        if (name == k_engine_variable && text.size() == 1) {
            return parse_engine(text.front().text);
        }
    }
    return {std::string(k_docker), false, {}};
}

std::optional<ImageIdentity> look_up_image(Process& process, const Engine& engine, const std::string& image) {
    const ToolResult result = process.run(image_words(engine.name, image), "/", k_answer_s);
    return result.exit == 0 ? image_identity_from(result.out, image) : std::nullopt;
}

bool pull_image(Process& process, const Engine& engine, const std::string& image,
                const std::function<bool()>& go_on) {
    const ToolResult result = process.run_while(pull_words(engine.name, image), "/", go_on);
    if (result.exit != 0 && !result.timed_out) {
        throw Error(
            ExitCode::infrastructure,
            fmt::format("the image '{}' cannot be had: {}", image, engine_words(result.err)), "",
            fmt::format("look at its name; `{} pull {}` tries it again", engine.name, shell_quote(image)));
    }
    return !result.timed_out;
}

}  // namespace amp
