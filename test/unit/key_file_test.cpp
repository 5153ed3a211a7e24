#include "scheduler/key_file.hpp"

#include "test/support/temporary_directory.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/resource.h>
#include <thread>

using namespace mysos;
using namespace mysos::scheduler;
namespace fs = std::filesystem;

namespace {

Options in(const fs::path& work_dir)
{
    Options options;
    options.work_dir = work_dir.string();
    return options;
}

std::string problem(const Options& options)
{
    try {
        (void)load_or_make_key(options);
    } catch (const FlagError& e) {
        return e.what();
    }
    return "none";
}

}  // namespace

TEST_CASE("key file: one is made at the first start, for nobody else's eyes, and kept", "[key]")
{
    const test::TemporaryDirectory directory;
    const fs::path work_dir = fs::path{directory.path()} / "made" / "too";
    const std::string key = load_or_make_key(in(work_dir));
    CHECK(key.size() == 32);
    const fs::path file = work_dir / "scheduler.key";
    CHECK(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
    CHECK(load_or_make_key(in(work_dir)) == key);
    // Nothing unfinished is left beside it.
    CHECK(std::distance(fs::directory_iterator{work_dir}, fs::directory_iterator{}) == 1);

    CHECK(load_or_make_key(in(directory.path() + "/another")) != key);
}

TEST_CASE("key file: one that cannot be written whole leaves nothing behind", "[key]")
{
    const test::TemporaryDirectory directory;
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    const rlimit half{16, before.rlim_max};
    auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &half) == 0);
    const std::string why = problem(in(directory.path()));
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    std::signal(SIGXFSZ, handler);
    CHECK_THAT(why, Catch::Contains("cannot write") && Catch::Contains("No space left on device"));
    CHECK(fs::is_empty(directory.path()));
    CHECK(load_or_make_key(in(directory.path())).size() == 32);
}

TEST_CASE("key file: the one that was given holds, and none is made", "[key]")
{
    const test::TemporaryDirectory directory;
    Options options = in(directory.path());
    options.scheduler_key = std::string(32, 'k');
    CHECK(load_or_make_key(options) == std::string(32, 'k'));
    CHECK(fs::is_empty(directory.path()));
}

TEST_CASE("key file: one of another size is named and left alone", "[key]")
{
    const test::TemporaryDirectory directory;
    const fs::path file = directory.path() + "/scheduler.key";
    for (const std::size_t size : {std::size_t{0}, std::size_t{31}, std::size_t{33}}) {
        std::ofstream{file, std::ios::binary} << std::string(size, 'k');
        CHECK(
            problem(in(directory.path())) ==
            "--work_dir: '" + file.string() + "' has " + std::to_string(size) +
                " bytes, a key has 32: put the right one there, or name it by --scheduler_keypath");
        CHECK(fs::file_size(file) == size);
    }
}

TEST_CASE("key file: a work directory that cannot be made is named", "[key]")
{
    const test::TemporaryDirectory directory;
    std::ofstream{directory.path() + "/file"} << "no directory";
    const std::string inside = directory.path() + "/file/work";
    CHECK(problem(in(inside)) == "--work_dir: cannot make '" + inside + "': Not a directory");
}

TEST_CASE("key file: schedulers that start at once agree on one key", "[key]")
{
    const test::TemporaryDirectory directory;
    std::array<std::string, 8> keys;
    {
        std::array<std::thread, 8> threads;
        for (std::size_t i = 0; i < threads.size(); ++i) {
            std::string& key = keys[i];
            threads[i] = std::thread{[&] { key = load_or_make_key(in(directory.path())); }};
        }
        for (std::thread& thread : threads) thread.join();
    }
    for (const std::string& key : keys) CHECK(key == keys.front());
    CHECK(load_or_make_key(in(directory.path())) == keys.front());
}
