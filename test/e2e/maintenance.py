"""Takes agents away as an operator does who plans it: draining, and maintenance with inverse offers.

maintenance.py FLAVOR [STEP...]    mariadb | mysql; all steps unless some are named.
Exit: 0 passed, 1 failed, 2 no such step, 77 the flavor cannot be had here.
MYSOS_PROGRAMS names the build folder.
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "examples" / "quickstart"), str(ROOT / "test" / "support")]
from cluster import agent_of, agents, members, server_pids, switch  # noqa: E402
from steps import Writers, run_steps  # noqa: E402
from quickstart import Failed, await_true, say  # noqa: E402

CRASHED = "the primary has crashed"  # The scheduler's word for what it fails over.
AGENTS = 4  # One more than a cluster has members.


def log(cluster):
    return (cluster.home / "scheduler.log").read_text(errors="replace")


def await_other_primary(cluster, old):
    new = cluster.await_endpoints("another primary", "master", lambda m: m and m[0] != old and m[0])
    cluster.point_at(new)
    await_true("writing on the new primary", 60, cluster.writable)


def end_by_draining(cluster, max_grace_ms):
    """Returns the agent, and what the scheduler logged meanwhile."""
    old, before = cluster.primary, len(log(cluster))
    agent = agent_of(cluster, old[1])
    with Writers(cluster) as clients:
        switch(cluster, agent, "drain", max_grace_ms=max_grace_ms)
        await_other_primary(cluster, old)
    await_true("the end of the drained server", 60,
               lambda: old[1] not in server_pids(cluster.home), cluster.programs.check)
    cluster.check_rows()
    clients.check()
    logged = log(cluster)[before:]
    switch(cluster, agent, "reactivate")
    cluster.await_endpoints("the old primary's return", "slaves", lambda s: old in s and len(s) == 2)
    return logged


def drain(cluster):
    """There is time: another one leads before the drained one ends."""
    logged = end_by_draining(cluster, 40000)
    if "was told to end" not in logged or CRASHED in logged:
        raise Failed("the drained primary was not handed over")
    say("drained the primary's agent: it handed over and ended, with every acknowledged row kept")


def drain_at_once(cluster):
    """There is none: it ends as if it had crashed."""
    if CRASHED not in end_by_draining(cluster, 0):
        raise Failed("a primary without any grace was not failed over")
    say("drained the primary's agent without a grace: a failover, with every acknowledged row kept")


def maintain(cluster):
    old = cluster.primary
    agent = agent_of(cluster, old[1])
    with Writers(cluster) as clients:
        switch(cluster, agent, "maintenance", start_in_ms=600000, duration_ms=600000)
        say("planned maintenance of the primary's agent")
        await_other_primary(cluster, old)
        accepted = await_true(
            "the inverse offer's acceptance", 300,
            lambda: list(agents(cluster)[agent]["maintenance"]["answers"].values()),
            cluster.programs.check)
    if accepted != ["ACCEPT"]:
        raise Failed(f"the inverse offer was answered {accepted}")
    if old[1] in server_pids(cluster.home):
        raise Failed("the agent was given back while a server ran on it")
    if len(members(cluster)) != 3:
        raise Failed(f"of three members {len(members(cluster))} are there")
    cluster.await_endpoints("three members", "slaves", lambda s: len(s) == 2 and old not in s)
    cluster.check_rows()
    clients.check()
    switch(cluster, agent, "maintenance_over")
    say("primary and member moved off the agent, then it was given back; every acknowledged row is kept")


STEPS = (drain, drain_at_once, maintain)


if __name__ == "__main__":
    sys.exit(run_steps(STEPS, AGENTS))
