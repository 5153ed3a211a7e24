#include "executor/rebuild/errant.hpp"

#include "common/mysql/cloning.hpp"
#include "common/mysql/position.hpp"
#include "executor/install/tools.hpp"
#include "executor/out/spawn.hpp"
#include "executor/rebuild/binlog_files.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace mysos::executor {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds reading_limit{3600};
constexpr std::string_view footer = "-- mysos: transactions: ";

std::string directory_of(const std::string& volume)
{
    return volume + "/mysos/errant";
}

/// The file being written; gone with this object unless it was kept.
class Artifact {
  public:
    static Outcome<Artifact> begin(const ErrantOrder& order)
    {
        const std::string directory = directory_of(order.volume);
        constexpr mode_t private_directory = 0700;
        if (::mkdir(directory.c_str(), private_directory) != 0 && errno != EEXIST)
            return system_failure(directory, errno);
        const auto now = std::time(nullptr);
        std::tm utc{};
        ::gmtime_r(&now, &utc);
        std::array<char, 32> time{};
        std::strftime(time.data(), time.size(), "%Y%m%dT%H%M%SZ", &utc);
        Artifact artifact;
        artifact.path_ = directory + "/" +
                         std::to_string(static_cast<std::uint64_t>(order.rebuild.epoch)) + "-" +
                         time.data() + ".sql";
        constexpr mode_t private_file = 0600;
        artifact.fd_ = ::open(
            artifact.part().c_str(),
            O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC,
            private_file);
        if (artifact.fd_ < 0) return system_failure(artifact.part(), errno);
        return artifact;
    }

    Artifact(const Artifact&) = delete;
    Artifact& operator=(const Artifact&) = delete;
    Artifact(Artifact&& other) noexcept
        : path_{std::move(other.path_)}, fd_{std::exchange(other.fd_, -1)}
    {}
    Artifact& operator=(Artifact&&) = delete;
    ~Artifact()
    {
        if (fd_ < 0) return;
        ::close(fd_);
        ::unlink(part().c_str());
    }

    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string part() const { return path_ + ".part"; }

    [[nodiscard]] Outcome<void> append(std::string_view text) const
    {
        const auto written = ::write(fd_, text.data(), text.size());
        if (written == static_cast<ssize_t>(text.size())) return {};
        return system_failure(part(), written < 0 ? errno : ENOSPC);
    }

