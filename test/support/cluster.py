"""A cluster as a test sees it: everything that it needs, started; its servers' processes; what it says about itself."""

import contextlib
import itertools
import json
import pathlib
import sys
import time

import quickstart
from quickstart import Failed, await_true, sql
from kazoo.client import KazooClient
from kazoo.exceptions import ConnectionClosedError, ConnectionLoss, SessionExpiredError


def processes(*names):
    """Pid, words and directory of each that bears one of these names."""
    for process in pathlib.Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if (process / "comm").read_text().strip() in names:
                words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
                yield int(process.name), words, (process / "cwd").resolve()


def server_pids(home):
    """Pids of the database servers whose volumes lie under `home`, by listening port."""
    found = {}
    for pid, words, directory in processes("mariadbd", "mysqld"):
        ports = [word.split("=")[1] for word in words if word.startswith("--port=")]
        if ports and directory.is_relative_to(home):
            found[int(ports[0])] = pid
    return found


def executor_pids(home):
    """By the number of their agent."""
    agents = home / "mesos"
    return {int(directory.relative_to(agents).parts[0].removeprefix("agent")): pid
            for pid, _, directory in processes("mysos-executor") if directory.is_relative_to(agents)}


class Directory:
    """The primary as ZooKeeper has it; while nobody is published, or nobody tells, the one before."""

    def __init__(self, zk):
        self.primary, self.published, self.changes, self.listeners = None, None, [], []

        def changed(_children):
            found = quickstart.endpoints(zk, "master")
            self.published = found[0] if found else None
            if found and found[0] != self.primary:
                self.primary = found[0]
                self.changes.append((time.monotonic(), found[0]))
                for listener in list(self.listeners):
                    listener()
            return True

        zk.ChildrenWatch(f"/mysos/discover/{quickstart.CLUSTER}/master")(changed)


class Cluster:
    """A cluster, all that it needs, and a client that writes rows one by one."""

    def __init__(self, home, programs, flavor, agents, places=quickstart.HERE, nodes=3, **options):
        self.home, self.programs, self.flavor, self.places = home, programs, flavor, places
        self.start_zookeeper(quickstart.free_port())
        self.mesos = quickstart.start_mesos(programs, home, agents, places)
        self.port = quickstart.free_port()
        self.start_scheduler()
        self.zk = KazooClient(hosts=f"{places.zookeeper}:{self.zookeeper}")
        self.zk.start(timeout=30)
        reply, self.primary, _ = quickstart.create_cluster(
            programs, self.base, self.zk, nodes, **options)
        self.password = reply["cluster_password"]
        self.options = home / "client.cnf"
        self.point_at(self.primary)
        self.rows = 0
        self.drawn = itertools.count()

    def start_zookeeper(self, port=None):
        self.zookeeper = quickstart.start_zookeeper(
            self.programs, self.home, port or self.zookeeper, self.places)

    def start_scheduler(self):
        self.base = quickstart.start_scheduler(
            self.programs, self.home, self.zookeeper, self.mesos, self.flavor, self.port, self.places)

    def point_at(self, endpoint):
        self.primary = endpoint
        quickstart.write_client_file(self.options, endpoint, self.password)

    def write(self):
        # Not INSERT: an earlier try that was not acknowledged may have been committed.
        sql(self.options, f"REPLACE INTO e2e.t VALUES ({self.rows})")
        self.rows += 1

    def writable(self):
        with contextlib.suppress(Failed):
            self.write()
            return True
        return False

    def check_rows(self):
        seen = int(sql(self.options, "SELECT COUNT(*) FROM e2e.t"))
        if seen != self.rows:
            raise Failed(f"{self.rows} rows were acknowledged, the primary has {seen}")

    def await_endpoints(self, what, kind, condition, seconds=120):
        def holds():
            # ZooKeeper may have been killed a moment ago: then nothing is known now.
            with contextlib.suppress(ConnectionClosedError, ConnectionLoss, SessionExpiredError):
                return condition(quickstart.endpoints(self.zk, kind))
            return None
        return await_true(what, seconds, holds, self.programs.check)

    def metric(self, name):
        _, text = quickstart.request("GET", self.base + "/vars.json")
        return json.loads(text)[name]


def switch(cluster, agent, what, **arguments):
    """One of the stand-in's fault switches."""
    status, text = quickstart.request(
        "POST", f"http://{cluster.places.mesos}:{cluster.mesos}/standin/agents/{agent}/{what}",
        body=arguments)
    if status != 200:
        raise Failed(f"the stand-in answered {status}: {text}")


def members(cluster):
    status, text = quickstart.request("GET", f"{cluster.base}/v1/clusters/{quickstart.CLUSTER}")
    if status != 200:
        raise Failed(f"the scheduler answered {status}: {text}")
    return json.loads(text)["members"]


def agents(cluster):
    """What the stand-in tells of each, as it numbers them."""
    _, text = quickstart.request("GET", f"http://{cluster.places.mesos}:{cluster.mesos}/standin/state")
    return json.loads(text)["agents"]


def agent_of(cluster, port):
    """Its index."""
    agent = next(member["agent_id"] for member in members(cluster) if member["port"] == port)
    return [entry["id"] for entry in agents(cluster)].index(agent)


def tell_what_happened(home, cluster):
    if cluster is not None:
        with contextlib.suppress(OSError, ValueError):  # Perhaps nobody answers.
            _, text = quickstart.request(
                "GET", f"{cluster.base}/v1/clusters/{quickstart.CLUSTER}")
            print(json.dumps(json.loads(text), indent=1), file=sys.stderr)
    for log in [*home.glob("mesos/**/stderr"), home / "scheduler.log"]:
        with contextlib.suppress(OSError):
            lines = log.read_text(errors="replace").splitlines()[-60:]
            print(f"---- {log.relative_to(home)}", *lines, sep="\n", file=sys.stderr)
