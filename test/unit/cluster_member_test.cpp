#include "common/cluster/cluster.hpp"
#include "common/cluster/names.hpp"
#include "test/support/cluster.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

namespace mysos::cluster {

using namespace mysos::test;
using namespace std::chrono_literals;
using mesos::TaskState;

namespace {

constexpr MemberId m1{1};
constexpr StreamId s1{11};
constexpr StreamId s2{12};

control::Observation seen(control::Phase phase, std::uint64_t epoch, const std::string& position)
{
    control::Observation result;
    result.phase = phase;
    result.epoch = Epoch{epoch};
    result.answers = phase == control::Phase::fenced || phase == control::Phase::replica ||
                     phase == control::Phase::primary;
    result.position = position;
    result.empty = position.empty();
    return result;
}

MemberConnected hello(const State& state, StreamId stream, Token token)
{
    MemberConnected result;
    result.stream = stream;
    result.token = token;
    result.hello.member = m1;
    result.hello.cluster = "demo";
    result.hello.task_id = state.record.members.at(m1).task_id.text;
    result.hello.observation = seen(control::Phase::start, 0, "");
    return result;
}

RefuseStream::Why refused(State& state, const MemberConnected& connected)
{
    const State before = state;
    const Effects effects = give(state, connected);
    REQUIRE(effects.size() == 1);
    CHECK(state == before);
    return std::get<RefuseStream>(effects[0]).why;
}

template <class Order>
std::optional<Order> order(const Effects& effects)
{
    for (const Effect& effect : effects) {
        const auto* send = std::get_if<SendOrder>(&effect);
        if (send == nullptr) continue;
        if (const auto* found = std::get_if<Order>(&send->order)) return *found;
    }
    return std::nullopt;
}

/// One member, promoted and open.
State leading()
{
    State state = launched();
    static_cast<void>(give(state, hello(state, s1, Token::permanent)));
    static_cast<void>(give(state, MemberSaid{s1, seen(control::Phase::fenced, 0, "")}));
    static_cast<void>(give(state, MemberSaid{s1, control::Prepared{Epoch{1}, "", {}, false}}));
    static_cast<void>(
        give(state, MemberSaid{s1, control::Promoted{Epoch{1}, "0-1-1099511627776"}}));
    static_cast<void>(give(state, MemberSaid{s1, control::Opened{Epoch{1}}}));
    REQUIRE(state.record.opened);
    return state;
}

}  // namespace

TEST_CASE("cluster: a stream is accepted from the task's own executor only", "[cluster]")
{
    using Why = RefuseStream::Why;
    State state = launched();
    const MemberConnected good = hello(state, s1, Token::launch);

    MemberConnected wrong = good;
    wrong.token = Token::wrong;
    CHECK(refused(state, wrong) == Why::wrong_token);
    wrong = good;
    wrong.hello.task_id = "mysos-demo-1-0c6f0d5e.0";
    CHECK(refused(state, wrong) == Why::unknown_task);
    wrong = good;
    wrong.hello.member = MemberId{9};
    CHECK(refused(state, wrong) == Why::unknown_task);
    wrong = good;
    wrong.hello.protocol_version = 2;
    CHECK(refused(state, wrong) == Why::other_version);

    const auto accepted = find<AcceptStream>(give(state, good));
    REQUIRE(accepted);
    CHECK(accepted->stream == s1);
    CHECK(accepted->task_id == state.record.members.at(m1).task_id);
    CHECK(accepted->welcome.cluster_uuid == state.record.uuid);
    CHECK(accepted->welcome.token.empty());
}

TEST_CASE("cluster: the one-time token is void once the permanent one was shown", "[cluster]")
{
    State state = launched();
    CHECK(find<AcceptStream>(give(state, hello(state, s1, Token::launch))));
    CHECK(find<AcceptStream>(give(state, hello(state, s1, Token::launch))));
    const Effects effects = give(state, hello(state, s2, Token::permanent));
    CHECK(*index_of<Save>(effects) < *index_of<AcceptStream>(effects));
    CHECK(state.record.members.at(m1).token_exchanged);
    CHECK(refused(state, hello(state, s1, Token::launch)) == RefuseStream::Why::token_used_up);
}

TEST_CASE("cluster: a newer stream takes over, the older one is closed and not heard", "[cluster]")
{
    State state = launched();
    static_cast<void>(give(state, hello(state, s1, Token::launch)));
    const Effects effects = give(state, hello(state, s2, Token::launch));
    CHECK(find<CloseStream>(effects) == CloseStream{s1});
    CHECK(state.members.at(m1).stream == s2);
    const State before = state;
    const Effects old = give(state, MemberSaid{s1, seen(control::Phase::failed, 9, "")});
    CHECK(find<Ignored>(old));
    CHECK(state == before);
    CHECK(find<Ignored>(give(state, MemberDisconnected{s1})));
    CHECK(state.members.at(m1).stream == s2);
}

TEST_CASE("cluster: a task that ended is not let in, one that was only lost is", "[cluster]")
{
    for (const TaskState end : {TaskState::failed, TaskState::finished, TaskState::killed}) {
        State state = launched();
        mesos::TaskStatus status = told(end);
        status.task_id = state.record.members.at(m1).task_id;
        static_cast<void>(give(state, StatusArrived{m1, status}));
        CHECK(refused(state, hello(state, s1, Token::launch)) == RefuseStream::Why::unknown_task);
    }
    State state = launched();
    mesos::TaskStatus status = told(TaskState::gone);
    status.task_id = state.record.members.at(m1).task_id;
    static_cast<void>(give(state, StatusArrived{m1, status}));
    const Effects effects = give(state, hello(state, s1, Token::launch));
    CHECK(find<AcceptStream>(effects));
    CHECK(find<Reconcile>(effects));
    CHECK(state.record.members.at(m1).launched);
}

TEST_CASE("cluster: a member has data from when its server answered", "[cluster]")
{
    State state = launched();
    static_cast<void>(give(state, hello(state, s1, Token::launch)));
    CHECK_FALSE(state.record.members.at(m1).volume_created);
    const Effects effects = give(state, MemberSaid{s1, seen(control::Phase::fenced, 0, "")});
    CHECK(find<Save>(effects));
    CHECK(state.record.members.at(m1).volume_created);
}

TEST_CASE("cluster: the first member that is ready and empty becomes the primary", "[cluster]")
{
    State state = launched();
    static_cast<void>(give(state, hello(state, s1, Token::launch)));
    const Effects began = give(state, MemberSaid{s1, seen(control::Phase::fenced, 0, "")});
    // Epoch and electorate are stored before anybody hears of them.
    CHECK(order<control::Prepare>(began) == control::Prepare{Epoch{1}});
    CHECK(*index_of<Save>(began) < *index_of<SendOrder>(began));
    CHECK(state.record.epoch == Epoch{1});
    CHECK(state.record.electorate == std::set<MemberId>{m1});

    const Effects prepared =
        give(state, MemberSaid{s1, control::Prepared{Epoch{1}, "", {}, false}});
    const auto promote = order<control::Promote>(prepared);
    REQUIRE(promote);
    CHECK(promote->acks == 0);
    REQUIRE(promote->accounts.size() == 3);
    CHECK(promote->accounts[1].account.user == "app");
    CHECK(promote->accounts[2].account.user == "repl_1");
    for (const control::AccountSpec& spec : promote->accounts) {
        CHECK(spec.account.password.empty());
    }

    const Effects promoted =
        give(state, MemberSaid{s1, control::Promoted{Epoch{1}, "0-1-1099511627776"}});
    CHECK(order<control::Open>(promoted) == control::Open{Epoch{1}});
    // Stored before it can acknowledge anything.
    CHECK(*index_of<Save>(promoted) < *index_of<SendOrder>(promoted));
    CHECK(state.record.candidate == m1);
    CHECK_FALSE(state.record.opened);

    const Effects opened = give(state, MemberSaid{s1, control::Opened{Epoch{1}}});
    CHECK(*index_of<Save>(opened) < *index_of<publish::ReadTree>(opened));
    CHECK(state.record.opened);
    CHECK(state.record.ever_opened);
    CHECK(state.record.primary == m1);
    CHECK(state.published == m1);
    CHECK(state.verdict == diagnosis::Verdict::healthy);

    // No further observation is awaited: what clients find is right at once.
    const auto read = find<publish::ReadTree>(opened);
    const auto apply =
        find<publish::Apply>(give(state, TreeAnswered{publish::TreeRead{read->serial, {}}}));
    REQUIRE(apply);
    CHECK(std::ranges::any_of(apply->operations, [](const publish::Operation& operation) {
        const auto* create = std::get_if<publish::Create>(&operation);
        return create != nullptr && create->path.starts_with("master/member_");
    }));
}

TEST_CASE("cluster: a member restarted before its cluster began may still begin it", "[cluster]")
{
    State state = launched();
    static_cast<void>(give(state, hello(state, s1, Token::launch)));
    control::Observation restarted = seen(control::Phase::fenced, 0, "");
    restarted.empty = false;  // The data directory is of an earlier task.
    static_cast<void>(give(state, MemberSaid{s1, restarted}));
    CHECK(state.record.epoch == Epoch{1});
}

TEST_CASE("cluster: a member that is not empty does not begin a cluster", "[cluster]")
{
    State state = launched();
    static_cast<void>(give(state, hello(state, s1, Token::launch)));
    static_cast<void>(give(state, MemberSaid{s1, seen(control::Phase::fenced, 0, "0-1-5")}));
    CHECK(state.record.epoch == Epoch{0});
}

TEST_CASE("cluster: a crashed primary is followed by an election in the next epoch", "[cluster]")
{
    State state = leading();
    const Effects effects =
        give(state, MemberSaid{s1, seen(control::Phase::crashed, 1, "0-1-1099511627780")});
    CHECK(state.record.epoch == Epoch{2});
    CHECK_FALSE(state.record.opened);
    CHECK_FALSE(state.published);
    CHECK(find<Save>(effects));
}

TEST_CASE("cluster: a primary found open in its epoch is adopted as it is", "[cluster]")
{
    const State before = leading();
    State state = restored(before.record);
    static_cast<void>(give(state, Started{}));
    control::Observation open = seen(control::Phase::primary, 1, "0-1-1099511627780");
    open.writable = true;
    MemberConnected back = hello(state, s2, Token::permanent);
    back.hello.observation = open;
    const Effects effects = give(state, back);
    // It is only told what is in force, since a leave may have been left half done.
    const auto sent = find<SendOrder>(effects);
    REQUIRE(sent);
    REQUIRE(std::holds_alternative<control::SetAcknowledgers>(sent->order));
    CHECK(std::get<control::SetAcknowledgers>(sent->order).acks == before.record.acks);
    CHECK(state.record == before.record);
    CHECK(state.published == m1);
    CHECK(state.electorate.leadership);
}

TEST_CASE(
    "cluster: a Follow says what the primary holds, and who holds more is rebuilt", "[cluster]")
{
    constexpr MemberId m2{2};
    Record two = leading().record;
    two.members[m2] = two.members.at(m1);
    two.members[m2].task_id.text = "mysos-demo-2-0c6f0d5e.9";
    State state = restored(two);
    MemberConnected primary = hello(state, s1, Token::permanent);
    primary.hello.observation = seen(control::Phase::primary, 1, "0-1-1099511627780");
    primary.hello.observation.writable = true;
    static_cast<void>(give(state, primary));
    // Whoever changes E has to know first what is in force at the primary.
    const control::AcknowledgersSet aligned{
        Epoch{1}, two.acks, "0-1-1099511627776", state.electorate.serial};
    static_cast<void>(give(state, MemberSaid{s1, aligned}));

    MemberConnected errant = hello(state, s2, Token::permanent);
    errant.hello.member = m2;
    errant.hello.task_id = two.members[m2].task_id.text;
    errant.hello.observation = seen(control::Phase::fenced, 1, "0-2-1099511627790");
    const auto follow = order<control::Follow>(give(state, errant));
    REQUIRE(follow);
    CHECK(follow->position == "0-1-1099511627780");
    using Reason = control::Refused::Reason;
    const control::Refused refused{Reason::errant, Epoch{1}, "holds 1 transactions", "follow"};
    const auto rebuild = order<control::Rebuild>(give(state, MemberSaid{s2, refused}));
    REQUIRE(rebuild);
    CHECK(rebuild->donor == m1);
    CHECK(rebuild->position == "0-1-1099511627780");
    CHECK_FALSE(order<control::Follow>(step(state, config(), DeadlinePassed{}, t0 + 60s)));
}

TEST_CASE("cluster: an election that was interrupted begins again, one epoch up", "[cluster]")
{
    Record half_done = leading().record;
    half_done.opened = false;
    half_done.candidate = m1;
    half_done.epoch = Epoch{5};
    State state = restored(half_done);
    const Effects effects = give(state, Started{});
    CHECK(state.record.epoch == Epoch{6});
    CHECK(find<Save>(effects)->record.epoch == Epoch{6});
}

TEST_CASE("cluster: after a restart nothing is taken out of ZooKeeper unheard", "[cluster]")
{
    State state = restored(leading().record);
    CHECK_FALSE(index_of<publish::ReadTree>(give(state, Started{})));
    const Effects late = step(state, config(), DeadlinePassed{}, t0 + 60s);
    CHECK_FALSE(index_of<publish::ReadTree>(late));
}

TEST_CASE("cluster: a position that cannot be read is reported, and not acted on", "[cluster]")
{
    State state = leading();
    const State before = state;
    const Effects effects =
        give(state, MemberSaid{s1, seen(control::Phase::primary, 1, "rubbish")});
    const bool reported = std::ranges::any_of(effects, [](const Effect& effect) {
        const auto* report = std::get_if<Report>(&effect);
        return report != nullptr && report->level == Report::Level::error;
    });
    CHECK(reported);
    CHECK(state.record == before.record);
    CHECK_FALSE(state.members.at(m1).understood);
}

}  // namespace mysos::cluster
