#include "core/task/masker.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace amp {
namespace {

using Patterns = std::shared_ptr<const MaskPatterns>;

Patterns patterns_of(const std::vector<Secret>& secrets) {
    return std::make_shared<const MaskPatterns>(secrets);
}

std::string in_pieces(const Patterns& patterns, std::string_view text, const std::vector<std::size_t>& cuts) {
    Masker masker(patterns);
    std::string out;
    std::size_t from = 0;
    for (const std::size_t cut : cuts) {
        masker.add(text.substr(from, cut - from), out);
        from = cut;
    }
    masker.add(text.substr(from), out);
    masker.finish(out);
    return out;
}

struct Found {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::string name;
};

/// What masker.hpp says, in the simplest way.
std::string naive(const std::vector<Secret>& secrets, const std::string& text) {
    std::vector<Found> all;
    std::size_t longest_rest = 0;
    std::string rest_name;
    for (const Secret& secret : secrets) {
        for (const std::string& form : forms_of_secret(secret.value)) {
            for (std::size_t at = text.find(form); at != std::string::npos; at = text.find(form, at + 1)) {
                all.push_back({at, at + form.size(), secret.name});
            }
            for (std::size_t n = std::min(form.size(), text.size()); n >= k_least_masked; --n) {
                if (n > longest_rest && text.ends_with(form.substr(0, n))) {
                    longest_rest = n;
                    rest_name = secret.name;
                }
            }
        }
    }
    if (longest_rest > 0) {
        all.push_back({text.size() - longest_rest, text.size(), rest_name});
    }
    std::stable_sort(all.begin(), all.end(), [](const Found& a, const Found& b) {
        return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;
    });
    std::string out;
    std::size_t done = 0;
    for (std::size_t i = 0; i < all.size();) {
        out += text.substr(done, all[i].begin - done) + "***" + all[i].name + "***";
        done = all[i].end;
        for (++i; i < all.size() && all[i].begin < done; ++i) {
            done = std::max(done, all[i].end);
        }
    }
    return out + text.substr(done);
}

const std::vector<Secret> k_hard = {
    {"env:A", "A", "p@ss/w\u00f6rd \"x\"+'y' $z~&<\xF0\x9F\x94\x91>"},
    {"env:PEM", "PEM", "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA7\r\nq2w3e4r5t6\n-----END KEY-----"},
    {"env:LONG", "LONG", std::string(130, 'k') + "0123456789"}};

TEST_CASE("the forms of a value are those that programs write") {
    const auto forms = forms_of_secret("a b/c\"d'e+");
    const auto has = [&](std::string_view form) {
        return std::find(forms.begin(), forms.end(), form) != forms.end();
    };
    CHECK(has("a b/c\"d'e+"));
    CHECK(has("YSBiL2MiZCdlK"));         // base64, without the character that depends on what follows
    CHECK(has("EgYi9jImQnZS"));          // after one byte
    CHECK(has("hIGIvYyJkJ2Ur"));         // after two
    CHECK(has("a%20b%2Fc%22d%27e%2B"));  // encodeURIComponent keeps ' though:
    CHECK(has("a%20b%2Fc%22d'e%2B"));
    CHECK(has("a+b%2Fc%22d%27e%2B"));  // forms
    CHECK(has("a%20b%2fc%22d%27e%2b"));
    CHECK(has("a b/c\\\"d'e+"));  // JSON
    CHECK(has("a b\\/c\\\"d'e+"));
    CHECK(has("a b/c\"d'\\''e+"));    // in single quotes of a shell
    CHECK(has("a\\ b/c\\\"d\\'e+"));  // printf %q
    CHECK(std::count(forms.begin(), forms.end(), "a b/c\"d'e+") == 1);
    CHECK(forms_of_secret("12345").empty());
}

TEST_CASE("both alphabets of base64 are known") {
    const auto forms = forms_of_secret("\xfb\xff\xbf\xfb\xff\xbf");
    CHECK(std::find(forms.begin(), forms.end(), "+/+/+/+/") != forms.end());
    CHECK(std::find(forms.begin(), forms.end(), "-_-_-_-_") != forms.end());
}

TEST_CASE("every form is masked whole, wherever a piece ends") {
    const Patterns patterns = patterns_of(k_hard);
    for (const Secret& secret : k_hard) {
        for (const std::string& form : forms_of_secret(secret.value)) {
            const std::string text = "<" + form + ">";
            const std::string once = patterns->mask(text);
            CAPTURE(form);
            CHECK(once == "<***" + secret.name + "***>");
            for (std::size_t cut = 0; cut <= text.size(); ++cut) {
                REQUIRE(in_pieces(patterns, text, {cut}) == once);
            }
            std::vector<std::size_t> bytes(text.size());
            for (std::size_t i = 0; i < bytes.size(); ++i) {
                bytes[i] = i;
            }
            REQUIRE(in_pieces(patterns, text, bytes) == once);
        }
    }
}

TEST_CASE("random texts are masked as the simplest masker does it") {
    std::mt19937 random(20261120);
    const auto below = [&](std::size_t n) { return random() % n; };
    const auto text_of = [&](std::size_t length, std::size_t letters) {
        std::string out;
        while (out.size() < length) {
            out += static_cast<char>('a' + below(letters));
        }
        return out;
    };
    for (int i = 0; i < 10000; ++i) {
        std::vector<Secret> secrets;
        for (std::size_t n = 1 + below(3); n > 0; --n) {
            // Names that differ only where the values do: equal values have the name of the first.
            const std::string value = text_of(6 + below(5), 2);
            secrets.push_back({"", value, value});
        }
        std::string text = text_of(below(60), 2);
        for (std::size_t n = below(3); n > 0; --n) {
            const Secret& secret = secrets[below(secrets.size())];
            const auto forms = forms_of_secret(secret.value);
            text.insert(below(text.size() + 1), forms[below(forms.size())].substr(0, 4 + below(20)));
        }
        std::vector<std::size_t> cuts;
        for (std::size_t n = below(6); n > 0; --n) {
            cuts.push_back(below(text.size() + 1));
        }
        std::sort(cuts.begin(), cuts.end());
        const Patterns patterns = patterns_of(secrets);
        const std::string expected = naive(secrets, text);
        CAPTURE(text);
        // At the very end the beginnings of two values may be the same: which name then stands there is open.
        const auto without_names = [](std::string s) {
            std::string out;
            bool inside = false;
            for (std::size_t at = 0; at < s.size();) {
                if (s.compare(at, 3, "***") == 0) {
                    out += inside ? "" : "***";
                    inside = !inside;
                    at += 3;
                } else {
                    out += inside ? "" : std::string(1, s[at]);
                    ++at;
                }
            }
            return out;
        };
        REQUIRE(without_names(in_pieces(patterns, text, cuts)) == without_names(expected));
    }
}

TEST_CASE("values that overlap become one, those that touch stay two") {
    const Patterns patterns =
        patterns_of({{"", "ONE", "abcdef"}, {"", "TWO", "efghij"}, {"", "ALL", "0abcdef1"}});
    CHECK(patterns->mask("-abcdefghij-") == "-***ONE***-");
    CHECK(patterns->mask("-abcdefefghij-") == "-***ONE******TWO***-");
    CHECK(patterns->mask("-0abcdef1-") == "-***ALL***-");
    CHECK(patterns->mask("-0abcdef2-") == "-0***ONE***2-");
}

TEST_CASE("no flood makes it hold more than a value") {
    Masker masker(patterns_of({{"", "A", "aaaaaa"}}));
    std::string out;
    for (int i = 0; i < 1000; ++i) {
        masker.add(std::string(1000, 'a'), out);
    }
    masker.finish(out);
    CHECK(out == "***A***");
}

TEST_CASE("a prompt is shown when the output pauses, a longer beginning of a value is not") {
    const Patterns patterns = patterns_of({{"", "A", "? secret-value"}});
    Masker masker(patterns);
    std::string out;
    masker.add("Name? ", out);
    CHECK(out == "Name");
    masker.pause(out);
    CHECK(out == "Name? ");
    masker.add("s", out);
    masker.pause(out);
    CHECK(out == "Name? s");
    for (const char c : std::string("ecret-valu")) {  // one byte at a time, each after a pause
        masker.add(std::string_view(&c, 1), out);
        masker.pause(out);
    }
    CHECK(out == "Name? s");
    CHECK(masker.holds());
    masker.add("e!", out);
    CHECK(out == "Name? s***A***!");
    masker.add("? secret", out);
    masker.finish(out);
    CHECK(out == "Name? s***A***!***A***");  // cut short, but too much of it to be shown
}

TEST_CASE("without values all goes through at once") {
    Masker masker(patterns_of({{"", "SHORT", "12345"}}));
    std::string out;
    masker.add("12345", out);
    CHECK(out == "12345");
    CHECK_FALSE(masker.holds());
}

TEST_CASE("all texts within a value are masked") {
    const Patterns patterns = patterns_of({{"", "A", "hunter2"}});
    const Value value(Object{{"say hunter2", List{Value("hunter2!"), Value(7), Value()}}, {"b", true}});
    CHECK(patterns->mask_value(value) ==
          Value(Object{{"say ***A***", List{Value("***A***!"), Value(7), Value()}}, {"b", true}}));
}

}  // namespace
}  // namespace amp
