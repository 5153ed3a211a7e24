"""A cluster whose commits wait for nobody: what is cut off must not take writes beside its successor.

async.py FLAVOR    mariadb | mysql
Exit: 0 passed, 1 failed, 77 namespaces or the flavor cannot be had here.
MYSOS_PROGRAMS names the build folder.
"""

import contextlib
import pathlib
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "examples" / "quickstart"), str(ROOT / "test" / "support")]
import quickstart  # noqa: E402
from cluster import tell_what_happened  # noqa: E402
from network import Unavailable  # noqa: E402
from quickstart import Failed, say  # noqa: E402
from sql import Connection, SqlError  # noqa: E402
from world import Hosts, Supervised, World  # noqa: E402

OUTAGE = 15  # Longer than whatever ends a primary that is cut off.


class Pinned:
    """A client that writes to one server, whoever leads, and notes when each write was acknowledged."""

    def __init__(self, world, endpoint):
        self.world, self.endpoint, self.acknowledged = world, endpoint, []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.write, daemon=True)
        self.thread.start()

    def write(self):
        while not self.ended.is_set():
            with contextlib.suppress(SqlError):
                with Connection(self.endpoint, self.world.account, 2) as connection:
                    while not self.ended.is_set():
                        connection.execute("INSERT INTO chaos.pin VALUES ()")
                        self.acknowledged.append(time.monotonic())
            self.ended.wait(0.02)

    def end(self):
        self.ended.set()
        self.thread.join()


@contextlib.contextmanager
def pinned(world, endpoints):
    clients = {endpoint: Pinned(world, endpoint) for endpoint in endpoints}
    try:
        yield clients
    finally:
        for client in clients.values():
            client.end()


def serve_without_replicas(world):
    """The primary's replicas lose it, the scheduler and clients do not: commits go on, and nobody is replaced."""
    primary, epoch = world.primary(), world.epoch()
    with pinned(world, [primary]) as clients:
        world.awaited("the first writes", 60, lambda: len(clients[primary].acknowledged) > 20)
        world.network.cut(world.agent(primary), *world.other_agents(primary))
        world.lasts(2)
        before = len(clients[primary].acknowledged)
        world.lasts(OUTAGE)
        count = len(clients[primary].acknowledged) - before
        world.network.heal()
    if count < 20:
        raise Failed(f"only {count} commits in {OUTAGE} s: they wait for replicas")
    world.settle()
    if world.epoch() != epoch:
        raise Failed("a primary that served was replaced")
    say(f"without replicas {count} commits in {OUTAGE} s, and no failover")


def isolate(world):
    """All of ours lose the primary, clients do not: it ends itself before another one takes writes."""
    old = world.primary()
    everybody = [old, *world.replicas()]
    with pinned(world, everybody) as clients:
        world.awaited("the first writes", 60, lambda: len(clients[old].acknowledged) > 20)
        world.network.cut(world.agent(old), "scheduler", "zookeeper", *world.other_agents(old))
        cut_at = time.monotonic()
        world.await_move(old)
        new = world.primary()
        world.awaited("writes on the new primary", 60, lambda: clients[new].acknowledged)
        world.lasts(3)
    last, first = clients[old].acknowledged[-1], clients[new].acknowledged[0]
    if last >= first:
        raise Failed(f"the old primary took writes for {last - first:.3f} s beside the new one")
    if last < cut_at:
        raise Failed("clients lost the old primary with the network: nothing was seen")
    world.network.heal()
    world.settle(240)
    say(f"cut off, the old primary took writes for {last - cut_at:.1f} s, "
        f"the new one began {first - last:.1f} s later; the old one came back")


def crash(world):
    """SIGKILL of the primary's server: nothing is waited for."""
    old = world.primary()
    with pinned(world, [old, *world.replicas()]) as clients:
        world.awaited("the first writes", 60, lambda: len(clients[old].acknowledged) > 20)
        world.kill(old)
        world.await_move(old)
        new = world.primary()
        world.awaited("writes on the new primary", 60, lambda: clients[new].acknowledged)
    gap = clients[new].acknowledged[0] - clients[old].acknowledged[-1]
    world.settle(240)
    say(f"killed the primary: {gap:.1f} s without writes; the old one came back")


def main():
    flavor = sys.argv[1]
    quickstart.interrupt_on_signals()
    try:
        quickstart.installer(flavor)
    except Failed as why:
        print(f"skipped: {why}")
        return 77
    status, world, hosts = 1, None, None
    with tempfile.TemporaryDirectory(prefix="mysos-async-", dir="/var/tmp") as top:
        home = pathlib.Path(top)
        home.chmod(0o755)
        programs = Supervised(home)
        try:
            hosts = Hosts()
            world = World(home, programs, flavor, hosts, durability="async")
            with world.connect(world.primary()) as connection:
                connection.execute("CREATE TABLE chaos.pin (id INT AUTO_INCREMENT PRIMARY KEY)")
            for step in (serve_without_replicas, isolate, crash):
                step(world)
            status = 0
        except Unavailable as why:
            print(f"skipped: {why}")
            status = 77
        except quickstart.Interrupted:
            print("interrupted", file=sys.stderr)
        except (Failed, SqlError) as problem:
            tell_what_happened(home, world.cluster if world else None)
            print(f"async: {problem}", file=sys.stderr)
        finally:
            if world is not None:
                world.end()
            programs.end()
            if hosts is not None:
                hosts.network.end()
    return status


if __name__ == "__main__":
    sys.exit(main())
