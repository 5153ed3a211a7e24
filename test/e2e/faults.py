"""Ends things while a cluster of three runs, and looks at what a user would see.

faults.py FLAVOR [STEP...]    mariadb | mysql; all steps unless some are named.
Exit: 0 passed, 1 failed, 2 no such step, 77 the flavor cannot be had here.
MYSOS_PROGRAMS names the build folder.
"""

import json
import os
import pathlib
import signal
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "examples" / "quickstart"), str(ROOT / "test" / "support")]
import quickstart  # noqa: E402
from cluster import agent_of, members, server_pids, switch  # noqa: E402
from steps import Writers, framework_ids, healthy, run_steps  # noqa: E402
from quickstart import Failed, await_true, say, sql  # noqa: E402

AGENTS = 5  # A cluster has three members, and two are lost for good one after the other.


def kill_primary(cluster):
    old = cluster.primary
    os.kill(server_pids(cluster.home)[old[1]], signal.SIGKILL)
    say("killed the primary's server")
    new = cluster.await_endpoints("another primary", "master", lambda m: m and m[0] != old and m[0])
    cluster.point_at(new)
    await_true("writing on the new primary", 60, cluster.writable)
    cluster.check_rows()
    cluster.await_endpoints("the old primary's return", "slaves", lambda s: old in s and len(s) == 2)
    say("another primary has every acknowledged row, and the old one follows it")


def lose(cluster, what, end):
    """Ends servers by `end`, which returns their pids by port, while clients write."""
    with Writers(cluster) as clients:
        gone = end()
        say(what)
        await_true("the servers' restart", 120, lambda: all(
            server_pids(cluster.home).get(port, pid) != pid for port, pid in gone.items()),
            cluster.programs.check)

    def recovered():
        masters = quickstart.endpoints(cluster.zk, "master")
        if not masters or len(quickstart.endpoints(cluster.zk, "slaves")) < 2:
            return False
        cluster.point_at(masters[0])
        return cluster.writable()

    await_true("the cluster's recovery", 180, recovered, cluster.programs.check)
    cluster.check_rows()
    clients.check()
    say(f"it came back by itself, with all of {len(clients.acknowledged)} rows of before too")


def kill_servers(cluster, *ports):
    """SIGKILL. Returns pids by port."""
    gone = {port: pid for port, pid in server_pids(cluster.home).items() if port in ports}
    for pid in gone.values():
        os.kill(pid, signal.SIGKILL)
    return gone


def kill_replica_and_primary(cluster):
    replica = quickstart.endpoints(cluster.zk, "slaves")[0]
    lose(cluster, "killed the servers of a replica and of the primary at once",
         lambda: kill_servers(cluster, replica[1], cluster.primary[1]))


def kill_all_servers(cluster):
    lose(cluster, "killed all servers at once",
         lambda: kill_servers(cluster, *server_pids(cluster.home)))


def reboot_all_agents(cluster):
    """As a power cut: executors and servers die, the volumes stay."""
    def reboot():
        gone = server_pids(cluster.home)
        for agent in range(AGENTS):
            switch(cluster, agent, "reboot")
        return gone

    lose(cluster, "rebooted all agents at once", reboot)


def lose_agent_for_good(cluster):
    """Its volume is gone with it: a new member, elsewhere, copies another's data."""
    lost = quickstart.endpoints(cluster.zk, "slaves")[0]
    with Writers(cluster) as clients:
        switch(cluster, agent_of(cluster, lost[1]), "gone")
        say("the operator marked a replica's agent gone")
        # Copying a MySQL member takes long where a sanitizer, too, wants the machine.
        cluster.await_endpoints(
            "another replica", "slaves", lambda s: lost not in s and len(s) == 2, 300)
    # Lost while another member was on its way into the electorate, it may cost a failover.
    cluster.await_endpoints("the primary", "master", lambda m: len(m) == 1)
    cluster.point_at(quickstart.endpoints(cluster.zk, "master")[0])
    await_true("writing on the primary", 60, cluster.writable)
    cluster.check_rows()
    clients.check()
    await_true("that only three members are left", 60, lambda: len(members(cluster)) == 3)
    say("another member has taken its place, with every acknowledged row")


