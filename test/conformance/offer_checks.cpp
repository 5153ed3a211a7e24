#include "test/conformance/suite.hpp"

#include <algorithm>

namespace mysos::conformance {
namespace {

using namespace std::chrono_literals;

bool any(const Json&)
{
    return true;
}

Json without_capability(const Options& o, const char* name)
{
    Json list = Json::array();
    const Json info = default_info(o);
    for (const Json& capability : info["capabilities"]) {
        if (capability["type"] != name) list.push_back(capability);
    }
    return list;
}

Framework::Predicate of_agent(const Json& offer)
{
    return [agent = text(offer, "/agent_id/value")](const Json& other) {
        return text(other, "/agent_id/value") == agent;
    };
}

void allocation_info(const Options& o)
{
    {
        Framework framework{o};
        const Json offer = framework.offer(any);
        require_equal(text(offer, "/allocation_info/role"), o.role, "the offer's role");
        for (const Json& r : offer["resources"]) {
            require_equal(text(r, "/allocation_info/role"), o.role, "a resource's role");
        }
    }
    Framework framework{
        o,
        {{"roles", nullptr},
         {"role", o.role},
         {"capabilities", without_capability(o, "MULTI_ROLE")}}};
    const Json offer = framework.offer(any);
    require(!offer.contains("allocation_info"), "an offer without MULTI_ROLE has allocation_info");
    for (const Json& r : offer["resources"]) {
        require(!r.contains("allocation_info"), "a resource without MULTI_ROLE has it");
    }
}

const Json* plain_cpus(const Json& offer)
{
    for (const Json& r : offer["resources"]) {
        if (r["name"] == "cpus" && !r.contains("reservations") && !r.contains("reservation")) {
            return &r;
        }
    }
    throw Failed("no unreserved cpus offered");
}

void unreserved_forms(const Options& o)
{
    {
        Framework framework{o};
        const Json offer = framework.offer();
        const Json& cpus = *plain_cpus(offer);
        require(!cpus.contains("role"), "with RESERVATION_REFINEMENT there is no role");
    }
    Framework framework{o, {{"capabilities", without_capability(o, "RESERVATION_REFINEMENT")}}};
    const Json offer = framework.offer(any);
    require_equal(text(*plain_cpus(offer), "/role"), std::string{"*"}, "role of unreserved cpus");
}

void reserved_forms(const Options& o)
{
    {
        Framework framework{o};
        const Json offer = framework.offer();
        framework.must(accept(offer, {operation("RESERVE", {reserved(scalar("cpus", 0.1), o)})}));
        const Json next = framework.offer(of_agent(offer));
        const Json* found = nullptr;
        for (const Json& r : next["resources"]) {
            if (r.contains("reservations")) found = &r;
        }
        require(found != nullptr, "the reservation is not offered: " + next.dump());
        require_equal(text(*found, "/reservations/0/type"), std::string{"DYNAMIC"}, "type");
        require_equal(text(*found, "/reservations/0/role"), o.role, "role");
        require(!found->contains("role"), "the new form has no role of its own");
    }
    Framework framework{o, {{"capabilities", without_capability(o, "RESERVATION_REFINEMENT")}}};
    const Json offer = framework.offer([](const Json& other) {
        return std::ranges::any_of(
            other["resources"], [](const Json& r) { return r.contains("reservation"); });
    });
    for (const Json& r : offer["resources"]) {
        if (!r.contains("reservation")) continue;
        require_equal(text(r, "/role"), o.role, "role of the old form");
        require(!r.contains("reservations"), "the old form has no reservations");
    }
}

void decline_hides(const Options& o)
{
    Framework framework{o};
    const Json offer = framework.offer(any);
    const auto declined_at = std::chrono::steady_clock::now();
    framework.must({{"type", "DECLINE"}, {"decline", {{"offer_ids", Json::array({offer["id"]})}}}});
    const Json again = framework.offer(of_agent(offer));
    require(std::chrono::steady_clock::now() - declined_at >= 4900ms, "offered again within 5 s");
    require(again["id"] != offer["id"], "an offer id came twice");
}

void decline_for_nothing(const Options& o)
{
    Framework framework{o};
    const Json offer = framework.offer(any);
    framework.must(decline(offer, 0));
    const Json again = framework.offer(of_agent(offer), 4s);
    require(again["id"] != offer["id"], "an offer id came twice");
}

void decline_negative(const Options& o)
{
    Framework framework{o};
    const Json offer = framework.offer(any);
    const auto declined_at = std::chrono::steady_clock::now();
    framework.must(decline(offer, -1));
    (void)framework.offer(of_agent(offer));
    require(std::chrono::steady_clock::now() - declined_at >= 4900ms, "-1 is not as 5");
}

void more_breaks_the_filter(const Options& o)
{
    Framework framework{o};
    const Json offer = framework.offer();
    const std::string id = new_id("freed");
    // The rest of the agent is refused for an hour; the ended task's share is more than that.
    framework.must(accept(offer, {launch({task_info(offer, id)})}, 3600));
    Executor executor{offer, framework.id(), id};
    executor.subscribe();
    (void)executor.await("LAUNCH");
    framework.await_none("OFFERS", [&](const Json& event) {
        return std::ranges::any_of(event["offers"]["offers"], [&](const Json& other) {
            return other["agent_id"] == offer["agent_id"];
        });
    });
    executor.must(executor.update(id, "TASK_FINISHED"));
    framework.acknowledge(framework.await_status(id, "TASK_FINISHED"));
    const Json again = framework.offer(of_agent(offer));
    require(
        unreserved(again, "cpus") >= unreserved(offer, "cpus"), "the whole agent is not offered");
}

void revive(const Options& o)
{
    Framework framework{o};
    const Json offer = framework.offer(any);
    framework.must(decline(offer, 3600));
    framework.await_none("OFFERS", [&](const Json& event) {
        return event["offers"]["offers"][0]["agent_id"] == offer["agent_id"];
    });
    framework.must({{"type", "REVIVE"}});
    (void)framework.offer(of_agent(offer), 4s);
}

void suppress(const Options& o)
{
    Framework framework{o};
    const Json offer = framework.offer();
    framework.must({{"type", "SUPPRESS"}});
    const std::string id = new_id("suppressed");
    framework.must(accept(offer, {launch({task_info(offer, id)})}));
    Executor executor{offer, framework.id(), id};
    executor.subscribe();
    (void)executor.await("LAUNCH");
    framework.await_none("OFFERS");
    framework.must({{"type", "REVIVE"}});
    (void)framework.offer(any);
}

void foreign_role(const Options& o)
{
    Framework framework{o};
    const Json offer = framework.offer(any);
    framework.must({{"type", "SUPPRESS"}, {"suppress", {{"roles", {o.role, "another-role"}}}}});
    framework.must(decline(offer, 0));
    (void)framework.offer(of_agent(offer), 6s);
    framework.must({{"type", "SUPPRESS"}});
    framework.must({{"type", "REVIVE"}, {"revive", {{"roles", {o.role, "another-role"}}}}});
    framework.await_none("OFFERS");
}

void unknown_offer(const Options& o)
{
    Framework framework{o, {{"roles", Json::array()}}};
    framework.must(
        {{"type", "DECLINE"},
         {"decline", {{"offer_ids", Json::array({{{"value", new_id("no-offer")}}})}}}});
    framework.await_none("ERROR");
}

void used_offers(const Options& o)
{
    Framework framework{o};
    const Json offer = framework.offer(any);
    framework.must(decline(offer, 3600));
    framework.await_none("RESCIND");
    const std::string id = new_id("used");
    framework.must(accept(offer, {launch({task_info(offer, id)})}));
    require_equal(
        text(framework.await_status(id), "/reason"),
        std::string{"REASON_INVALID_OFFERS"},
        "reason");
}

}  // namespace

void add_offer_checks(std::vector<Check>& checks)
{
    const auto add = [&](int number, const char* name, auto run) {
        checks.push_back({number, name, Needs::no_credentials, run});
    };
    add(45,
        "offers and their resources carry allocation_info only with MULTI_ROLE",
        allocation_info);
    add(46,
        "unreserved resources have role * only without RESERVATION_REFINEMENT",
        unreserved_forms);
    add(47, "a reservation has the form that the framework's capabilities ask for", reserved_forms);
    add(48, "the list of offers is at offers.offers", [](const Options& o) {
        Framework framework{o};
        const Json event = framework.await("OFFERS");
        require(at(event, "/offers/offers").is_array(), "no list there");
        const Json& first = event["offers"]["offers"][0];
        require_equal(text(first, "/url/path"), std::string{"/slave(1)"}, "url.path");
        require_equal(text(first, "/framework_id/value"), framework.id(), "framework_id");
    });
    add(49, "a declined agent is not offered for 5 s", decline_hides);
    add(50, "declined for 0 s it is offered in the next run, under a new id", decline_for_nothing);
    add(51, "refuse_seconds -1 counts as 5", decline_negative);
    add(52,
        "freed resources bring the whole agent back before the filter ends",
        more_breaks_the_filter);
    add(53, "REVIVE ends filters at once", revive);
    add(54, "SUPPRESS stops new offers, old ones stay valid, REVIVE brings them again", suppress);
    add(55, "one foreign role voids a whole SUPPRESS or REVIVE", foreign_role);
    add(56, "declining an unknown offer is accepted and means nothing", unknown_offer);
    add(59, "a used offer is invalid afterwards and not rescinded", used_offers);
}

}  // namespace mysos::conformance
