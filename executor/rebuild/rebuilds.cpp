#include "executor/rebuild/rebuilds.hpp"

#include "common/mysql/cloning.hpp"
#include "common/mysql/position.hpp"
#include "executor/install/data_directory.hpp"
#include "executor/install/tools.hpp"
#include "executor/rebuild/disk.hpp"
#include "executor/rebuild/errant.hpp"
#include "executor/rebuild/receive.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

namespace mysos::executor {
namespace {

using namespace std::chrono_literals;

constexpr Duration progress_every = 1s;
constexpr Duration clone_max = 24h;
constexpr Duration quick = 30s;

/// "10.11.6" -> "10.11": data of one such series can be read by all of it.
std::string_view series(std::string_view version)
{
    const auto first = version.find('.');
    if (first == std::string_view::npos) return version;
    return version.substr(0, version.find('.', first + 1));
}

/// What the copy must hold at least.
Outcome<mysql::Position> position_in(mysql::Flavor flavor, const std::string& history)
{
    const auto position = mysql::Position::parse(flavor, history);
    if (position.has_error())
        return Failure{ControlErrc::server_refused, "the donor's position is none: " + history};
    return *position;
}

}  // namespace

/// Data on their way.
struct Rebuilds::Copy {
    OpId op{};
    std::uint64_t whole = 0;
    TimePoint told_at{};
    bool done = false;
};

Rebuilds::Rebuilds(
    boost::asio::any_io_executor executor,
    io::Offload& offload,
    io::Tasks& tasks,
    std::uint32_t mb_per_second,
    Post post)
    : executor_{std::move(executor)},
      offload_{offload},
      tasks_{tasks},
      mb_per_second_{mb_per_second},
      post_{std::move(post)}
{}

void Rebuilds::use(const ServerPrograms& programs, std::shared_ptr<ServerControl> control)
{
    programs_ = programs;
    control_ = std::move(control);
}

void Rebuilds::start(const SaveErrant& order)
{
    tasks_.spawn(save(order));
}

void Rebuilds::start(const ReplaceData& order)
{
    tasks_.spawn(replace(order));
}

void Rebuilds::start(const CloneData& order)
{
    tasks_.spawn(clone(order));
}

void Rebuilds::start(const FinishRebuild& order)
{
    tasks_.spawn(finish(order));
}

void Rebuilds::abandon(OpId op)
{
    abandoned_ = op;
    if (stream_ != nullptr && streaming_ == op) stream_->close();
}

void Rebuilds::fail(OpId op, const Failure& failure)
{
    post_(OpFailed{op, control::Refused::Reason::server_failed, failure.text});
}

Peer Rebuilds::peer_of(const control::Rebuild& order) const
{
    return {order.donor_host, order.donor_peer_port, token_, order.epoch};
}

/// Asked before anything is deleted, and once more before the data are fetched.
io::Awaitable<Outcome<PeerFacts>> Rebuilds::ask_donor(control::Rebuild order)
{
    Outcome<PeerFacts> facts = co_await ask_member(executor_, peer_of(order));
    if (facts.has_error()) co_return facts;
    const bool same = facts->flavor == mysql::name(programs_.flavor) &&
                      series(facts->version) == series(programs_.version);
    if (same) co_return facts;
    co_return Failure{
        ControlErrc::server_refused,
        "the donor is " + facts->flavor + " " + facts->version + ", this member is " +
            std::string{mysql::name(programs_.flavor)} + " " + programs_.version};
}

io::Awaitable<void> Rebuilds::save(SaveErrant order)
{
    const Outcome<PeerFacts> facts = co_await ask_donor(order.order);
    if (facts.has_error()) co_return fail(order.op, facts.error());
    ErrantOrder saving;
    saving.programs = programs_;
    saving.directories = directories_on(member_.volume);
    saving.volume = member_.volume;
    saving.cluster = member_.data.cluster;
    saving.server_id = member_.data.server_id;
    saving.rebuild = order.order;
    saving.donor_history = facts->history;
    auto work = [saving = std::move(saving), bytes = facts->bytes]() -> Outcome<Errant> {
        auto room = check_room(saving.volume, saving.directories, bytes);
        if (room.has_error()) return room.error();
        if (saving.programs.flavor == mysql::Flavor::mariadb) {
            // What is needed later is looked for while nothing is deleted yet.
            for (const Tool tool : {Tool::unpack, Tool::backup})
                if (auto found = find_tool(saving.programs, tool); found.has_error())
                    return found.error();
        }
        return save_errant(saving);
    };
    const Outcome<Errant> saved = co_await offload_.run(std::move(work));
    if (saved.has_error()) co_return fail(order.op, saved.error());
    post_(ErrantSaved{order.op, saved->transactions, saved->file});
}

io::Awaitable<void> Rebuilds::replace(ReplaceData order)
{
    Outcome<PeerFacts> facts = co_await ask_donor(order.order);
    if (facts.has_error()) co_return fail(order.op, facts.error());
    if (abandoned_ == order.op) {
        co_return fail(order.op, {ControlErrc::server_refused, "given up for a newer order"});
    }
    donor_ = std::move(*facts);
    InitialiseOrder fresh;
    fresh.programs = programs_;
    fresh.directories = directories_on(member_.volume);
    fresh.cache_dir = default_cache_dir();
    fresh.log_path = member_.log_path;
    auto work = [fresh = std::move(fresh)]() -> Outcome<void> {
        if (auto done = wipe(fresh.directories); done.has_error()) return done;
        if (fresh.programs.flavor == mysql::Flavor::mysql) return initialise(fresh);
        return make_staging(fresh.directories);
    };
    Outcome<void> done = co_await offload_.run(std::move(work));
    if (done.has_value() && !is_mysql()) done = co_await receive(order);
    if (done.has_error()) co_return fail(order.op, done.error());
    post_(DataReplaced{order.op});
}

io::Awaitable<Outcome<void>> Rebuilds::receive(ReplaceData order)
{
    ReceiveOrder receiving;
    receiving.directories = directories_on(member_.volume);
    receiving.log_path = member_.log_path;
    receiving.memory_mb = member_.data.mem_mb;
    auto look = [programs = programs_, receiving]() mutable -> Outcome<ReceiveOrder> {
        auto unpack = find_tool(programs, Tool::unpack);
        if (unpack.has_error()) return unpack.error();
        auto backup = find_tool(programs, Tool::backup);
        if (backup.has_error()) return backup.error();
        receiving.unpack = std::move(*unpack);
        receiving.backup = std::move(*backup);
        return receiving;
    };
    const Outcome<ReceiveOrder> found = co_await offload_.run(std::move(look));
    if (found.has_error()) co_return found.error();
    if (abandoned_ == order.op) {
        co_return Failure{ControlErrc::server_refused, "given up for a newer order"};
    }

    auto opened = co_await open_backup(executor_, peer_of(order.order));
    if (opened.has_error()) co_return opened.error();
    stream_ = *opened;
    streaming_ = order.op;
    if (abandoned_ == order.op) stream_->close();
    auto copy = std::make_shared<Copy>();
    copy->op = order.op;
    copy->whole = donor_.bytes;
    std::function<void(std::uint64_t)> on_bytes = [this, copy](std::uint64_t bytes) {
        tell_progress(*copy, bytes);
    };
    const std::shared_ptr<io::ResponseStream> stream = stream_;
    Outcome<void> received =
        co_await receive_backup(executor_, *found, *stream, std::move(on_bytes));
    stream_.reset();
    if (received.has_error()) co_return received;
    auto work = [order = *found] { return prepare_backup(order); };
    co_return co_await offload_.run(std::move(work));
}

void Rebuilds::tell_progress(Copy& copy, std::uint64_t bytes)
{
    const TimePoint now = Clock::now();
    if (now - copy.told_at < progress_every) return;
    copy.told_at = now;
    constexpr unsigned mb = 20;
    constexpr std::uint64_t percent_max = 99;  // The donor's data have grown meanwhile.
    const std::uint64_t percent =
        copy.whole == 0 ? 0 : std::min(percent_max, bytes * 100 / copy.whole);
    post_(RebuildProgressed{
        copy.op,
        static_cast<std::uint32_t>(percent),
        std::to_string(bytes >> mb) + " of " + std::to_string(copy.whole >> mb) + " MB"});
}

io::Awaitable<void> Rebuilds::clone(CloneData order)
{
    CloneOrder cloning;
    cloning.host = order.order.donor_host;
    cloning.port = order.order.donor_port;
    cloning.account = order.order.account;
    cloning.mb_per_second = mb_per_second_;
    auto copy = std::make_shared<Copy>();
    copy->op = order.op;
    copy->whole = donor_.bytes;
    tasks_.spawn(watch_growth(copy));
    auto work = [control = control_, cloning = std::move(cloning)] {
        return control->clone(cloning, Clock::now() + clone_max);
    };
    const Outcome<void> done = co_await offload_.run(std::move(work));
    copy->done = true;
    if (done.has_error()) co_return fail(order.op, done.error());
    post_(DataCloned{order.op});
}

/// The server does not say how far it is: its directory does.
io::Awaitable<void> Rebuilds::watch_growth(std::shared_ptr<Copy> copy)
{
    while (!copy->done) {
        auto work = [directory = directories_on(member_.volume).data] {
            return size_of_tree(directory);
        };
        const std::uint64_t bytes = co_await offload_.run(std::move(work));
        if (copy->done) co_return;
        tell_progress(*copy, bytes);
        co_await io::sleep_until(Clock::now() + progress_every);
        const bool cancelled = co_await io::is_cancelled();
        if (cancelled) co_return;
    }
}

io::Awaitable<void> Rebuilds::finish(FinishRebuild order)
{
    auto work = [control = control_,
                 flavor = programs_.flavor,
                 directories = directories_on(member_.volume),
                 donors = donor_.history]() -> Outcome<std::string> {
        std::string position;
        if (flavor == mysql::Flavor::mariadb) {
            auto backups = position_of_backup(directories);
            if (backups.has_error()) return backups;
            position = std::move(*backups);
        }
        auto held = control->begin_on_copy(position, donors, Clock::now() + quick);
        if (held.has_error()) return held;
        const auto wanted = position_in(flavor, donors);
        const auto holds = position_in(flavor, *held);
        if (wanted.has_error()) return wanted.error();
        if (holds.has_error()) return holds.error();
        if (holds->includes(*wanted)) return held;
        return Failure{
            ControlErrc::lacks_position,
            "the copy is not whole: it holds " + holds->to_text() + ", the donor held " +
                wanted->to_text()};
    };
    const Outcome<std::string> held = co_await offload_.run(std::move(work));
    if (held.has_error()) co_return fail(order.op, held.error());
    post_(RebuildFinished{order.op, *held});
}

}  // namespace mysos::executor
