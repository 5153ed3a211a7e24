"""Two members of which one goes on without the other: ends one after the other while clients write.

two_nodes.py FLAVOR [STEP...]    mariadb | mysql; all steps unless some are named.
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
from cluster import agent_of, executor_pids, server_pids, switch  # noqa: E402
from quickstart import Failed, await_true, say  # noqa: E402
from steps import Writers, healthy, run_steps  # noqa: E402

AGENTS = 3  # One more than members, for the successor of one whose agent is gone.


def view(cluster):
    status, text = quickstart.request("GET", f"{cluster.base}/v1/clusters/{quickstart.CLUSTER}")
    if status != 200:
        raise Failed(f"the scheduler answered {status}: {text}")
    return json.loads(text)


def await_both(cluster):
    """Both acknowledge again, and the server is told to wait for that."""
    def both():
        now = view(cluster)
        return len(now["electorate"]) == 2 and now["acks"] == 1
    await_true("both members in the electorate", 180, both, cluster.programs.check)
    await_true("a healthy cluster", 120, lambda: healthy(cluster))


def lose_replica(cluster):
    """For good, its agent with it: writes go on, and a successor joins."""
    lost = quickstart.endpoints(cluster.zk, "slaves")[0]
    primary = cluster.primary
    with Writers(cluster) as clients:
        switch(cluster, agent_of(cluster, lost[1]), "gone")
        say("the operator marked the replica's agent gone")
        await_true("that the primary is alone", 60, lambda: len(view(cluster)["electorate"]) == 1)
        count = len(clients.acknowledged)
        await_true("more writes", 60, lambda: len(clients.acknowledged) > count + 20)
        cluster.await_endpoints(
            "another replica", "slaves", lambda s: s and s[0] != lost)
    if quickstart.endpoints(cluster.zk, "master") != [primary]:
        raise Failed("the loss of the replica moved the primary")
    await_both(cluster)
    cluster.check_rows()
    clients.check()
    say("writes went on without it, and another member has joined")


def lose_primary(cluster):
    """Its server is dead and its executor frozen: the replica takes over and opens alone."""
    old = cluster.primary
    replica = quickstart.endpoints(cluster.zk, "slaves")[0]
    executor = executor_pids(cluster.home)[agent_of(cluster, old[1])]
    with Writers(cluster) as clients:
        os.kill(executor, signal.SIGSTOP)
        try:
            os.kill(server_pids(cluster.home)[old[1]], signal.SIGKILL)
            say("froze the primary's executor, and killed its server")
            cluster.await_endpoints("the replica's lead", "master", lambda m: m == [replica])
            if len(view(cluster)["electorate"]) != 1:
                raise Failed("the old primary is in the electorate still")
            cluster.point_at(replica)
            await_true("writing on the new primary", 60, cluster.writable)
            cluster.check_rows()
            clients.check()
            say("the replica took over and serves alone, with every acknowledged row")
        finally:
            os.kill(executor, signal.SIGCONT)
    cluster.await_endpoints("the other's return", "slaves", lambda s: s == [old])
    await_both(cluster)
    cluster.write()
    cluster.check_rows()
    if quickstart.endpoints(cluster.zk, "master") != [replica]:
        raise Failed("the return of the old primary moved the new one")
    say("the other came back and joined")


STEPS = (lose_replica, lose_primary)

if __name__ == "__main__":
    sys.exit(run_steps(STEPS, AGENTS, nodes=2, two_node_policy="available"))