    [[nodiscard]] Outcome<void> keep() const
    {
        if (::fsync(fd_) != 0) return system_failure(part(), errno);
        if (::rename(part().c_str(), path_.c_str()) != 0) return system_failure(path_, errno);
        const fs::path directory = fs::path(path_).parent_path();
        for (const fs::path& changed : {directory, directory.parent_path()}) {
            const int fd = ::open(changed.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            if (fd < 0) return system_failure(changed.string(), errno);
            const int synced = ::fsync(fd);
            const int number = errno;
            ::close(fd);
            if (synced != 0) return system_failure(changed.string(), number);
        }
        return {};
    }

  private:
    Artifact() = default;

    std::string path_;
    int fd_ = -1;
};

std::string heading(const ErrantOrder& order)
{
    return "-- mysos: what server " + std::to_string(order.server_id) + " of cluster '" +
           order.cluster + "' alone held when it was rebuilt in epoch " +
           std::to_string(static_cast<std::uint64_t>(order.rebuild.epoch)) +
           ".\n-- No client was told that these were committed. Nothing replays this file.\n";
}

Outcome<void> print_logs(
    const Artifact& artifact, const ServerPrograms& programs, std::vector<std::string> arguments)
{
    const auto program = find_tool(programs, Tool::binlog);
    if (program.has_error()) return program.error();
    Spawn reader;
    reader.arguments = {*program, "--no-defaults", "--verbose"};
    for (std::string& argument : arguments) reader.arguments.push_back(std::move(argument));
    reader.environment = bare_environment();
    reader.output = artifact.fd();
    const auto said = run_program(reader, reading_limit);
    if (said.has_error()) return said.error();
    return {};
}

// MySQL: the reader leaves out by itself what others hold.

/// "SET @@SESSION.GTID_NEXT= 'uuid:5'/*!*/;" as the reader prints before each transaction.
std::optional<std::string> gtid_in(const std::string& line)
{
    constexpr std::string_view begin = "SET @@SESSION.GTID_NEXT= '";
    if (!line.starts_with(begin)) return std::nullopt;
    std::string gtid = line.substr(begin.size(), line.find('\'', begin.size()) - begin.size());
    if (gtid == "AUTOMATIC") return std::nullopt;
    return gtid;
}

/// Where the last one ends; none when there is no transaction in any of them.
Outcome<std::optional<std::uint64_t>> end_of(const std::vector<std::string>& files)
{
    bool any = false;
    std::uint64_t last = 0;
    for (const std::string& file : files) {
        const auto on_event = [&](std::uint64_t, const mysql::BinlogEvent& event) {
            any = any || event.is_transaction;
        };
        const auto end = walk_log(file, on_event);
        if (end.has_error()) return end.error();
        last = *end;
    }
    return any ? std::optional{last} : std::nullopt;
}

/// Appends what these logs hold beyond `known`, and adds it to that. Returns how many transactions.
Outcome<std::uint64_t> save_beyond(
    mysql::GtidSet& known,
    const ErrantOrder& order,
    const Artifact& artifact,
    std::vector<std::string> files)
{
    const auto end = end_of(files);
    if (end.has_error()) return end.error();
    if (!*end) return 0;
    std::vector<std::string> arguments{
        "--exclude-gtids=" + known.to_text(), "--stop-position=" + std::to_string(**end)};
    for (std::string& file : files) arguments.push_back(std::move(file));
    const auto before = ::lseek(artifact.fd(), 0, SEEK_END);
    const auto printed = print_logs(artifact, order.programs, std::move(arguments));
    if (printed.has_error()) return printed.error();
    std::uint64_t transactions = 0;
    std::ifstream lines{artifact.part()};
    lines.seekg(before);
    for (std::string line; std::getline(lines, line);) {
        const auto gtid = gtid_in(line);
        if (!gtid) continue;
        ++transactions;
        // What was applied is in both.
        if (const auto one = mysql::GtidSet::parse(*gtid)) known = known.unite(*one);
    }
    return transactions;
}

Outcome<std::uint64_t> save_mysql(const ErrantOrder& order, const Artifact& artifact)
{
    auto known = mysql::GtidSet::parse(order.rebuild.position);
    const auto donors = mysql::GtidSet::parse(order.donor_history);
    if (known.has_error() || donors.has_error())
        return Failure{InstallErrc::system_failed, "not a GTID set: " + order.rebuild.position};
    known = known->unite(*donors);
    std::uint64_t transactions = 0;
    for (const std::string& index :
         {order.directories.binlog + "/binlog.index", order.directories.relay + "/relay.index"}) {
        auto files = log_files(index);
        if (files.has_error()) return files.error();
        const auto saved = save_beyond(*known, order, artifact, std::move(*files));
        if (saved.has_error()) return saved.error();
        transactions += *saved;
    }
    return transactions;
}

// MariaDB: what others lack is the end of the log, from the first that they lack.

/// Where that end begins, and how many transactions are in it.
struct Tail {
    std::size_t file = 0;
    std::uint64_t offset = 0;
    std::uint64_t end = 0;  ///< Of the last file.
    std::uint64_t transactions = 0;
    std::vector<mysql::GtidList::Entry> all{};
};

Outcome<Tail> find_tail(
    const std::vector<std::string>& files,
    const std::function<bool(const mysql::GtidList::Entry&)>& held)
{
    Tail tail;
    for (std::size_t i = 0; i < files.size(); ++i) {
        const auto on_event = [&](std::uint64_t offset, const mysql::BinlogEvent& event) {
            if (!event.begins) return;
            if (held(*event.begins)) {
                tail.transactions = 0;
                tail.all.clear();
                return;
            }
            if (tail.transactions == 0) {
                tail.file = i;
                tail.offset = offset;
            }
            ++tail.transactions;
            tail.all.push_back(*event.begins);
        };
        const auto end = walk_log(files[i], on_event);
        if (end.has_error()) return end.error();
        tail.end = *end;
    }
    return tail;
}

Outcome<std::uint64_t> save_mariadb(const ErrantOrder& order, const Artifact& artifact)
{
    const auto primary = mysql::History::parse(order.rebuild.position);
    auto known = mysql::History::parse(order.donor_history);
    if (primary.has_error() || known.has_error())
        return Failure{InstallErrc::system_failed, "not a GTID list: " + order.rebuild.position};
    const auto held = [&](const mysql::GtidList::Entry& one) {
        // What it received from the primary of this very epoch the primary has, known or not.
        const bool primarys = MemberId{one.server} == order.rebuild.primary &&
                              Epoch{one.sequence >> mysql::marker_shift} == order.rebuild.epoch;
        return primarys || primary->holds(one) || known->holds(one);
    };
    std::uint64_t transactions = 0;
    for (const std::string& index :
         {order.directories.binlog + "/binlog.index", order.directories.relay + "/relay.index"}) {
        auto files = log_files(index);
        if (files.has_error()) return files.error();
        const auto tail = find_tail(*files, held);
        if (tail.has_error()) return tail.error();
        if (tail->transactions == 0) continue;
        std::vector<std::string> arguments{
            "--start-position=" + std::to_string(tail->offset),
            "--stop-position=" + std::to_string(tail->end)};
        for (std::size_t i = tail->file; i < files->size(); ++i)
            arguments.push_back(std::move((*files)[i]));
        if (auto printed = print_logs(artifact, order.programs, std::move(arguments));
            printed.has_error())
            return printed.error();
        transactions += tail->transactions;
        for (const auto& one : tail->all) known->add(one);  // What was applied is in both.
    }
    return transactions;
}

}  // namespace

