"""A cluster of three whose members live on hosts of their own, and what can be done to them."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

import quickstart
from cluster import Cluster, Directory, executor_pids, server_pids, switch
from network import Network
from quickstart import Failed, await_true
from sql import Clients, Connection, SqlError

AGENTS = 3


class Hosts(quickstart.Places):
    """Every agent, the scheduler and ZooKeeper on a host of its own; the stand-in's master, and who tests, on none."""

    def __init__(self):
        self.network = Network("scheduler", "zookeeper", *(f"agent{number}" for number in range(AGENTS)))
        address = self.network.address
        self.zookeeper, self.scheduler = address["zookeeper"], address["scheduler"]
        self.mesos = self.network.machine
        self.agents = [word for number in range(AGENTS) for word in (
            "--agent_network", f"{self.network.name(f'agent{number}')}={address[f'agent{number}']}")]

    def words(self, program):
        return self.network.words(program)


class Supervised(quickstart.Programs):
    """Starts the scheduler again when it has ended by itself, as a system would: having lost its leadership it does."""

    def check(self):
        scheduler = dict(self.running).get("scheduler")  # Not while a scenario has it killed.
        if scheduler is not None and scheduler.poll() is not None:
            self.kill("scheduler")
            self.start("scheduler", *scheduler.args)
        super().check()


class World:
    def __init__(self, home, programs, flavor, places, **options):
        """`places`: Hosts, or the quickstart's, on which nothing can be cut off. `options`: of the cluster."""
        self.home, self.programs, self.places = home, programs, places
        self.network = getattr(places, "network", None)
        self.writers_before = 0
        self.stopped = []  # By SIGSTOP, as pidfds: their numbers may have passed on to others.
        self.spinners = []
        self.cluster = Cluster(home, programs, flavor, AGENTS, places, **options)
        self.account = (quickstart.USER, self.cluster.password)
        self.directory = Directory(self.cluster.zk)
        self.settle()
        self.elected_at = time.monotonic()
        with self.connect(self.primary()) as connection:
            for statement in Clients.SCHEMA:
                connection.execute(statement)

    def end(self):
        try:
            self.undo()
            self.cluster.zk.stop()
            self.cluster.zk.close()
        finally:
            self.programs.end()

    def undo(self):
        """Every fault that lasts until it is ended."""
        if self.network:
            self.network.heal()
        self.wake()
        self.stop_spinning()

    # What it says about itself.

    def view(self):
        status, text = quickstart.request(
            "GET", f"{self.cluster.base}/v1/clusters/{quickstart.CLUSTER}", seconds=5)
        return json.loads(text) if status == 200 else None

    def epoch(self):
        return self.awaited("the scheduler's answer", 60, self.view)["epoch"]

    def primary(self):
        return self.directory.primary

    def replicas(self):
        return quickstart.endpoints(self.cluster.zk, "slaves")

    def agent(self, endpoint):
        """The host of a member."""
        return next(host for host, address in self.network.address.items() if address == endpoint[0])

    def other_agents(self, endpoint):
        return [f"agent{number}" for number in range(AGENTS) if f"agent{number}" != self.agent(endpoint)]

    def awaited(self, what, seconds, condition):
        return await_true(what, seconds, condition, self.programs.check)

    def unsettled(self):
        """What is not yet as it was before anything happened; empty when all is."""
        view = self.view()
        if view is None:
            return "the scheduler does not answer"
        published = (self.cluster.zk.retry(quickstart.endpoints, self.cluster.zk, "master"),
                     self.cluster.zk.retry(quickstart.endpoints, self.cluster.zk, "slaves"))
        servers = [member["server"] or {} for member in view["members"]]
        wrong = {
            "state": view["state"] != "running" and view["state"],
            "verdict": (view["verdict"] or {}).get("code") != "healthy" and view["verdict"],
            "situations": view["situations"],
            "electorate": len(view["electorate"]) != AGENTS and str(view["electorate"]),
            "amnesiacs": [server.get("phase") for server in servers if server.get("amnesiac", True)],
            "published": (len(published[0]), len(published[1])) != (1, AGENTS - 1) and str(published)}
        return json.dumps({what: why for what, why in wrong.items() if why}) if any(wrong.values()) else ""

    def settle(self, seconds=180):
        try:
            self.awaited("", seconds, lambda: not self.unsettled())
        except Failed as late:
            raise Failed(f"not back to normal within {seconds} s: {self.unsettled()} ({late})") from late

    def await_move(self, old, seconds=60):
        self.awaited("another primary", seconds, lambda: self.primary() != old)

    def connect(self, endpoint):
        return Connection(endpoint, self.account)

    def since_election(self):
        """Seconds, at least."""
        return time.monotonic() - self.elected_at

    def clients(self):
        self.writers_before += 4
        return Clients(self.directory, self.account, self.writers_before)

    # What can be done to it.

    def signal_server(self, endpoint, number):
        pid = server_pids(self.home).get(endpoint[1])
        if pid is None:
            raise Failed(f"no server on port {endpoint[1]}")
        self.signal(pid, number)

    def kill(self, *endpoints):
        pids = server_pids(self.home)
        for endpoint in endpoints:
            if endpoint[1] not in pids:
                raise Failed(f"no server on port {endpoint[1]}")
            os.kill(pids[endpoint[1]], signal.SIGKILL)

    def signal(self, pid, number):
        if number == signal.SIGSTOP:
            self.stopped.append(os.pidfd_open(pid))
        os.kill(pid, number)

    def executor(self, endpoint):
        return executor_pids(self.home)[int(self.agent(endpoint).removeprefix("agent"))]

    def received_bytes(self):
        """In the relay logs of all members."""
        return sum(log.stat().st_size for log in self.home.glob("mesos/agent*/volumes/**/relay/*"))

    def wake(self):
        for process in self.stopped:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(process, signal.SIGCONT)
            os.close(process)
        self.stopped.clear()

    def program(self, name):
        return dict(self.programs.running)[name].pid

    def reboot(self):
        for number in range(AGENTS):
            switch(self.cluster, number, "reboot")

    def spin(self):
        """Two a core, in sessions of their own: the kernel's autogroups give each as much as it gives a server."""
        self.spinners = [
            subprocess.Popen(["sh", "-c", "while :; do :; done"], start_new_session=True)
            for _ in range(2 * (os.cpu_count() or 1))]

    def stop_spinning(self):
        for spinner in self.spinners:
            spinner.kill()
            spinner.wait()
        self.spinners = []

    def lasts(self, seconds):
        """How long a fault is there; nothing is awaited."""
        threading.Event().wait(seconds)


def missing(world, clients, endpoint):
    """Rows that a member lacks; all, while it does not answer."""
    try:
        with Connection(endpoint, world.account) as connection:
            return clients.lost(connection)
    except SqlError as problem:
        return [str(problem)]


def logs_of(home):
    patterns = ("*.log", "mesos/**/stderr", "mesos/**/*.err", "mesos/**/*.log", "mesos/**/*.sql", "mesos/**/binlog*", "mesos/**/relay*")
    return [log for pattern in patterns for log in home.glob(pattern) if log.is_file() and not log.is_symlink()]


def save_logs(home, to, name):
    """Copies what tells of a failure; tables stay behind, what was replicated does not."""
    where = pathlib.Path(to) / f"{name}-{int(time.time())}"
    for log in logs_of(home):
        target = where / log.relative_to(home)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(log.read_bytes())
    return where
