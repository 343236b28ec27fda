#include "backends/local/keeper_options.hpp"

#include <fmt/format.h>

#include <charconv>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

template <class N>
N parse(const std::string& name, const std::string& text) {
    N n{};
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (failed != std::errc() || end != text.data() + text.size()) {
        throw Error(ExitCode::usage, fmt::format("'{}' is no number for {}", text, name));
    }
    return n;
}

/// NAME=ID,NAME=ID
std::string gpus_text(const std::vector<Gpu>& gpus) {
    std::string out;
    for (const Gpu& gpu : gpus) {
        out += fmt::format("{}{}={}", out.empty() ? "" : ",", gpu.name, gpu.id);
    }
    return out;
}

std::vector<Gpu> parse_gpus(const std::string& text) {
    std::vector<Gpu> gpus;
    for (const std::string_view part : split(text, ',')) {
        const std::size_t middle = part.find('=');
        if (middle != std::string_view::npos) {
            gpus.push_back({std::string(part.substr(0, middle)), std::string(part.substr(middle + 1))});
        }
    }
    return gpus;
}

void set_option(KeeperOptions& options, const std::string& name, const std::string& value) {
    if (name == "--store") {
        options.store_dir = value;
    } else if (name == "--run") {
        options.run = value;
    } else if (name == "--project") {
        options.project_dir = value;
    } else if (name == "--epoch") {
        options.number = parse<std::uint32_t>(name, value);
    } else if (name == "--fd") {
        options.channel_fd = parse<int>(name, value);
    } else if (name == "--workers") {
        options.workers = parse<std::size_t>(name, value);
    } else if (name == "--cpu") {
        options.cpu = parse<double>(name, value);
    } else if (name == "--memory") {
        options.memory_bytes = parse<std::uint64_t>(name, value);
    } else if (name == "--gpus") {
        options.gpus = parse_gpus(value);
    } else if (name == "--linger") {
        options.linger_s = parse<double>(name, value);
    } else {
        throw Error(ExitCode::usage, fmt::format("'{}' is no option of a keeper", name));
    }
}

}  // namespace

std::vector<std::string> keeper_arguments(const KeeperOptions& options) {
    return {"--run",     options.run,
            "--epoch",   fmt::format("{}", options.number),
            "--store",   options.store_dir,
            "--fd",      fmt::format("{}", options.channel_fd),
            "--workers", fmt::format("{}", options.workers),
            "--cpu",     fmt::format("{}", options.cpu),
            "--memory",  fmt::format("{}", options.memory_bytes),
            "--gpus",    gpus_text(options.gpus),
            "--project", options.project_dir,
            "--linger",  fmt::format("{}", options.linger_s)};
}

KeeperOptions parse_keeper_arguments(std::span<const std::string> arguments) {
    KeeperOptions options;
    if (arguments.size() % 2 != 0) {
        throw Error(ExitCode::usage, "a keeper's options come in pairs");
    }
    for (std::size_t i = 0; i < arguments.size(); i += 2) {
        set_option(options, arguments[i], arguments[i + 1]);
    }
    if (options.store_dir.empty() || options.run.empty()) {
        throw Error(ExitCode::usage, "a keeper needs --store and --run");
    }
    return options;
}

}  // namespace amp
