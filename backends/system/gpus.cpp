#include "backends/system/gpus.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "backends/system/tool_process.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_device_prefix = "nvidia";
constexpr double k_tool_patience_s = 20;

std::optional<unsigned> number_of(std::string_view text) {
    unsigned number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = !text.empty() && failed == std::errc() && end == text.data() + text.size();
    return whole ? std::optional(number) : std::nullopt;
}

std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    std::error_code failed;
    for (auto it = fs::directory_iterator(folder, failed); !failed && it != fs::directory_iterator();
         it.increment(failed)) {
        names.push_back(it->path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

/// /dev/nvidia0, nvidia1, …
std::vector<unsigned> device_minors(const std::string& dev) {
    std::vector<unsigned> minors;
    for (const std::string& name : names_in(dev)) {
        if (name.starts_with(k_device_prefix)) {
            if (const auto minor = number_of(std::string_view(name).substr(k_device_prefix.size()))) {
                minors.push_back(*minor);
            }
        }
    }
    std::sort(minors.begin(), minors.end());
    return minors;
}

/// What the driver says of one GPU: "GPU UUID: \t GPU-…" (question marks until somebody has used it),
/// "Device Minor: \t 0".
struct Card {
    Gpu gpu;
    std::string uuid;
    std::optional<unsigned> minor;
};

Card read_card(const std::string& path) {
    Card card;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        const std::size_t colon = line.find(':');
        if (colon == std::string::npos) {
            continue;
        }
        const std::string_view value = trim(std::string_view(line).substr(colon + 1));
        if (line.starts_with("GPU UUID")) {
            card.uuid = value;
        } else if (line.starts_with("Device Minor")) {
            card.minor = number_of(value);
        }
    }
    return card;
}

/// By their places on the bus, which is the order in which CUDA and nvidia-smi count. Of those that the
/// driver knows, a container sees the ones that it has device files of.
std::vector<Card> cards_of(const GpuSources& sources, const std::vector<unsigned>& minors) {
    std::vector<Card> cards;
    for (const std::string& place : names_in(sources.proc + "/gpus")) {
        Card card = read_card(sources.proc + "/gpus/" + place + "/information");
        const bool here =
            minors.empty() || !card.minor || std::binary_search(minors.begin(), minors.end(), *card.minor);
        if (here) {
            card.gpu = {std::to_string(cards.size()), place};
            cards.push_back(std::move(card));
        }
    }
    if (cards.empty()) {  // CUDA counts those that are there, whatever their numbers
        for (std::size_t i = 0; i < minors.size(); ++i) {
            cards.push_back({{std::to_string(i), std::to_string(i)}, {}, minors[i]});
        }
    }
    return cards;
}

/// The one whose UUID begins so; nullptr: none does.
const Card* find_card(const std::vector<Card>& cards, std::string_view uuid) {
    const auto found = std::find_if(cards.begin(), cards.end(),
                                    [&](const Card& card) { return card.uuid.starts_with(uuid); });
    return found == cards.end() ? nullptr : &*found;
}

/// Has any GPU been parted? The driver shows capabilities/gpuN/mig/giM then.
bool any_parted(const std::string& proc) {
    const std::string folder = proc + "/capabilities/";
    for (const std::string& gpu : names_in(folder)) {
        std::string parted = folder;
        parted.append(gpu).append("/mig");
        const std::vector<std::string> parts = names_in(parted);
        if (gpu.starts_with("gpu") && std::any_of(parts.begin(), parts.end(),
                                                  [](const auto& name) { return name.starts_with("gi"); })) {
            return true;
        }
    }
    return false;
}

std::string uuid_in(std::string_view line) {
    constexpr std::string_view k_before = "(UUID: ";
    const std::size_t at = line.find(k_before);
    if (at == std::string_view::npos) {
        return {};
    }
    const std::string_view rest = line.substr(at + k_before.size());
    return std::string(rest.substr(0, rest.find(')')));
}

/// "GPU 0: … (UUID: GPU-…)", and below it, further in, "MIG 1g.10gb Device 0: (UUID: MIG-…)". CUDA takes
/// parts by their UUIDs only.
std::vector<Gpu> parse_parts(const std::string& text, const std::vector<Card>& cards) {
    std::vector<Gpu> found;
    bool whole = false;  // the last one, so far
    std::size_t count = 0;
    for (const std::string_view line : split(text, '\n')) {
        const std::string uuid = uuid_in(line);
        if (uuid.empty()) {
            continue;
        }
        if (trim(line).starts_with("MIG")) {
            if (std::exchange(whole, false)) {
                found.pop_back();
            }
            found.push_back({uuid, uuid});
        } else {
            const Card* card = find_card(cards, uuid);
            found.push_back({std::to_string(count++), card != nullptr ? card->gpu.id : uuid});
            whole = true;
        }
    }
    return found;
}

/// A GPU as CUDA_VISIBLE_DEVICES names it: by its number, or by (the beginning of) its UUID.
Gpu named(const std::string& name, const std::vector<Card>& cards) {
    const auto number = number_of(name);
    if (number && *number < cards.size()) {
        return {name, cards[*number].gpu.id};
    }
    const Card* card = number ? nullptr : find_card(cards, name);
    return {name, card != nullptr ? card->gpu.id : name};
}

std::string ask_tool() {
    try {
        const ToolResult result = ToolProcess().run({"nvidia-smi", "-L"}, "/", k_tool_patience_s);
        return result.exit == 0 ? result.out : std::string();
    } catch (const Error&) {
        return {};
    }
}

}  // namespace

std::vector<Gpu> find_gpus(const GpuSources& sources) {
    const std::vector<unsigned> minors = device_minors(sources.dev);
    const std::vector<Card> cards = cards_of(sources, minors);
    std::vector<Gpu> gpus;
    if (sources.visible != nullptr) {
        for (const std::string& name : parse_gpu_list(sources.visible)) {
            gpus.push_back(named(name, cards));
        }
        return gpus;
    }
    // Without device files: nobody has used them since the machine started, or this is a container that has
    // none of them, and sees the driver of its host.
    const bool doubtful = minors.empty() && !cards.empty();
    if (sources.list_parts && (doubtful || any_parted(sources.proc))) {
        gpus = parse_parts(sources.list_parts(), cards);
    }
    if (gpus.empty() && !doubtful) {
        std::transform(cards.begin(), cards.end(), std::back_inserter(gpus),
                       [](const Card& card) { return card.gpu; });
    }
    return gpus;
}

std::vector<Gpu> visible_gpus() {
    GpuSources sources;
    sources.visible = std::getenv("CUDA_VISIBLE_DEVICES");
    sources.list_parts = ask_tool;
    return find_gpus(sources);
}

std::vector<std::string> parse_gpu_list(const std::string& text) {
    std::vector<std::string> devices;
    for (const std::string_view part : split(text, ',')) {
        const std::string_view name = trim(part);
        // A part may be called MIG-GPU-<uuid>/<instance>/<compute instance>.
        const bool misplaced = name.find('/') != std::string_view::npos && !name.starts_with("MIG-");
        if (name.empty() || name == "-1" || name == "NoDevFiles" || misplaced ||
            name.find("..") != std::string_view::npos) {
            break;  // as CUDA does: what follows an invalid one is not visible
        }
        if (std::find(devices.begin(), devices.end(), name) == devices.end()) {
            devices.emplace_back(name);
        }
    }
    return devices;
}

}  // namespace amp
