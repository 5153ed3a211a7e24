"""Steps that a program puts a cluster through, with clients that write meanwhile."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

import quickstart
from cluster import Cluster, tell_what_happened
from quickstart import Failed, await_true, sql


class Writers:
    """Clients that write while something is killed, so that it dies with commits under way."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.acknowledged, self.ended = set(), threading.Event()
        self.options = cluster.home / "writers.cnf"
        self.threads = [threading.Thread(target=self.write, daemon=True) for _ in range(4)]

    def __enter__(self):
        quickstart.write_client_file(self.options, self.cluster.primary, self.cluster.password)
        for thread in self.threads:
            thread.start()
        await_true("the first writes", 60, lambda: len(self.acknowledged) > 20)
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def write(self):
        while not self.ended.is_set():
            row = next(self.cluster.drawn)
            try:
                sql(self.options, f"INSERT INTO e2e.w VALUES ({row})")
                self.acknowledged.add(row)
            except (Failed, subprocess.TimeoutExpired):
                self.ended.wait(0.1)

    def check(self):
        seen = set(map(int, sql(self.cluster.options, "SELECT id FROM e2e.w").split()))
        if not self.acknowledged <= seen:
            raise Failed(f"acknowledged rows are lost: {sorted(self.acknowledged - seen)}")


def framework_ids(cluster):
    _, text = quickstart.request("GET", f"http://{cluster.places.mesos}:{cluster.mesos}/standin/state")
    return sorted(json.loads(text)["frameworks"])


def healthy(cluster):
    status, text = quickstart.request("GET", f"{cluster.base}/v1/clusters/{quickstart.CLUSTER}")
    return status == 200 and json.loads(text).get("state") == "running"


def run_steps(steps, agents, **options):
    """What a program of steps does with its arguments FLAVOR [STEP...]. Returns its exit code.
    `options`: of the cluster."""
    flavor, *names = sys.argv[1:]
    unknown = set(names) - {step.__name__ for step in steps}
    if unknown:
        print(f"no such step: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    os.environ["MYSOS_ELECTION_TIMEOUT"] = "5s"
    chosen = [step for step in steps if not names or step.__name__ in names]
    with tempfile.TemporaryDirectory(prefix="mysos-e2e-", dir="/var/tmp") as top:
        home = pathlib.Path(top)
        home.chmod(0o755)
        quickstart.interrupt_on_signals()
        programs = quickstart.Programs(home)
        status, cluster = 1, None
        try:
            if flavor == "mysql":
                try:
                    quickstart.installer(flavor)
                except Failed as problem:
                    print(f"skipped: {problem}")
                    return 77
            cluster = Cluster(home, programs, flavor, agents, **options)
            sql(cluster.options, "CREATE DATABASE e2e; CREATE TABLE e2e.t (id INT PRIMARY KEY); "
                                 "CREATE TABLE e2e.w (id INT PRIMARY KEY)")
            cluster.write()
            for step in chosen:
                step(cluster)
            status = 0
        except quickstart.Interrupted:
            print("interrupted", file=sys.stderr)
        except (Failed, subprocess.TimeoutExpired) as problem:
            tell_what_happened(home, cluster)
            print(f"e2e: {problem}", file=sys.stderr)  # Last: of a long log the end is what is shown.
        finally:
            programs.end()
        return status
