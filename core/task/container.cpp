#include "core/task/container.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr std::string_view k_podman = "podman";
constexpr std::uint64_t k_least_memory = std::uint64_t{6} << 20;  // engines take no less
constexpr double k_least_cpu = 0.01;
constexpr std::size_t k_hash_length = 12;
constexpr std::size_t k_longest_words = 600;

using Words = std::vector<std::string>;

void add(Words& words, std::initializer_list<std::string_view> more) {
    words.insert(words.end(), more.begin(), more.end());
}

/// Of a --mount: its fields are CSV.
std::string quoted_field(std::string_view field) {
    std::string out = "\"";
    for (const char c : field) {
        out.append(c == '"' ? 2 : 1, c);
    }
    return out + "\"";
}

std::string mount_text(const ContainerMount& mount) {
    std::string text =
        "type=bind," + quoted_field("src=" + mount.from) + "," + quoted_field("dst=" + mount.to);
    return mount.writable ? text : text + ",readonly";
}

/// Without root the engine's root is us (docker), or we keep our number (podman).
void add_user(Words& words, const std::string& engine, const ContainerRequest& request) {
    const bool podman = engine == k_podman;
    if (request.rootless && !podman) {
        add(words, {"--user", "0:0"});
        return;
    }
    add(words, {"--user", fmt::format("{}:{}", request.uid, request.gid)});
    if (request.rootless) {
        add(words, {"--userns", "keep-id"});
        return;
    }
    for (const gid_t group : request.groups) {
        add(words, {"--group-add", std::to_string(group)});
    }
}

void add_limits(Words& words, const std::string& engine, const ContainerRequest& request) {
    if (request.cpu > 0) {
        add(words, {"--cpus", fmt::format("{:.2f}", std::max(request.cpu, k_least_cpu))});
    }
    if (request.memory_bytes > 0) {
        const std::string bytes = std::to_string(std::max(request.memory_bytes, k_least_memory));
        add(words, {"--memory", bytes, "--memory-swap", bytes});
    }
    if (!request.gpus.empty() && engine != k_podman) {
        add(words, {"--gpus", quoted_field("device=" + join(request.gpus, ","))});
    }
    for (const std::string& gpu : request.gpus) {
        if (engine == k_podman) {
            add(words, {"--device", "nvidia.com/gpu=" + gpu});
        }
    }
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

template <std::size_t N>
bool contains_any(std::string_view text, const std::array<std::string_view, N>& parts) {
    return std::any_of(parts.begin(), parts.end(),
                       [text](std::string_view part) { return contains(text, part); });
}

constexpr std::array<std::string_view, 8> k_away = {"cannot connect to the docker daemon",
                                                    "error during connect",
                                                    "is the docker daemon running",
                                                    "permission denied while trying to connect",
                                                    "cannot connect to podman",
                                                    "unable to connect to podman",
                                                    "unexpected eof",
                                                    "error waiting for container"};

constexpr std::array<std::string_view, 18> k_image = {"no such image",
                                                      "image not known",
                                                      "unable to find image",
                                                      "pull access denied",
                                                      "manifest unknown",
                                                      "manifest for",
                                                      "no matching manifest",
                                                      "repository does not exist",
                                                      "invalid reference format",
                                                      "initializing source",
                                                      "short-name",
                                                      "failed to resolve reference",
                                                      "toomanyrequests",
                                                      "unauthorized",
                                                      "trying to pull",
                                                      "failed to register layer",
                                                      "must be lower case",
                                                      "must be lowercase"};

/// amp itself could not be started there.
constexpr std::array<std::string_view, 6> k_no_loader = {
    "/.amp/bin/amp",     "error while loading shared libraries",
    "exec format error", "version `GLIBC",
    "version `GLIBCXX",  "relocation error"};

/// Of a JSON list of texts, or null.
Words references_from(std::string_view json_text) {
    Words references;
    try {
        const Value list = json::parse(json_text);
        for (const Value& entry : list.is_list() ? list.as_list() : List{}) {
            references.push_back(entry.is_string() ? entry.as_string() : std::string());
        }
    } catch (const Error&) {
        references.clear();
    }
    return references;
}

std::string without_prefix(std::string_view line) {
    constexpr std::array<std::string_view, 4> k_prefixes = {
        "docker: ", "Error: ", "Error response from daemon: ", "error: "};
    for (bool again = true; again;) {
        again = false;
        for (const std::string_view prefix : k_prefixes) {
            if (line.starts_with(prefix)) {
                line.remove_prefix(prefix.size());
                again = true;
            }
        }
    }
    return std::string(line);
}

}  // namespace

std::string container_name(std::string_view run, std::string_view token, std::uint32_t rank) {
    std::string name = fmt::format("amp-{}-{}", run, sha256_hex(std::string(token)).substr(0, k_hash_length));
    return rank == 0 ? name : fmt::format("{}-{}", name, rank);
}

