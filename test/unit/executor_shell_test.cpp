#include "common/wire/protobuf.hpp"
#include "executor/in/child_exits.hpp"
#include "executor/loop.hpp"
#include "executor/out/status_updates.hpp"
#include "test/support/run.hpp"

#include <catch2/catch.hpp>

#include <mesos/v1/executor.pb.h>
#include <string>
#include <vector>

using namespace mysos;
using namespace mysos::executor;

namespace {

namespace pb = ::mesos::v1;

StatusUpdate update(
    std::uint64_t id, mysos::mesos::TaskState state = mysos::mesos::TaskState::running)
{
    return {UpdateId{id}, {"t1"}, state, "message " + std::to_string(id)};
}

pb::executor::Call call_of(const std::string& bytes)
{
    return wire::parse_protobuf<pb::executor::Call>(bytes).value();
}

}  // namespace

TEST_CASE("status updates: an update is what Mesos accepts, however often it is sent", "[executor]")
{
    StatusUpdates updates{"framework", "executor"};
    const auto call = call_of(updates.update_call(update(1, mysos::mesos::TaskState::starting)));
    CHECK(call.type() == pb::executor::Call::UPDATE);
    CHECK(call.framework_id().value() == "framework");
    CHECK(call.executor_id().value() == "executor");
    const pb::TaskStatus& status = call.update().status();
    CHECK(status.task_id().value() == "t1");
    CHECK(status.state() == pb::TASK_STARTING);
    CHECK(status.message() == "message 1");
    CHECK(status.source() == pb::TaskStatus::SOURCE_EXECUTOR);
    CHECK(status.executor_id().value() == "executor");
    CHECK_FALSE(status.has_agent_id());
    CHECK(status.timestamp() > 0);
    REQUIRE(status.uuid().size() == 16);
    CHECK((static_cast<unsigned char>(status.uuid()[6]) >> 4U) == 4);
    CHECK((static_cast<unsigned char>(status.uuid()[8]) >> 6U) == 2);

    const auto again = call_of(updates.update_call(update(1, mysos::mesos::TaskState::starting)));
    CHECK(again.SerializeAsString() == call.SerializeAsString());
    CHECK(call_of(updates.update_call(update(2))).update().status().uuid() != status.uuid());
}

TEST_CASE(
    "status updates: a SUBSCRIBE repeats the task and what was not acknowledged", "[executor]")
{
    StatusUpdates updates{"framework", "executor"};
    pb::TaskInfo task;
    task.set_name("member");
    task.mutable_task_id()->set_value("t1");
    task.mutable_agent_id()->set_value("agent");
    updates.remember_task(task.SerializeAsString());
    const auto sent = call_of(updates.update_call(update(1))).update().status().uuid();

    const auto call = call_of(updates.subscribe_call({update(1), update(2)}, true));
    CHECK(call.type() == pb::executor::Call::SUBSCRIBE);
    REQUIRE(call.subscribe().unacknowledged_tasks_size() == 1);
    CHECK(call.subscribe().unacknowledged_tasks(0).name() == "member");
    REQUIRE(call.subscribe().unacknowledged_updates_size() == 2);
    CHECK(call.subscribe().unacknowledged_updates(0).status().uuid() == sent);
    CHECK(call_of(updates.subscribe_call({}, false)).subscribe().unacknowledged_tasks_size() == 0);

    CHECK(updates.acknowledged(sent) == UpdateId{1});
    CHECK_FALSE(updates.acknowledged(sent));
    CHECK_FALSE(updates.acknowledged("0123456789abcdef"));
}

TEST_CASE("child exits: the reason is the log's last errors, or its last line", "[executor]")
{
    CHECK(reason_in("").empty());
    CHECK(reason_in("one\ntwo") == "two");
    // As two starts in a row leave it.
    const std::string mariadb =
        "2026-11-22 [ERROR] Can't start server: Bind on TCP/IP port\n"
        "2026-11-22 [ERROR] Do you already have another server running on port: 31000 ?\n"
        "2026-11-22 [ERROR] Aborting\n";
    const std::string errors =
        "Can't start server: Bind on TCP/IP port; "
        "Do you already have another server running on port: 31000 ?";
    CHECK(reason_in(mariadb + mariadb) == errors);
    CHECK(
        reason_in("0 [ERROR] [MY-010262] [Server] Can't start server\n"
                  "0 [ERROR] [MY-010119] [Server] Aborting\nshut down\n") ==
        "[MY-010262] [Server] Can't start server");
    CHECK(reason_in("[ERROR] a\n[ERROR] b\n[ERROR] c\n[ERROR] d\n") == "b; c; d");
}

TEST_CASE(
    "executor loop: inputs in order, effects in order, a failed barrier stops the script",
    "[executor]")
{
    boost::asio::io_context context{1};
    std::vector<std::size_t> performed;
    Loop* posts_to = nullptr;
    auto perform = [&](const Effect& effect) -> boost::asio::awaitable<bool> {
        performed.push_back(effect.index());
        const bool claims = std::holds_alternative<ClaimVolume>(effect);
        if (claims) posts_to->post(SetupFailed{"disk full"});
        co_return !claims;
    };
    Config config;
    config.last_words = Duration{0};
    Loop loop{context.get_executor(), config, perform};
    posts_to = &loop;
    loop.post(Subscribed{});
    loop.post(Launched{{"t1"}, {}});
    loop.post(VolumeInspected{});
    loop.post(UpdateAcknowledged{UpdateId{1}});
    loop.post(UpdateAcknowledged{UpdateId{2}});
    test::run(context, loop.run());

    std::vector<std::size_t> expected;
    for (const Effect& effect : std::vector<Effect>{
             ConnectStream{},
             InspectVolume{},
             SendUpdate{},
             ClaimVolume{},
             Ignored{},
             SendUpdate{}}) {
        expected.push_back(effect.index());
    }
    // The acknowledgement of update 2 came before there was one, and nobody takes the last words.
    CHECK(performed == expected);
    CHECK(loop.state().task->id.text == "t1");
}
