#include "test/conformance/suite.hpp"

namespace mysos::conformance {
namespace {

using namespace std::chrono_literals;

/// A framework with an offer, and what comes back to it from the same agent.
struct Bench {
    explicit Bench(const Options& o) : options{o}, framework{o}, offer(framework.offer()) {}

    [[nodiscard]] bool mine(const Json& other) const
    {
        return other["agent_id"] == offer["agent_id"];
    }

    /// The next offer of the agent; the one at hand must have been used.
    const Json& next()
    {
        offer = framework.offer([this](const Json& other) { return mine(other); });
        return offer;
    }

    void use(const std::vector<Json>& operations) { framework.must(accept(offer, operations)); }

    [[nodiscard]] double reserved_amount(const std::string& name) const
    {
        double sum = 0;
        for (const Json& r : offer["resources"]) {
            if (r["name"] == name && r.contains("reservations") && !r.contains("disk")) {
                sum += r["scalar"]["value"].get<double>();
            }
        }
        return sum;
    }

    /// RESERVE and CREATE of a volume with some cpus and mem beside it, so that it is offered.
    [[nodiscard]] std::vector<Json> make_volume(const std::string& id) const
    {
        return {
            operation(
                "RESERVE",
                {reserved(scalar("cpus", 0.2), options),
                 reserved(scalar("mem", 64), options),
                 reserved(scalar("disk", 64), options)}),
            operation("CREATE", {volume(64, id, options)})};
    }

    /// A task on reserved cpus and mem and the volume.
    [[nodiscard]] Json volume_task(const std::string& task, const std::string& id) const
    {
        Json info = task_info(offer, task);
        info["resources"] = {
            reserved(scalar("cpus", 0.1), options),
            reserved(scalar("mem", 32), options),
            volume(64, id, options)};
        return info;
    }

    void remove_volume(const std::string& id)
    {
        std::vector<Json> plain = volumes(offer, id);
        for (Json& r : plain) r.erase("disk");
        use({operation("DESTROY", volumes(offer, id)), operation("UNRESERVE", plain)});
    }

