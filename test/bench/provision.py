"""Time from POST to primary published and to all replicas following, beside the same three servers set up by a
bare script in the same run, turn about. Prints both, and the ratio of the medians."""

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples" / "quickstart"))
import quickstart  # noqa: E402  (the same programs, started the same way)
from kazoo.client import KazooClient  # noqa: E402


def bare(home):
    """Seconds until the primary took a write, and until both replicas had it."""
    ports = [str(quickstart.free_port()) for _ in range(3)]
    done = subprocess.run([ROOT / "test" / "bench" / "bare_servers", home, *ports],
                          capture_output=True, text=True, timeout=300, check=False, start_new_session=True)
    if done.returncode != 0:
        raise quickstart.Failed(f"the bare script failed: {done.stderr}")
    times = dict(line.split() for line in done.stdout.splitlines())
    return float(times["primary"]), float(times["following"])


def ours(programs, base, zk):
    posted = time.monotonic()
    form = {"cluster_user": "bench", "num_nodes": 3,
            "size": '{"cpus": 1.0, "mem": "1gb", "disk": "2gb"}'}
    status, text = quickstart.request("POST", f"{base}/clusters/{quickstart.CLUSTER}", form)
    if status != 200:
        raise quickstart.Failed(f"the scheduler answered {status}: {text}")
    password = quickstart.json.loads(text)["cluster_password"]

    def published(kind, count):
        return len(quickstart.endpoints(zk, kind)) == count

    quickstart.await_true("the primary", 300, lambda: published("master", 1), programs.check)
    primary = time.monotonic() - posted
    quickstart.await_true("the replicas", 300, lambda: published("slaves", 2), programs.check)
    following = time.monotonic() - posted
    quickstart.delete_cluster(programs, base, zk, password)
    return primary, following


def measure(rounds, home, programs):
    port = quickstart.start_zookeeper(programs, home)
    mesos = quickstart.start_mesos(programs, home)
    base = quickstart.start_scheduler(programs, home, port, mesos, "mariadb")
    zk = KazooClient(hosts=f"127.0.0.1:{port}")
    zk.start(timeout=30)
    rows = []
    for number in range(rounds):
        script = bare(home / f"bare-{number}")
        mysos = ours(programs, base, zk)
        rows.append((script, mysos))
        print(f"round {number + 1}: bare primary {script[0]:.2f} s following {script[1]:.2f} s | "
              f"mysos primary {mysos[0]:.2f} s following {mysos[1]:.2f} s", flush=True)
    zk.stop()
    zk.close()
    for index, what in enumerate(("to primary", "to all following")):
        script = statistics.median(row[0][index] for row in rows)
        mysos = statistics.median(row[1][index] for row in rows)
        print(f"{what:18} bare {script:.2f} s  mysos {mysos:.2f} s  ratio {mysos / script:.2f}")


def main():
    parser = argparse.ArgumentParser(prog="test/run bench provision")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mysos-bench-", dir="/var/tmp") as top:
        home = pathlib.Path(top)
        home.chmod(0o755)
        quickstart.interrupt_on_signals()
        programs = quickstart.Programs(home)
        try:
            measure(options.rounds, home, programs)
            return 0
        except quickstart.Interrupted:
            return 1
        except quickstart.Failed as problem:
            print(f"bench provision: {problem}", file=sys.stderr)
            return 1
        finally:
            programs.end()


if __name__ == "__main__":
    sys.exit(main())
