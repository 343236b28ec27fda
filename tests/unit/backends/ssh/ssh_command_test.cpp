#include "backends/ssh/ssh_command.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/hex.hpp"
#include "tests/support/temp_folder.hpp"

using namespace amp;
using namespace amp::ssh;

namespace {

constexpr const char* k_marker = "0123456789abcdef0123456789abcdef";

std::vector<Answer> answers_in(const std::string& text, std::size_t piece, std::string* rest = nullptr) {
    AnswerReader reader(k_marker);
    std::vector<Answer> answers;
    for (std::size_t at = 0; at < text.size(); at += piece) {
        reader.feed(std::string_view(text).substr(at, piece));
        while (auto answer = reader.next()) {
            answers.push_back(*answer);
        }
    }
    if (rest != nullptr) {
        *rest = reader.rest();
    }
    return answers;
}

/// Another machine's shell, which is given a program that says how it was called.
struct Shell {
    test::TempFolder folder;
    std::string program = "#!/bin/sh\necho \"called $*\"\n";
    std::string hash = sha256_hex(program);
    std::string root = folder / "root";

    std::string run(const std::string& variables = "unset XDG_RUNTIME_DIR") const {
        std::ofstream(folder / "command") << variables << "\n" << remote_command() << "\n";
        std::ofstream(folder / "input") << encode({k_marker, hash, program.size(), root}) << program;
        const std::string command =
            "sh " + (folder / "command") + " <" + (folder / "input") + " >" + (folder / "output");
        [[maybe_unused]] const int status = std::system(command.c_str());
        std::ostringstream told;
        told << std::ifstream(folder / "output").rdbuf();
        return told.str();
    }
    std::string run_words(const std::string& words) const {
        std::ofstream(folder / "command") << "unset XDG_RUNTIME_DIR\n" << words << "\n";
        const std::string command = "sh " + (folder / "command") + " >" + (folder / "output");
        [[maybe_unused]] const int status = std::system(command.c_str());
        std::ostringstream told;
        told << std::ifstream(folder / "output").rdbuf();
        return told.str();
    }
    std::string told(const std::string& where) const {
        return std::string(k_marker) + " run " + where + "\ncalled agent --stdio --root " + root + "\n";
    }
};

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the program is sent once, and again when a power cut has left a part of it") {
    const Shell shell;
    CHECK(has(shell.run(), std::string(k_marker) + " push "));
    CHECK(shell.run() == shell.told(shell.root));
    for (const char* part : {"", "#!/bin/sh\n"}) {
        std::ofstream(shell.root + "/bin/" + shell.hash + "/amp") << part;
        const std::string told = shell.run();
        CHECK(has(told, std::string(k_marker) + " push "));
        CHECK(told.ends_with(shell.told(shell.root)));
    }
}

TEST_CASE("the program lies in no folder that others may change") {
    const Shell shell;
    std::filesystem::create_directories(shell.root);
    std::ofstream(shell.root + "/bin") << "in the way";
    const std::string runtime = shell.folder / "runtime";
    std::filesystem::create_directories(runtime);
    const std::string variables = "XDG_RUNTIME_DIR=" + runtime + "; export XDG_RUNTIME_DIR";
    ::chmod(runtime.c_str(), 0700);
    CHECK(shell.run(variables).ends_with(shell.told(runtime + "/amp")));
    ::chmod(runtime.c_str(), 0777);
    const std::string told = shell.run(variables);
    CHECK(has(told, " run /"));
    CHECK_FALSE(has(told, runtime));
    for (const char* place : {"/dev/shm", "/tmp"}) {
        std::filesystem::remove_all(std::string(place) + "/amp-" + std::to_string(getuid()) + "/bin/" +
                                    shell.hash);
    }
}

TEST_CASE("in a root that others may write to, what is ours is ours alone, and what is not is not used") {
    const auto mode_of = [](const std::string& path) {
        struct stat info {};
        return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
    };
    const Shell made;
    CHECK(made.run().ends_with(made.told(made.root)));
    CHECK(mode_of(made.root) == 0700);
    const Shell wide;
    std::filesystem::create_directories(wide.root);
    ::chmod(wide.root.c_str(), 02777);  // as a lab's folder may be; what is made in it has its group's bit
    CHECK(wide.run().ends_with(wide.told(wide.root)));
    CHECK((mode_of(wide.root + "/bin") & 0777) == 0700);
    CHECK(wide.run() == wide.told(wide.root));
    CHECK(mode_of(wide.root) == 02777);        // the user's to choose
    for (const bool others : {false, true}) {  // somebody was there before us
        if (others && getuid() != 0) {
            continue;
        }
        const Shell shell;
        const std::string place = shell.root + "/bin/" + shell.hash;
        std::filesystem::create_directories(place);
        std::ofstream(place + "/amp") << std::string(shell.program.size() - 1, '#') << "\n";
        ::chmod((place + "/amp").c_str(), 0755);
        ::chmod((shell.root + "/bin").c_str(), others ? 0700 : 0777);
        if (others) {
            REQUIRE(::chown((shell.root + "/bin").c_str(), 12345, 12345) == 0);
        }
        const std::string told = shell.run();
        CHECK(has(told, "called agent --stdio --root " + shell.root));
        CHECK_FALSE(has(told, " run " + shell.root + "\n"));
        for (const char* elsewhere : {"/dev/shm", "/tmp"}) {
            std::filesystem::remove_all(std::string(elsewhere) + "/amp-" + std::to_string(getuid()) +
                                        "/bin/" + shell.hash);
        }
    }
}