def switch_over(cluster):
    """As planned: every row stays, and the old primary follows."""
    old = cluster.primary
    wanted = quickstart.endpoints(cluster.zk, "slaves")[-1]
    to = next(m["server_id"] for m in members(cluster) if m["port"] == wanted[1])
    def switched():
        status, text = quickstart.request(
            "POST", f"{cluster.base}/v1/clusters/{quickstart.CLUSTER}/switchover", body={"to": to})
        # After a fault members may have to come back or to catch up first; nothing was touched.
        for_now = ("does not acknowledge the primary's commits now", "too few other members are there")
        if status == 409 and any(why in text for why in for_now):
            return False
        if status != 200:
            raise Failed(f"the switchover was answered {status}: {text}")
        return True

    with Writers(cluster) as clients:
        await_true("a successor that can be elected", 120, switched)
    cluster.await_endpoints("the wanted primary", "master", lambda m: m == [wanted])
    cluster.point_at(wanted)
    await_true("writing on the new primary", 60, cluster.writable)
    cluster.check_rows()
    clients.check()
    cluster.await_endpoints("the old primary's return", "slaves", lambda s: old in s and len(s) == 2)
    say("switched over, as planned, with every acknowledged row")


def resize(cluster, count):
    status, text = quickstart.request(
        "PATCH", f"{cluster.base}/v1/clusters/{quickstart.CLUSTER}", body={"num_nodes": count})
    if status != 200:
        raise Failed(f"the scheduler answered {status}: {text}")
    say(f"asked for {count} members")


def scale(cluster):
    def to(count):
        resize(cluster, count)
        cluster.await_endpoints("them", "slaves", lambda s: len(s) == count - 1)
        await_true("them", 120, lambda: len(members(cluster)) == count)
        if cluster.primary != quickstart.endpoints(cluster.zk, "master")[0]:
            raise Failed("scaling moved the primary")

    with Writers(cluster) as clients:
        to(4)
        to(2)
        to(3)
    cluster.check_rows()
    clients.check()
    await_true("that the servers of those who went end", 60,
               lambda: len(server_pids(cluster.home)) == 3)
    say("four members, two, and three again; writes went on")


def kill_primary_under_load(cluster):
    lose(cluster, "killed the primary's server with commits under way",
         lambda: kill_servers(cluster, cluster.primary[1]))


def kill_replica(cluster):
    replica = quickstart.endpoints(cluster.zk, "slaves")[0]
    before = server_pids(cluster.home)[replica[1]]
    os.kill(before, signal.SIGKILL)
    say("killed a replica's server")
    cluster.write()
    await_true("the replica's restart", 60,
               lambda: server_pids(cluster.home).get(replica[1], before) != before)
    cluster.await_endpoints("the replica's return", "slaves", lambda s: replica in s and len(s) == 2)
    cluster.write()
    say("the replica came back; writes went on")


def kill_scheduler(cluster):
    before = server_pids(cluster.home)
    launched = cluster.metric("scheduler.tasks_launched")
    framework = framework_ids(cluster)
    cluster.programs.kill("scheduler")
    cluster.write()
    cluster.start_scheduler()
    await_true("the scheduler's recovery", 60, lambda: healthy(cluster))
    cluster.write()
    if server_pids(cluster.home) != before:
        raise Failed("the scheduler's restart touched a server")
    if framework_ids(cluster) != framework:
        raise Failed("the scheduler came back as another framework")
    say(f"killed and restarted the scheduler: the same servers, {launched} launches before")


def kill_zookeeper(cluster):
    before = server_pids(cluster.home)
    cluster.programs.kill("zookeeper")
    cluster.write()
    cluster.start_zookeeper()
    cluster.write()
    await_true("recovery from ZooKeeper's restart", 90, lambda: healthy(cluster))
    if server_pids(cluster.home) != before:
        raise Failed("ZooKeeper's restart touched a server")
    say("killed and restarted ZooKeeper: the databases served on")