    const Options& options;
    Framework framework;
    Json offer;
};

void invalid(Framework& framework, const std::string& task)
{
    const Json status = framework.await_status(task);
    require_equal(text(status, "/state"), std::string{"TASK_ERROR"}, "state of " + task);
    require_equal(text(status, "/reason"), std::string{"REASON_TASK_INVALID"}, "reason");
}

void no_mixing(const Options& o)
{
    Bench bench{o};
    const double cpus = unreserved(bench.offer, "cpus");
    bench.use({operation("RESERVE", {reserved(scalar("cpus", 0.2), o)})});
    bench.next();
    const std::string id = new_id("mixed");
    Json task = task_info(bench.offer, id);
    task["resources"][0]["scalar"]["value"] = cpus;
    bench.use({launch({task})});
    invalid(bench.framework, id);
}

void all_in_one(const Options& o)
{
    Bench bench{o};
    const std::string id = new_id("all-in-one");
    std::vector<Json> operations = bench.make_volume(id);
    operations.push_back(launch({bench.volume_task(id, id)}));
    bench.use(operations);
    Executor executor{bench.offer, bench.framework.id(), id};
    executor.subscribe();
    const Json task = executor.await("LAUNCH")["launch"]["task"];
    bool with_volume = false;
    for (const Json& r : task["resources"]) {
        require(r.contains("reservations"), "not reserved: " + r.dump());
        with_volume = with_volume || text(r, "/disk/persistence/id") == id;
    }
    require(with_volume, "no volume in LAUNCH");
    executor.must(executor.update(id, "TASK_FINISHED"));
    bench.framework.acknowledge(bench.framework.await_status(id, "TASK_FINISHED"));
    bench.offer = bench.framework.offer(
        [&](const Json& other) { return bench.mine(other) && !volumes(other, id).empty(); });
    bench.remove_volume(id);
}

void create_first(const Options& o)
{
    Bench bench{o};
    const std::string id = new_id("create-first");
    std::vector<Json> operations = bench.make_volume(id);
    std::swap(operations[0], operations[1]);
    operations.push_back(launch({bench.volume_task(id, id)}));
    bench.use(operations);
    invalid(bench.framework, id);
    bench.next();
    require(volumes(bench.offer, id).empty(), "the volume was made");
}

void reservation_stays(const Options& o)
{
    Bench bench{o};
    const double before = bench.reserved_amount("cpus");
    const std::string id = new_id("stays");
    Json task = task_info(bench.offer, id);
    task["resources"][0]["scalar"]["value"] = 100000;
    bench.use({operation("RESERVE", {reserved(scalar("cpus", 0.2), o)}), launch({task})});
    invalid(bench.framework, id);
    bench.next();
    require(bench.reserved_amount("cpus") > before + 0.19, "the reservation is gone");
}

void wrong_principal(const Options& o)
{
    Framework framework{o, {{"principal", "conformance-p"}}};
    const Json offer = framework.offer();
    Json none = operation("RESERVE", {reserved(scalar("cpus", 0.1), o)});
    none["id"] = {{"value", "op-none"}};
    Json other = reserved(scalar("cpus", 0.1), o);
    other["reservations"][0]["principal"] = "conformance-q";
    Json wrong = operation("RESERVE", {other});
    wrong["id"] = {{"value", "op-wrong"}};
    framework.must(accept(offer, {none, wrong}));
    for (int i = 0; i < 2; ++i) {
        const Json event = framework.await("UPDATE_OPERATION_STATUS");
        const Json& status = event["update_operation_status"]["status"];
        require_equal(text(status, "/state"), std::string{"OPERATION_ERROR"}, "state");
        require(!status.contains("uuid"), "the master's own status has a uuid");
    }
}

void other_role(const Options& o)
{
    Bench bench{o};
    Json r = reserved(scalar("cpus", 0.1), o);
    r["reservations"][0]["role"] = "another-role";
    const double before = unreserved(bench.offer, "cpus");
    bench.use({operation("RESERVE", {r})});
    bench.next();
    require(unreserved(bench.offer, "cpus") > before - 0.01, "it was reserved");
}

void bad_volumes(const Options& o)
{
    Bench bench{o};
    const std::string id = new_id("bad");
    bench.use(bench.make_volume(id));
    bench.next();
    require_equal(volumes(bench.offer, id).size(), std::size_t{1}, "volumes made");
    Json read_only = volume(16, new_id("ro"), o);
    read_only["disk"]["volume"]["mode"] = "RO";
    Json host_path = volume(16, new_id("host"), o);
    host_path["disk"]["volume"]["host_path"] = "/tmp";
    bench.use(
        {operation("RESERVE", {reserved(scalar("disk", 64), o)}),
         operation("CREATE", {volume(16, id, o)}),
         operation("CREATE", {read_only}),
         operation("CREATE", {host_path})});
    bench.next();
    std::size_t count = 0;
    for (const Json& r : bench.offer["resources"]) count += r.contains("disk") ? 1U : 0U;
    require_equal(count, std::size_t{1}, "volumes of the agent");
    bench.remove_volume(id);
}

void feedback(const Options& o)
{
    Bench bench{o};
    Json reserve = operation("RESERVE", {reserved(scalar("cpus", 0.1), o)});
    reserve["id"] = {{"value", "op-feedback"}};
    bench.use({reserve});
    const auto of_ours = [](const Json& e) {
        return text(e, "/update_operation_status/status/operation_id/value") == "op-feedback";
    };
    const Json first = bench.framework.await("UPDATE_OPERATION_STATUS", of_ours);
    const Json status = first["update_operation_status"]["status"];
    require_equal(text(status, "/state"), std::string{"OPERATION_FINISHED"}, "state");
    const std::string uuid = text(status, "/uuid/value");
    require(!uuid.empty(), "no uuid");
    bench.framework.must(
        {{"type", "ACKNOWLEDGE_OPERATION_STATUS"},
         {"acknowledge_operation_status",
          {{"agent_id", bench.offer["agent_id"]},
           {"operation_id", {{"value", "op-feedback"}}},
           {"uuid", uuid}}}});
    bench.framework.await_none("UPDATE_OPERATION_STATUS", of_ours);
}

void feedback_repeats(const Options& o)
{
    Bench bench{o};
    Json reserve = operation("RESERVE", {reserved(scalar("cpus", 0.1), o)});
    reserve["id"] = {{"value", "op-repeat"}};
    bench.use({reserve});
    const Json first = bench.framework.await("UPDATE_OPERATION_STATUS");
    const auto came = std::chrono::steady_clock::now();
    const Json again = bench.framework.await("UPDATE_OPERATION_STATUS", {}, 40s);
    require_equal(
        again["update_operation_status"]["status"]["uuid"],
        first["update_operation_status"]["status"]["uuid"],
        "uuid of the repetition");
    require(std::chrono::steady_clock::now() - came > 9s, "it was repeated too early");
}

void comes_back(const Options& o)
{
    Bench bench{o};
    const std::string id = new_id("returns");
    std::vector<Json> operations = bench.make_volume(id);
    operations.push_back(launch({bench.volume_task(id, id)}));
    bench.use(operations);
    Executor executor{bench.offer, bench.framework.id(), id};
    executor.subscribe();
    (void)executor.await("LAUNCH");
    executor.must(executor.update(id, "TASK_FINISHED"));
    bench.framework.acknowledge(bench.framework.await_status(id, "TASK_FINISHED"));
    bench.offer = bench.framework.offer(
        [&](const Json& other) { return bench.mine(other) && !volumes(other, id).empty(); });
    const Json back = volumes(bench.offer, id).front();
    require_equal(back["scalar"]["value"].get<double>(), 64.0, "size");
    require_equal(text(back, "/disk/volume/container_path"), std::string{"data"}, "container_path");
    require_equal(text(back, "/disk/volume/mode"), std::string{"RW"}, "mode");
    bench.remove_volume(id);
}

void not_offered_in_use(const Options& o)
{
    Bench bench{o};
    const std::string id = new_id("in-use");
    std::vector<Json> operations = bench.make_volume(id);
    operations.push_back(launch({bench.volume_task(id, id)}));
    bench.use(operations);
    for (int round = 0; round < 2; ++round) {
        bench.next();
        require(volumes(bench.offer, id).empty(), "a volume in use is offered");
        bench.framework.must(decline(bench.offer, 0));
    }
}

void used_differently(const Options& o)
{
    Bench bench{o};
    const std::string id = new_id("differently");
    bench.use(bench.make_volume(id));
    bench.next();
    Json smaller = bench.volume_task(new_id("smaller"), id);
    smaller["resources"][2]["scalar"]["value"] = 32;
    bench.use({launch({smaller})});
    invalid(bench.framework, text(smaller, "/task_id/value"));
    bench.next();
    Json bare = bench.volume_task(new_id("bare"), id);
    bare["resources"][2]["disk"].erase("volume");
    bench.use({launch({bare})});
    invalid(bench.framework, text(bare, "/task_id/value"));
    bench.next();

    const Listener listener{o.listen_host};
    Json renamed = bench.volume_task(new_id("renamed"), id);
    renamed["resources"][2]["disk"]["volume"]["container_path"] = "elsewhere";
    renamed["executor"]["command"]["value"] =
        "exec bash -c 'ls -l >" + listener.device() + "; exec sleep 600'";
    bench.use({launch({renamed})});
    const std::string listing = listener.accept_all(in(30s));
    require(listing.find("elsewhere") != std::string::npos, "the volume is not linked: " + listing);
}

void nested_path(const Options& o)
{
    Bench bench{o};
    const std::string id = new_id("nested");
    bench.use(bench.make_volume(id));
    bench.next();
    const Listener listener{o.listen_host};
    Json task = bench.volume_task(new_id("nested"), id);
    task["resources"][2]["disk"]["volume"]["container_path"] = "a/b";
    task["executor"]["command"]["value"] =
        "exec bash -c 'ls -lR >" + listener.device() + "; exec sleep 600'";
    bench.use({launch({task})});
    const std::string listing = listener.accept_all(in(30s));
    require(listing.find("->") == std::string::npos, "a nested path was linked: " + listing);
}

void destroyed(const Options& o)
{
    Bench bench{o};
    const std::string id = new_id("destroyed");
    bench.use(bench.make_volume(id));
    bench.next();
    Json as_volume = volumes(bench.offer, id).front();
    bench.use({operation("UNRESERVE", {as_volume})});
    bench.next();
    require_equal(
        volumes(bench.offer, id).size(), std::size_t{1}, "volumes after UNRESERVE of one");
    const double plain = bench.reserved_amount("disk");
    bench.use({operation("DESTROY", volumes(bench.offer, id))});
    bench.next();
    require(volumes(bench.offer, id).empty(), "the volume is still there");
    require(bench.reserved_amount("disk") > plain + 63, "its disk is not reserved any more");
}

void destroyed_and_unreserved(const Options& o)
{
    Bench bench{o};
    const std::string id = new_id("released");
    bench.use(bench.make_volume(id));
    bench.next();
    const double before = unreserved(bench.offer, "disk");
    bench.remove_volume(id);
    bench.next();
    require(unreserved(bench.offer, "disk") > before + 63, "the disk is not unreserved");
}

}  // namespace

void add_volume_checks(std::vector<Check>& checks)
{
    const auto add =
        [&](int number, const char* name, auto run, Needs needs = Needs::no_credentials) {
            checks.push_back({number, name, needs, run});
        };
    add(78, "an amount is never made up of reserved and unreserved", no_mixing);
    add(80, "RESERVE, CREATE and LAUNCH in one ACCEPT start a task on its volume", all_in_one);
    add(81, "CREATE before RESERVE makes nothing, and the task is TASK_ERROR", create_first);
    add(82, "a failed LAUNCH does not undo the RESERVE before it", reservation_stays);
    add(83, "RESERVE with a missing or another principal is OPERATION_ERROR", wrong_principal);
    add(84, "RESERVE for another role is dropped", other_role);
    add(85, "CREATE with a known id, RO, or a host_path is dropped", bad_volumes);
    add(86, "an operation with an id reports OPERATION_FINISHED until acknowledged", feedback);
    add(86,
        "an unacknowledged operation status is repeated after 10 s",
        feedback_repeats,
        Needs::slow);
    add(87, "a volume comes back as CREATE made it when its task ends", comes_back);
    add(88, "a volume is used whole, with disk.volume, under any plain name", used_differently);
    add(88, "a container_path with a slash is accepted and not linked", nested_path);
    add(89, "a volume in use is in no offer", not_offered_in_use);
    add(90, "DESTROY leaves reserved disk, UNRESERVE of a volume is dropped", destroyed);
    add(91, "DESTROY and UNRESERVE in one ACCEPT free the disk", destroyed_and_unreserved);
}

}  // namespace mysos::conformance
