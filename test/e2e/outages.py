"""Takes away what a cluster is managed by, and kills its primary meanwhile.

outages.py FLAVOR [STEP...]    mariadb | mysql; all steps unless some are named.
Exit: 0 passed, 1 failed, 2 no such step, 77 the flavor cannot be had here.
MYSOS_PROGRAMS names the build folder.
"""

import os
import pathlib
import signal
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "examples" / "quickstart"), str(ROOT / "test" / "support")]
import quickstart  # noqa: E402
from cluster import server_pids  # noqa: E402
from quickstart import Failed, await_true, say  # noqa: E402
from steps import Writers, framework_ids, healthy, run_steps  # noqa: E402

AGENTS = 3
MESOS_AWAY = 40  # Seconds.


def fail_over(cluster):
    """The primary's server is killed under load, and another leads with everything acknowledged."""
    old = cluster.primary
    with Writers(cluster) as clients:
        os.kill(server_pids(cluster.home)[old[1]], signal.SIGKILL)
        new = cluster.await_endpoints(
            "another primary", "master", lambda m: m and m[0] != old and m[0])
    cluster.point_at(new)
    await_true("writing on the new primary", 60, cluster.writable)
    cluster.check_rows()
    clients.check()
    return old


def await_all_back(cluster, old):
    cluster.await_endpoints("the old primary's return", "slaves", lambda s: old in s and len(s) == 2)
    await_true("a healthy cluster", 120, lambda: healthy(cluster))


def ready(base):
    return quickstart.request("GET", base + "/readyz")[0] == 200


def lose_leader(cluster):
    """It stops, as in a long pause, while another stands by; when it wakes up, both have led."""
    framework, launched = framework_ids(cluster), cluster.metric("scheduler.tasks_launched")
    port = quickstart.free_port()
    base = quickstart.launch_scheduler(
        cluster.programs, cluster.home, cluster.zookeeper, cluster.mesos, cluster.flavor, port,
        cluster.places, "standby")
    await_true("one that stands by", 60, lambda: "stands by; http" in quickstart.request(
        "GET", f"{base}/v1/clusters")[1], cluster.programs.check)

    leader, leaders_base = dict(cluster.programs.running)["scheduler"], cluster.base
    leader.send_signal(signal.SIGSTOP)
    try:
        cluster.base = base
        old = fail_over(cluster)
        say("the leading scheduler froze; the one that stood by replaced a killed primary")
    finally:
        leader.send_signal(signal.SIGCONT)
    if leader.wait(60) != 1:
        raise Failed(f"the deposed scheduler ended with {leader.returncode}")
    cluster.programs.running.remove(("scheduler", leader))
    await_all_back(cluster, old)
    if framework_ids(cluster) != framework:
        raise Failed("the standby is another framework")
    if launched != 3 or cluster.metric("scheduler.tasks_launched") != 0:
        raise Failed("the change of schedulers launched tasks")

    quickstart.launch_scheduler(
        cluster.programs, cluster.home, cluster.zookeeper, cluster.mesos, cluster.flavor,
        cluster.port, cluster.places)
    cluster.programs.kill("standby")
    cluster.base = leaders_base
    await_true("the first one's lead", 60, lambda: ready(leaders_base), cluster.programs.check)
    await_true("a healthy cluster", 120, lambda: healthy(cluster))
    say("the frozen one found itself deposed; started again, it leads after the other's end")


def lose_mesos(cluster):
    """A failover needs no master; afterwards nothing is launched or killed."""
    before = server_pids(cluster.home)
    launched = cluster.metric("scheduler.tasks_launched")
    status, text = quickstart.request(
        "POST", f"http://{cluster.places.mesos}:{cluster.mesos}/standin/master/restart",
        body={"down_ms": 1000 * MESOS_AWAY, "no_leader_ms": 1000, "recovering_ms": 1000})
    if status != 200:
        raise Failed(f"the stand-in answered {status}: {text}")
    old = fail_over(cluster)
    if ready(cluster.base):
        raise Failed("the master was back before the failover had ended")
    say("another primary leads while the Mesos master is away")
    await_all_back(cluster, old)
    await_true("the framework's return", 2 * MESOS_AWAY, lambda: ready(cluster.base))
    await_true("a healthy cluster", 120, lambda: healthy(cluster))
    after = server_pids(cluster.home)
    if {port for port in before if before[port] != after[port]} != {old[1]}:
        raise Failed("the master's return touched a server")
    if cluster.metric("scheduler.tasks_launched") != launched:
        raise Failed("the master's return launched tasks")
    say("Mesos came back, and everything is where it was")


def lose_zookeeper(cluster):
    """Until the scheduler gives its session up and ends, as nothing can be decided without ZooKeeper."""
    before = server_pids(cluster.home)
    cluster.programs.kill("zookeeper")
    scheduler = dict(cluster.programs.running)["scheduler"]
    with Writers(cluster) as clients:
        if scheduler.wait(60) != 1:
            raise Failed(f"without ZooKeeper the scheduler ended with {scheduler.returncode}")
        cluster.programs.running.remove(("scheduler", scheduler))
        quickstart.launch_scheduler(
            cluster.programs, cluster.home, cluster.zookeeper, cluster.mesos, cluster.flavor,
            cluster.port, cluster.places)
        count = len(clients.acknowledged)
        await_true("more writes", 60, lambda: len(clients.acknowledged) > count + 20)
    cluster.start_zookeeper()
    await_true("the scheduler's lead", 90, lambda: ready(cluster.base), cluster.programs.check)
    await_true("a healthy cluster", 120, lambda: healthy(cluster))
    clients.check()
    if server_pids(cluster.home) != before:
        raise Failed("ZooKeeper's outage touched a server")
    await_all_back(cluster, fail_over(cluster))
    say("without ZooKeeper and a scheduler the databases served on; afterwards all is as before")


STEPS = (lose_leader, lose_mesos, lose_zookeeper)

if __name__ == "__main__":
    sys.exit(run_steps(STEPS, AGENTS))
