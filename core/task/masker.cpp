#include "core/task/masker.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace amp {

MaskPatterns::MaskPatterns(const std::vector<Secret>& secrets) {
    for (const Secret& secret : secrets) {
        names_.push_back(fmt::format("***{}***", secret.name));
        for (const std::string& form : forms_of_secret(secret.value)) {
            insert(form, static_cast<std::uint32_t>(names_.size() - 1));
        }
    }
    link();
}

void MaskPatterns::insert(std::string_view form, std::uint32_t name) {
    Node node = 0;
    for (const char byte : form) {
        Node next = child_of(node, byte);
        if (next == k_none) {
            next = static_cast<Node>(nodes_.size());
            State fresh;
            fresh.byte = byte;
            fresh.depth = nodes_[node].depth + 1;
            fresh.name = name;
            fresh.sibling = nodes_[node].child;
            nodes_.push_back(fresh);
            nodes_[node].child = next;
            if (node == 0) {
                first_[static_cast<unsigned char>(byte)] = next;
            }
        }
        node = next;
    }
    if (!nodes_[node].whole) {
        nodes_[node].whole = true;
        nodes_[node].name = name;
    }
    pairs_.set((std::size_t{static_cast<unsigned char>(form[0])} << 8) | static_cast<unsigned char>(form[1]));
}

// Breadth first: what a node falls back to is less deep, and known already.
void MaskPatterns::link() {
    std::vector<Node> order = {0};
    for (std::size_t i = 0; i < order.size(); ++i) {
        const Node parent = order[i];
        for (Node node = nodes_[parent].child; node != k_none; node = nodes_[node].sibling) {
            State& state = nodes_[node];
            state.fail = parent == 0 ? 0 : step(nodes_[parent].fail, state.byte);
            state.match = state.whole ? node : nodes_[state.fail].match;
            order.push_back(node);
        }
    }
}

MaskPatterns::Node MaskPatterns::child_of(Node node, char byte) const {
    if (node == 0) {
        return first_[static_cast<unsigned char>(byte)];
    }
    Node child = nodes_[node].child;
    while (child != k_none && nodes_[child].byte != byte) {
        child = nodes_[child].sibling;
    }
    return child;
}

MaskPatterns::Node MaskPatterns::step(Node node, char byte) const {
    while (true) {
        const Node next = child_of(node, byte);
        if (next != k_none || node == 0) {
            return next;
        }
        node = nodes_[node].fail;
    }
}

std::string MaskPatterns::mask(std::string_view text) const {
    if (empty()) {
        return std::string(text);
    }
    // Not owned: it lives as long as we do.
    Masker masker(std::shared_ptr<const MaskPatterns>(std::shared_ptr<void>(), this));
    std::string out;
    masker.add(text, out);
    masker.finish(out);
    return out;
}

Value MaskPatterns::mask_value(const Value& value) const {
    if (empty()) {
        return value;
    }
    if (value.is_string()) {
        return mask(value.as_string());
    }
    if (value.is_list()) {
        List out;
        for (const Value& item : value.as_list()) {
            out.push_back(mask_value(item));
        }
        return out;
    }
    if (value.is_object()) {
        Object out;
        for (const auto& [name, member] : value.as_object()) {
            out.insert_or_assign(mask(name), mask_value(member));
        }
        return out;
    }
    return value;
}

void Masker::add(std::string_view bytes, std::string& out) {
    if (patterns_->empty()) {
        out.append(bytes);
        return;
    }
    held_.append(bytes);
    search(bytes);
    release(end_ - patterns_->nodes_[state_].depth, out);
}

void Masker::search(std::string_view bytes) {
    const MaskPatterns& patterns = *patterns_;
    MaskPatterns::Node state = state_;
    const std::size_t size = bytes.size();
    for (std::size_t i = 0; i < size; ++i) {
        if (state == 0) {
            while (i + 1 < size && !patterns.may_begin(bytes[i], bytes[i + 1])) {
                ++i;
            }
        }
        state = patterns.step(state, bytes[i]);
        if (const auto match = patterns.nodes_[state].match; match != MaskPatterns::k_none) {
            const std::uint64_t end = end_ + i + 1;
            found(end - patterns.nodes_[match].depth, end, patterns.nodes_[match].name);
        }
    }
    state_ = state;
    end_ += size;
}

void Masker::found(std::uint64_t begin, std::uint64_t end, std::uint32_t name) {
    if (begin < masked_until_) {  // more of what was written as a name already
        masked_until_ = std::max(masked_until_, end);
        runs_.clear();
        return;
    }
    Run run{begin, end, name};
    while (!runs_.empty() && runs_.back().end > run.begin) {
        if (runs_.back().begin < run.begin) {
            run.begin = runs_.back().begin;
            run.name = runs_.back().name;
        }
        runs_.pop_back();
    }
    runs_.push_back(run);
}

/// Writes up to `until`, before which no further occurrence can begin.
void Masker::release(std::uint64_t until, std::string& out) {
    std::uint64_t written = base_;
    std::size_t done = 0;
    for (; done < runs_.size() && runs_[done].begin < until; ++done) {
        const Run& run = runs_[done];
        written = copy(written, run.begin, out);
        out.append(patterns_->names_[run.name]);
        masked_until_ = run.end;
    }
    runs_.erase(runs_.begin(), runs_.begin() + static_cast<std::ptrdiff_t>(done));
    written = copy(written, until, out);
    held_.erase(0, static_cast<std::size_t>(written - base_));  // once: there may be thousands of runs
    base_ = written;
}

/// What is not masked of [from, until). @return up to where all is written now
std::uint64_t Masker::copy(std::uint64_t from, std::uint64_t until, std::string& out) const {
    if (until <= from) {
        return from;
    }
    const std::uint64_t shown = std::clamp(masked_until_, from, until);
    out.append(held_, static_cast<std::size_t>(shown - base_), static_cast<std::size_t>(until - shown));
    return until;
}

void Masker::pause(std::string& out) {
    if (patterns_->nodes_[state_].depth <= k_shown_early) {
        release(end_, out);
    }
}

void Masker::finish(std::string& out) {
    const MaskPatterns::State& state = patterns_->nodes_[state_];
    if (state.depth >= k_least_masked) {
        found(end_ - state.depth, end_, state.name);
    }
    release(end_, out);
    state_ = 0;
}

}  // namespace amp
