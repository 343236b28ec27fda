#include "core/store/sealed.hpp"

#include <doctest/doctest.h>

#include "core/base/error.hpp"
#include "core/base/json.hpp"

using namespace amp;

TEST_CASE("a sealed record reads back, and every flipped byte is seen or changes nothing") {
    const Value record = Object{{"a", 1}, {"text", "ä \" }"}, {"$file", Object{}}};
    const std::string text = seal(record);
    CHECK(json::parse(text).is_object());
    CHECK(unseal(text, "k") == record);
    for (std::size_t i = 0; i < text.size(); ++i) {
        for (const char bit : {1, 2, 16, 32}) {
            std::string bad = text;
            bad[i] = static_cast<char>(bad[i] ^ bit);
            try {
                const Value read = unseal(bad, "k");
                for (const auto& [name, value] : record.as_object()) {
                    CHECK(read.find(name) != nullptr);
                    CHECK(*read.find(name) == value);
                }
            } catch (const Error& error) {
                CHECK(error.code() == ExitCode::mismatch);
            }
        }
    }
    for (std::size_t length = 0; length < text.size(); ++length) {
        CHECK_THROWS_AS(unseal(text.substr(0, length), "k"), Error);
    }
}

TEST_CASE("records without a seal, and empty ones") {
    CHECK(unseal(R"({"a":1})", "k") == Value(Object{{"a", 1}}));
    CHECK(unseal(seal(Object{}), "k") == Value(Object{}));
}