Outcome<Errant> save_errant(const ErrantOrder& order)
{
    const bool mysql = order.programs.flavor == mysql::Flavor::mysql;
    const auto artifact = Artifact::begin(order);
    if (artifact.has_error()) return artifact.error();
    if (auto written = artifact->append(heading(order)); written.has_error())
        return written.error();
    const auto transactions = mysql ? save_mysql(order, *artifact) : save_mariadb(order, *artifact);
    if (transactions.has_error()) return transactions.error();
    if (*transactions == 0) return Errant{};
    const std::string end = std::string{footer} + std::to_string(*transactions) + "\n";
    if (auto written = artifact->append(end); written.has_error()) return written.error();
    if (auto kept = artifact->keep(); kept.has_error()) return kept.error();
    return Errant{*transactions, artifact->path()};
}

std::uint64_t count_errant(const std::string& volume)
{
    std::uint64_t sum = 0;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(directory_of(volume), error)) {
        if (entry.path().extension() != ".sql") continue;
        std::ifstream file{entry.path(), std::ios::binary | std::ios::ate};
        constexpr std::streamoff tail_size = 100;
        const std::streamoff size = file.tellg();
        file.seekg(std::max<std::streamoff>(0, size - tail_size));
        std::string tail(tail_size, '\0');
        file.read(tail.data(), tail_size);
        tail.resize(static_cast<std::size_t>(file.gcount()));
        const auto at = tail.rfind(footer);
        if (at == std::string::npos) continue;
        std::uint64_t transactions = 0;
        std::from_chars(tail.data() + at + footer.size(), tail.data() + tail.size(), transactions);
        sum += transactions;
    }
    return sum;
}

}  // namespace mysos::executor
