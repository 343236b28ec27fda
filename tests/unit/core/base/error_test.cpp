#include "core/base/error.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>

using namespace amp;

TEST_CASE("an error tells what, where and what to do") {
    const Error error(ExitCode::invalid, "the value is too long", "flow.toml", "read it from $AMP_IN");
    CHECK(std::string(error.what()) == "the value is too long");
    CHECK(error.where() == "flow.toml");
    CHECK(error.advice() == "the value is too long; read it from $AMP_IN");
    CHECK(Error(ExitCode::invalid, "no").advice() == "no");
}

TEST_CASE("an errno tells what failed, and a full disk has a code of its own") {
    CHECK(Error::system("open", "x", EACCES).message() == "cannot open 'x': Permission denied");
    CHECK(Error::system("write", "x", ENOSPC).code() == ExitCode::store_full);
    CHECK(Error::system("write", "x", EDQUOT).code() == ExitCode::store_full);
    CHECK(Error::system("write", "x", EROFS).code() == ExitCode::store_full);
    CHECK(Error::system("open", "x", EACCES).code() != ExitCode::store_full);
}
