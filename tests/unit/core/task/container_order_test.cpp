#include "core/task/container_order.hpp"

#include <doctest/doctest.h>

#include "core/base/error.hpp"

using namespace amp;

TEST_CASE("an order comes through with all of its bytes") {
    std::string every;
    for (int c = 1; c < 256; ++c) {
        every.push_back(static_cast<char>(c));
    }
    ContainerOrder order;
    order.cwd = "/work/a b\n";
    order.words = {"sh", "-c", every, ""};
    order.environment = {"A=" + every, "EMPTY=", "B=x=y"};
    order.defaults = {"USER=me"};
    order.home_links = {{".cache/hf", "/home/me/.cache/hf"}, {"x", "/y"}};
    order.spare_home = "/scratch";
    order.interactive = true;
    CHECK(order_from(order_text(order)) == order);
    CHECK(order_from(order_text({})) == ContainerOrder{});
}

TEST_CASE("an order that is cut off or of another amp is refused") {
    ContainerOrder order;
    order.words = {"sh"};
    const std::string text = order_text(order);
    for (std::size_t size = 0; size < text.size(); ++size) {
        CHECK_THROWS_AS(order_from(text.substr(0, size)), Error);
    }
    std::string other = text;
    other[18] = '2';
    CHECK_THROWS_AS(order_from(other), Error);
    CHECK_THROWS_AS(order_from(std::string("amp container order 1\0/\0009999999999\0", 35)), Error);
}

TEST_CASE("an end comes through, and what is none is told from one") {
    ContainerEnd end;
    end.exit = -1;
    end.signal = 9;
    end.cpu_s = 1.25;
    end.max_rss_bytes = 4096;
    end.oom = true;
    end.leftovers = true;
    end.problem = "program 'x' not found in PATH";
    CHECK(end_from(end_text(end)) == end);
    CHECK(end_from(end_text({})) == ContainerEnd{});
    CHECK_FALSE(end_from(""));
    CHECK_FALSE(end_from("{\"exit\":"));
}