TEST_CASE("a host is nothing that ssh or a shell would take for something else") {
    for (const char* good : {"box", "me@box.example.org", "10.0.0.1", "fe80::1%eth0", "my_box-2", "[::1]"}) {
        CHECK_MESSAGE(host_mistake(good).empty(), good);
    }
    for (const char* bad : {"", "-oProxyCommand=touch x", "a b", "a;b", "$(x)", "a\nb", "`x`", "a'b", "a\"b",
                            "a|b", "a&b", "a/b", "a>b", "*", "a\\b", "a\x7f", "\xc3\xa4"}) {
        CHECK_MESSAGE(!host_mistake(bad).empty(), bad);
    }
}

TEST_CASE("ssh is started without a terminal, questions and forwardings, and the host is no option") {
    const auto words = arguments("box");
    const auto has = [&words](const char* word) { return std::count(words.begin(), words.end(), word) == 1; };
    for (const char* word : {"-T", "-a", "-x", "BatchMode=yes", "ClearAllForwardings=yes",
                             "ServerAliveInterval=15", "ServerAliveCountMax=4", "ConnectTimeout=15", "--"}) {
        CHECK_MESSAGE(has(word), word);
    }
    CHECK(words[words.size() - 3] == "--");
    CHECK(words[words.size() - 2] == "box");
    CHECK(words.back() == remote_command());
}

TEST_CASE("the remote command is one word for sh, csh and fish") {
    const std::string command = remote_command();
    CHECK(command.starts_with("exec /bin/sh -c '"));
    CHECK(command.ends_with("'"));
    CHECK(std::count(command.begin(), command.end(), '\'') == 2);
    CHECK(command.find_first_of("!\\\n\r") == std::string::npos);
    CHECK(command.size() < 4000);
}

TEST_CASE("who enters a place there gets the program that lies there, and a terminal where there is one") {
    const Shell shell;
    shell.run();  // lays it
    const std::string request = "{\"command\":\"it's `so`!\"}";
    const auto words = shell_arguments("box", shell.root, shell.hash, request, true);
    CHECK(words[1] == "-t");
    CHECK(std::count(words.begin(), words.end(), "BatchMode=yes") == 0);  // there is somebody to ask
    CHECK(std::count(words.begin(), words.end(), "ClearAllForwardings=yes") == 1);
    CHECK(words[words.size() - 2] == "box");
    CHECK(words.back().find_first_of("!\\\n\r") == std::string::npos);
    const auto silent = shell_arguments("box", shell.root, shell.hash, request, false);
    CHECK(silent[1] == "-T");
    CHECK(std::count(silent.begin(), silent.end(), "BatchMode=yes") == 1);
    CHECK(shell.run_words(words.back()) == "called enter-place " + shell.root + " " + to_hex(request) + "\n");
    const auto other = shell_arguments("box", shell.root, std::string(64, '0'), request, false);
    CHECK(has(shell.run_words(other.back() + " 2>&1"), "another one holds the place"));
    CHECK_THROWS_AS(shell_arguments("box", "it's", shell.hash, request, true), Error);
}

TEST_CASE("answers are found among whatever else is printed") {
    const std::string marker = k_marker;
    const std::string text = "Welcome!\n" + marker.substr(0, 20) + " no\r\n$ " + marker +
                             " push Linux x86_64\nmotd " + marker + " run /home/me/.cache/amp\n\x01\x02rest";
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
        std::string rest;
        const auto answers = answers_in(text, piece, &rest);
        REQUIRE(answers.size() == 2);
        CHECK(answers[0].kind == Answer::Kind::push);
        CHECK(answers[0].text == "Linux x86_64");
        CHECK(answers[1].kind == Answer::Kind::run);
        CHECK(answers[1].text == "/home/me/.cache/amp");
        CHECK(rest == "\x01\x02rest");
    }
}

TEST_CASE("noise without an end is not kept, and nonsense behind the marker is told") {
    AnswerReader reader(k_marker);
    for (int i = 0; i < 1000; ++i) {
        reader.feed(std::string(10'000, 'x'));
        CHECK_FALSE(reader.next());
    }
    CHECK(reader.rest().size() < 200'000);
    reader.feed(std::string(k_marker) + " dance\n");
    CHECK_THROWS_AS(reader.next(), Error);
    AnswerReader endless(k_marker);
    endless.feed(std::string(k_marker) + std::string(5000, 'x'));
    CHECK_THROWS_AS(endless.next(), Error);
}

TEST_CASE("what ssh says last is what is wrong") {
    CHECK(last_words("Welcome to box\n\nme@box: Permission denied (publickey).\r\n") ==
          "me@box: Permission denied (publickey).");
    CHECK(last_words("ssh: connect to host b port 22: Connection refused\nConnection closed by UNKNOWN port "
                     "65535\n") == "ssh: connect to host b port 22: Connection refused");
    CHECK(last_words("Connection closed by 10.0.0.1 port 22\n") == "Connection closed by 10.0.0.1 port 22");
    CHECK(last_words("channel 0: open failed: connect failed: Connection refused\nstdio forwarding failed\n"
                     "kex_exchange_identification: Connection closed by remote host\n") ==
          "channel 0: open failed: connect failed: Connection refused");
    CHECK(last_words("").empty());
    CHECK(contact_error("box", "me@box: Permission denied (publickey).").code() == ExitCode::authentication);
    CHECK(contact_error("box",
                        "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.")
              .message()
              .find("not the one that is known") != std::string::npos);
    CHECK(
        contact_error("box", "No ED25519 host key is known for box\nHost key verification failed.").code() ==
        ExitCode::authentication);
    CHECK(contact_error("box", "ssh: connect to host box port 22: Connection refused").code() ==
          ExitCode::infrastructure);
    CHECK(contact_error("box", "").message() == "box cannot be reached: ssh ended without a word");
}
