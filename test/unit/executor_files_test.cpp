#include "executor/out/durable_file.hpp"
#include "executor/out/epoch_file.hpp"
#include "executor/out/volume_files.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <sys/stat.h>

using namespace mysos;
using namespace mysos::executor;

namespace {

const EpochRecord record{Epoch{7}, Role::replica, true, "boot"};
const Identity identity{"demo", "uuid-demo", MemberId{3}};

/// A volume of its own, removed at the end.
class Directory {
  public:
    Directory()
    {
        std::string pattern = "/tmp/mysos-files-XXXXXX";
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    ~Directory() { std::filesystem::remove_all(path_); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }
    void write(const std::string& name, const std::string& text) const
    {
        std::ofstream{path_ + "/" + name} << text;
    }

  private:
    std::string path_;
};

}  // namespace

TEST_CASE("executor files: what was written is read, whatever the role", "[executor]")
{
    for (const Role role :
         {Role::none, Role::replica, Role::candidate, Role::primary, Role::rebuilding}) {
        const EpochRecord written{Epoch{1ULL << 60U}, role, false, "b\"oot"};
        CHECK(parse_epoch_file(print_epoch_file(written)) == written);
    }
    CHECK(parse_identity(print_identity(identity)) == identity);
}

TEST_CASE("executor files: a text that is not as it was written is no epoch", "[executor]")
{
    const std::string good = print_epoch_file(record);
    for (std::size_t size = 0; size + 2 < good.size(); ++size) {
        CHECK_FALSE(parse_epoch_file(good.substr(0, size)));
    }
    std::string changed = good;
    changed.replace(changed.find("\"epoch\":7"), 9, "\"epoch\":6");
    CHECK_FALSE(parse_epoch_file(changed));
    for (const char* text : {"", "7", "{}", "[]", R"({"epoch":7})", R"({"sum":7})"}) {
        CHECK_FALSE(parse_epoch_file(text));
        CHECK_FALSE(parse_identity(text));
    }
    CHECK_FALSE(parse_identity(R"({"cluster":"d","cluster_uuid":"u","server_id":4294967296})"));
}

TEST_CASE("executor files: a new volume, then claimed, then promised", "[executor]")
{
    const Directory directory;
    const VolumeFiles files{directory.path()};
    const auto fresh = files.inspect();
    REQUIRE(fresh.has_value());
    CHECK_FALSE(fresh->identity);
    CHECK_FALSE(fresh->record);
    CHECK_FALSE(fresh->epoch_file_corrupt);
    CHECK_FALSE(fresh->has_data);
    CHECK(fresh->boot_id == read_boot_id());
    CHECK_FALSE(fresh->boot_id.empty());

    REQUIRE(files.claim(identity).has_value());
    REQUIRE(files.save(record).has_value());
    REQUIRE(files.save_token("secret").has_value());
    const auto ours = files.inspect();
    REQUIRE(ours.has_value());
    CHECK(ours->identity == identity);
    CHECK(ours->record == record);

    struct stat token {};
    REQUIRE(::stat((directory.path() + "/mysos/token").c_str(), &token) == 0);
    CHECK((token.st_mode & 0777U) == 0600U);
    CHECK_FALSE(std::filesystem::exists(directory.path() + "/mysos/token.new"));
}

TEST_CASE("executor files: a corrupt epoch is reported, a corrupt identity refused", "[executor]")
{
    const Directory directory;
    const VolumeFiles files{directory.path()};
    REQUIRE(files.claim(identity).has_value());
    directory.write("mysos/epoch", "{\"epoch\":7}");
    const auto corrupt = files.inspect();
    REQUIRE(corrupt.has_value());
    CHECK_FALSE(corrupt->record);
    CHECK(corrupt->epoch_file_corrupt);

    directory.write("mysos/identity", "demo");
    const auto refused = files.inspect();
    REQUIRE(refused.has_error());
    CHECK(
        refused.error().text ==
        directory.path() + "/mysos/identity does not say whose volume this is");
}

TEST_CASE("executor files: a write that fails leaves what was there", "[executor]")
{
    const Directory directory;
    const std::string path = directory.path() + "/file";
    REQUIRE(write_durably(path, "old", 0600).has_value());
    std::filesystem::create_directory(path + ".new");
    const auto failed = write_durably(path, "new", 0600);
    REQUIRE(failed.has_error());
    CHECK_THAT(failed.error().text, Catch::StartsWith(path + ".new: "));
    CHECK(read_small_file(path).value() == "old");
    CHECK(read_small_file(path + ".none").value() == std::nullopt);
    CHECK(read_small_file(directory.path()).has_error());
    REQUIRE(write_durably(directory.path() + "/big", std::string(70'000, 'x'), 0600).has_value());
    CHECK(read_small_file(directory.path() + "/big").has_error());
}