Words run_words(const std::string& engine, const ContainerRequest& request) {
    Words words = {engine, "run", "--name", request.name};
    add(words, {"--label", "amp.run=" + request.run, "--label", "amp.task=" + request.task});
    add_user(words, engine, request);
    add(words, {"--workdir", "/", "--network", "host", "--ipc", "host"});
    add(words, {"--security-opt", "label=disable"});  // the folders keep the labels that they have
    add(words, {"--log-driver", "none", "--no-healthcheck"});
    if (request.interactive) {
        add(words, {"--interactive"});
    }
    if (request.terminal) {
        add(words, {"--tty"});
    }
    for (const ContainerMount& mount : request.mounts) {
        add(words, {"--mount", mount_text(mount)});
    }
    add_limits(words, engine, request);
    add(words, {"--entrypoint", fmt::format("{}/amp", k_inner_amp_folder), request.image, k_container_init});
    return words;
}

Words remove_words(const std::string& engine, const Words& names) {
    Words words = {engine, "rm", "--force", "--volumes"};
    words.insert(words.end(), names.begin(), names.end());
    return words;
}

Words list_words(const std::string& engine, std::string_view run) {
    return {engine,     "ps",        "--all", "--filter", fmt::format("label=amp.run={}", run),
            "--format", "{{.Names}}"};
}

Words oom_words(const std::string& engine, const std::string& name) {
    return {engine, "inspect", "--format", "{{.State.OOMKilled}}", name};
}

Words version_words(const std::string& engine) {
    return {engine, "info", "--format",
            engine == k_podman ? "{{.Version.Version}} rootless={{.Host.Security.Rootless}}"
                               : "{{.ServerVersion}} {{json .SecurityOptions}}"};
}

Words image_words(const std::string& engine, const std::string& image) {
    return {engine, "image", "inspect", "--format", "{{.Id}} {{json .RepoDigests}}", image};
}

Words pull_words(const std::string& engine, const std::string& image) {
    return {engine, "pull", "--quiet", image};
}

std::optional<EngineVersion> engine_version_from(std::string_view answer) {
    const std::string_view text = trim(answer);
    const std::size_t end = text.find(' ');
    if (end == 0 || end == std::string_view::npos || text.front() < '0' || text.front() > '9') {
        return std::nullopt;
    }
    const std::string_view rest = text.substr(end);
    return EngineVersion{std::string(text.substr(0, end)),
                         contains(rest, "rootless=true") || contains(rest, "name=rootless")};
}

std::optional<ImageIdentity> image_identity_from(std::string_view answer, std::string_view image) {
    const std::string_view text = trim(answer);
    const std::size_t end = text.find(' ');
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    std::string id(text.substr(0, end));
    if (!id.starts_with("sha256:")) {  // as podman says it
        id.insert(0, "sha256:");
    }
    const std::string name = std::string(image.substr(0, image.find('@')));
    const std::size_t tag = name.find(':', name.rfind('/') == std::string::npos ? 0 : name.rfind('/'));
    const std::string repository = name.substr(0, tag);
    std::optional<ImageIdentity> found;
    for (const std::string& reference : references_from(text.substr(end + 1))) {
        const std::size_t at = reference.find('@');
        const std::string known = reference.substr(0, at);
        // What was built here has a digest in podman, but no registry knows it.
        if (at == std::string::npos || known.starts_with("localhost/")) {
            continue;
        }
        const bool same = known == repository || known.ends_with("/" + repository);
        if (same || !found) {
            found = ImageIdentity{reference.substr(at + 1), reference};
        }
        if (same) {
            break;
        }
    }
    return found ? found : ImageIdentity{id, id};
}

std::string engine_words(std::string_view printed) {
    std::string found;
    for (const std::string_view raw : split(printed, '\n')) {
        const std::string_view line = trim(raw);
        const bool advice = line.starts_with("Run '") || line.starts_with("See '") || line.empty();
        const bool chatter = line.starts_with("time=\"") || line.starts_with("Trying to pull") ||
                             line.starts_with("Unable to find image");
        if (!advice && (!chatter || found.empty())) {
            found = without_prefix(line);
        }
    }
    if (found.size() > k_longest_words) {
        found = found.substr(0, k_longest_words) + "…";
    }
    return found;
}

bool is_engine_away(std::string_view printed) {
    return contains_any(lower(printed), k_away);
}

ContainerFailure container_failure(int exit, std::string_view printed, const std::string& image,
                                   bool amp_is_static) {
    const std::string words = engine_words(printed);
    if (is_engine_away(printed)) {
        return {Cause::infra, fmt::format("the container engine does not answer: {}", words)};
    }
    if (contains_any(printed, k_no_loader)) {
        return {Cause::image,
                fmt::format("amp cannot be started in the image '{}': {}{}", image, words,
                            amp_is_static ? ""
                                          : "; this amp is linked dynamically, and the image lacks its "
                                            "libraries: use a released amp, or `./dev static`")};
    }
    if (contains_any(lower(printed), k_image)) {
        return {Cause::image, fmt::format("the image '{}' cannot be had: {}", image, words)};
    }
    return {Cause::infra, fmt::format("its container was not started (exit status {}){}{}", exit,
                                      words.empty() ? "" : ": ", words)};
}

std::vector<std::string> inner_gpu_names(const std::vector<std::string>& gpus) {
    const bool numbers = std::all_of(gpus.begin(), gpus.end(), [](const std::string& name) {
        return !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
    });
    if (!numbers) {
        return gpus;
    }
    std::vector<std::string> names;
    for (std::size_t i = 0; i < gpus.size(); ++i) {
        names.push_back(std::to_string(i));
    }
    return names;
}

}  // namespace amp
