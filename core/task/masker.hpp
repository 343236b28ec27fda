#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/value.hpp"
#include "core/ports/secret.hpp"

namespace amp {

/// Values below this are not masked: they would be found everywhere.
constexpr std::size_t k_least_masked = 6;

/// The texts under which a value may show: plain, base64 (both alphabets, all three alignments, also in lines
/// of 64 and 76), URL-, JSON- and shell-escaped; of a value with several lines also each line. Each at
/// least `k_least_masked` bytes, none twice.
std::vector<std::string> forms_of_secret(std::string_view value);

/// What is to be masked, ready for searching (Aho-Corasick). Cannot be changed: shared by all who mask.
///
/// What is masked: each byte within an occurrence of a form. Occurrences that overlap become one
/// `***NAME***`, with the name of the one that begins first (of these: of the longest).
class MaskPatterns {
  public:
    MaskPatterns() : MaskPatterns(std::vector<Secret>{}) {}
    explicit MaskPatterns(const std::vector<Secret>& secrets);

    bool empty() const { return nodes_.size() == 1; }
    /// A whole text, masked; a long beginning of a value at its end too (see Masker::finish).
    std::string mask(std::string_view text) const;
    /// All texts within a value, masked; the names of members as well.
    Value mask_value(const Value& value) const;

  private:
    friend class Masker;
    using Node = std::uint32_t;
    static constexpr Node k_none = 0;  // the root is nobody's child

    struct State {
        Node child = k_none;    ///< its first
        Node sibling = k_none;  ///< of the same parent
        Node fail = 0;          ///< the longest proper suffix that begins a form
        Node match = k_none;    ///< the longest suffix, itself too, that is a form
        std::uint32_t depth = 0;
        std::uint32_t name = 0;
        char byte = 0;
        bool whole = false;  ///< a form ends here
    };

    void insert(std::string_view form, std::uint32_t name);
    void link();
    Node child_of(Node node, char byte) const;
    Node step(Node node, char byte) const;
    bool may_begin(char first, char second) const {
        return pairs_[(std::size_t{static_cast<unsigned char>(first)} << 8) |
                      static_cast<unsigned char>(second)];
    }

    std::vector<State> nodes_{1};
    std::vector<std::string> names_;
    std::array<Node, 256> first_{};            // children of the root
    std::bitset<std::size_t{1} << 16> pairs_;  // what forms begin with
};

/// Masks one stream of bytes that comes in pieces cut anywhere. Holds back only what may be the beginning of
/// a value: always less than the longest form.
class Masker {
  public:
    explicit Masker(std::shared_ptr<const MaskPatterns> patterns) : patterns_(std::move(patterns)) {}

    /// Appends to `out` what is certain after these bytes.
    void add(std::string_view bytes, std::string& out);
    /// The stream pauses: up to `k_shown_early` bytes that are held back are shown, so that no prompt waits
    /// for them. Should they turn out to begin a value, only its rest is masked. More than these stay held.
    void pause(std::string& out);
    /// The stream has ended. What is held is shown, or masked when it is at least `k_least_masked` bytes of a
    /// value.
    void finish(std::string& out);
    bool holds() const { return !held_.empty(); }

    static constexpr std::size_t k_shown_early = 3;

  private:
    struct Run {
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
        std::uint32_t name = 0;
    };

    void found(std::uint64_t begin, std::uint64_t end, std::uint32_t name);
    void search(std::string_view bytes);
    void release(std::uint64_t until, std::string& out);
    std::uint64_t copy(std::uint64_t from, std::uint64_t until, std::string& out) const;

    std::shared_ptr<const MaskPatterns> patterns_;
    std::string held_;  // from position `base_` on
    std::uint64_t base_ = 0;
    std::uint64_t end_ = 0;           // how much was searched
    std::uint64_t masked_until_ = 0;  // what of this is still held belongs to what was written as a name
    std::vector<Run> runs_;           // found, and not written yet
    MaskPatterns::Node state_ = 0;
};

}  // namespace amp