def lose_one_of_two(cluster):
    """The other one holds everything, and nobody is left to acknowledge what it writes."""
    resize(cluster, 2)
    await_true("two members, both in the electorate", 120,
               lambda: [m["in_electorate"] for m in members(cluster)] == [True] * 2)
    cluster.write()
    survivor = quickstart.endpoints(cluster.zk, "slaves")[0]
    to = next(m["server_id"] for m in members(cluster) if m["port"] == survivor[1])
    switch(cluster, agent_of(cluster, cluster.primary[1]), "gone")
    say("the operator marked the agent of the primary gone, of two members")
    offer = accept_force(cluster, to, survivor)
    if offer["transactions_lost_at_least"] != 0:
        raise Failed(f"with nothing to lose a loss was told: {offer}")
    cluster.check_rows()
    resize(cluster, 3)
    cluster.await_endpoints("three members", "slaves", lambda s: len(s) == 2)
    await_true("that all members are in the electorate", 120,
               lambda: [m["in_electorate"] for m in members(cluster)] == [True] * 3)
    cluster.write()
    say("it went on alone, with every acknowledged row, until others had joined")


def accept_force(cluster, to, survivor):
    """As the operator who has read what is stuck. Returns what was offered."""
    path = f"{cluster.base}/v1/clusters/{quickstart.CLUSTER}"

    def offered():
        stuck = json.loads(quickstart.request("GET", path)[1])["stuck"]
        return stuck and stuck["force"]

    offer = await_true("an offer to force", 60, offered, cluster.programs.check)
    if offer["to"] != to:
        raise Failed(f"of one that is left another is offered: {offer}")
    status, text = quickstart.request("POST", path + "/force", body={"to": to})
    if status != 200:
        raise Failed(f"the force was answered {status}: {text}")
    cluster.await_endpoints("the survivor", "master", lambda m: m == [survivor])
    cluster.point_at(survivor)
    await_true("writing on the survivor", 60, cluster.writable)
    return offer


def create_and_delete_again(cluster):
    quickstart.delete_cluster(cluster.programs, cluster.base, cluster.zk, cluster.password)
    if server_pids(cluster.home):
        raise Failed("servers outlive their cluster")
    reply, _, _ = quickstart.create_cluster(cluster.programs, cluster.base, cluster.zk, 1)
    quickstart.delete_cluster(cluster.programs, cluster.base, cluster.zk, reply["cluster_password"])
    say("the name can be used again")


def force(cluster):
    """Too many are lost for good: what is left serves again when an operator says so."""
    await_true("that all members are in the electorate", 120,
               lambda: [m["in_electorate"] for m in members(cluster)] == [True] * 3)
    survivor = quickstart.endpoints(cluster.zk, "slaves")[-1]
    to = next(m["server_id"] for m in members(cluster) if m["port"] == survivor[1])
    path = f"{cluster.base}/v1/clusters/{quickstart.CLUSTER}"
    status, text = quickstart.request("POST", path + "/force", body={"to": to})
    if status != 409:
        raise Failed(f"a force of a healthy cluster was answered {status}: {text}")
    for member in members(cluster):
        if member["port"] != survivor[1]:
            switch(cluster, agent_of(cluster, member["port"]), "gone")
    say("the operator marked the agents of all but one member gone")
    offer = accept_force(cluster, to, survivor)
    say(f"forced: the survivor serves, {offer['transactions_lost_at_least']} or more transactions are lost")


STEPS = (kill_primary, kill_replica, kill_scheduler, kill_zookeeper, kill_primary,
         kill_replica_and_primary, kill_all_servers, reboot_all_agents, kill_primary_under_load,
         switch_over, scale, lose_one_of_two, lose_agent_for_good, force, create_and_delete_again)


if __name__ == "__main__":
    sys.exit(run_steps(STEPS, AGENTS))
