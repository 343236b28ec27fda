#include "backends/agent/frame_stream.hpp"

#include <doctest/doctest.h>

#include <random>

#include "core/base/error.hpp"

using namespace amp;
using namespace amp::agent;

TEST_CASE("frames come out as they went in, however the bytes are cut") {
    std::string bytes;
    append_frame(bytes, Kind::submit, "one");
    append_frame(bytes, Kind::go_on, "");
    append_frame(bytes, Kind::events, std::string(100'000, 'x'));
    for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{4096}, bytes.size()}) {
        FrameReader reader;
        std::vector<std::pair<std::uint8_t, std::size_t>> seen;
        for (std::size_t at = 0; at < bytes.size(); at += step) {
            reader.feed(std::string_view(bytes).substr(at, step));
            while (const auto frame = reader.next()) {
                seen.emplace_back(frame->kind, frame->payload.size());
            }
        }
        CHECK(seen == std::vector<std::pair<std::uint8_t, std::size_t>>{{2, 3}, {4, 0}, {66, 100'000}});
    }
}

TEST_CASE("bytes that are no frames are refused") {
    for (const std::string& bytes :
         {std::string(4, '\0'), std::string("\xff\xff\xff\xff"), std::string("\x01\0\0\x01", 4)}) {
        FrameReader reader;
        reader.feed(bytes);
        CHECK_THROWS_AS(reader.next(), Error);
    }
    std::string out;
    CHECK_THROWS_AS(append_frame(out, Kind::submit, std::string(k_max_frame, 'x')), Error);
}

TEST_CASE("random bytes never crash the reader") {
    std::mt19937 random(7);
    for (int round = 0; round < 2000; ++round) {
        FrameReader reader;
        try {
            for (int i = 0; i < 4; ++i) {
                std::string bytes(random() % 64, '\0');
                for (char& c : bytes) {
                    c = static_cast<char>(random() % 3 == 0 ? random() : 0);
                }
                reader.feed(bytes);
                while (reader.next()) {
                }
            }
        } catch (const Error&) {
        }
    }
}
