"""Does terrible things to a cluster of three real servers under four writers and a reader, and counts what was lost.

chaos.py [--rounds N] [--flavor mariadb|mysql|both] [--scenario NAME]... [--short] [--keep DIR] [--list]
Exit: 0 nothing lost and no needless failover, 1 otherwise, 77 namespaces or the flavor cannot be had here.
MYSOS_PROGRAMS names the build folder.
"""

import argparse
import contextlib
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "examples" / "quickstart"), str(ROOT / "test" / "support")]
import quickstart  # noqa: E402
from network import Unavailable  # noqa: E402
from quickstart import Failed, say  # noqa: E402
from scenarios import SCENARIOS  # noqa: E402
from sql import SqlError  # noqa: E402
from world import Hosts, Supervised, World, missing, save_logs  # noqa: E402


class Outcome:
    """Of one round."""

    def __init__(self):
        self.gap, self.acknowledged, self.elections, self.moves = 0.0, 0, 0, 0
        self.lost, self.needless, self.problem = 0, 0, ""

    def ok(self):
        return not (self.lost or self.needless or self.problem)


def play(world, scenario, number):
    outcome = Outcome()
    world.settle()
    epoch, moves = world.epoch(), len(world.directory.changes)
    with world.clients() as clients:
        world.awaited("the first writes", 60, lambda: all(len(w.acknowledged) > 20 for w in clients.writers))
        clients.mark()
        try:
            scenario(world, clients, number)
            healed = clients.now()
            world.awaited("a write afterwards", 180, lambda: clients.last() > healed)
            world.settle()
            settled = clients.now()
            world.awaited("a write in the end", 60, lambda: clients.last() > settled)
        except Failed as problem:
            outcome.problem = str(problem)
        finally:
            world.undo()
    outcome.gap, outcome.acknowledged = clients.gap(), clients.count()
    outcome.elections = world.epoch() - epoch
    outcome.moves = len(world.directory.changes) - moves
    if outcome.elections:
        world.elected_at = time.monotonic()
    outcome.needless = max(0, outcome.elections - scenario.elections[1])
    lost = missing(world, clients, world.primary())
    outcome.lost = len(lost)
    if clients.vanished:
        say(f"  read on a server that was not published as the primary, and gone: {clients.vanished[:8]}")
    if lost:
        outcome.problem += f"; not on the primary: {lost[:10]}"
    elif outcome.elections < scenario.elections[0]:
        outcome.problem += "; the fault changed nothing"
    elif not outcome.problem:
        for replica in world.replicas():
            world.awaited(f"every row on {replica[0]}", 60, lambda at=replica: not missing(world, clients, at))
    return outcome


def told(outcome):
    text = (f"write gap {outcome.gap * 1000:.0f} ms, {outcome.acknowledged} acknowledged, {outcome.lost} lost, "
            f"{outcome.elections} elections, primary moved {outcome.moves} times")
    return text + (f", FAILED: {outcome.problem or 'a needless failover'}" if not outcome.ok() else "")


def rows_of(results):
    """Of the table: one a scenario."""
    yield (f"{'scenario':34} {'rounds':>6} {'gap min':>8} {'median':>7} {'max':>7} {'acked':>7} {'lost':>5} "
           f"{'failovers':>9} {'needless':>8}  ok")
    for (flavor, name), outcomes in results.items():
        gaps = [outcome.gap * 1000 for outcome in outcomes]
        yield (f"{flavor + ' ' + name:34} {len(outcomes):6} {min(gaps):8.0f} {statistics.median(gaps):7.0f} "
               f"{max(gaps):7.0f} {sum(o.acknowledged for o in outcomes):7} {sum(o.lost for o in outcomes):5} "
               f"{sum(o.elections for o in outcomes):9} {sum(o.needless for o in outcomes):8}  "
               f"{'yes' if all(o.ok() for o in outcomes) else 'NO'}")


class Runs:
    """One world after another: one that is broken is left for a new one."""

    def __init__(self, flavor, keep):
        self.flavor, self.keep, self.world, self.home, self.hosts = flavor, keep, None, None, None

    def play(self, scenario, number):
        outcome = Outcome()
        try:
            if self.world is None:
                self.begin()
            outcome = play(self.world, scenario, number)
        except (Failed, SqlError, subprocess.TimeoutExpired) as problem:
            outcome.problem = f"{type(problem).__name__}: {problem}"
            traceback.print_exc()
        if not outcome.ok():
            if self.keep:
                say(f"logs are in {save_logs(self.place, self.keep, f'{scenario.__name__}-{self.flavor}')}")
            self.end()
        return outcome

    def begin(self):
        self.hosts = Hosts()
        self.home = tempfile.TemporaryDirectory(prefix="mysos-chaos-", dir="/var/tmp")
        self.place = pathlib.Path(self.home.name)
        self.place.chmod(0o755)
        self.programs = Supervised(self.place)
        self.world = World(self.place, self.programs, self.flavor, self.hosts)

    def end(self):
        """Also what a world that did not come into being has left."""
        with contextlib.ExitStack() as last:
            if self.hosts is not None:
                last.callback(self.hosts.network.end)
            if self.home is not None:
                last.callback(self.home.cleanup)
                last.callback(self.programs.end)
            if self.world is not None:
                last.callback(self.world.end)
            self.world = self.home = self.hosts = None


def run(flavor, chosen, rounds, keep, results):
    runs = Runs(flavor, keep)
    try:
        for scenario in chosen:
            for number in range(rounds):
                say(f"{flavor} {scenario.__name__} {number + 1} of {rounds}: {scenario.__doc__.splitlines()[0]}")
                outcome = runs.play(scenario, number)
                results.setdefault((flavor, scenario.__name__), []).append(outcome)
                say("  " + told(outcome))
    finally:
        runs.end()


def parse():
    parser = argparse.ArgumentParser(prog="test/run chaos")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--flavor", choices=["mariadb", "mysql", "both"], default="mariadb")
    parser.add_argument("--scenario", action="append", choices=list(SCENARIOS), metavar="NAME", help="see --list")
    parser.add_argument("--short", action="store_true", help="those few that ctest runs")
    parser.add_argument("--keep", help="where the logs of a failed round go")
    parser.add_argument("--list", action="store_true", help="name the scenarios")
    return parser.parse_args()


def main():
    options = parse()
    if options.list:
        for name, scenario in SCENARIOS.items():
            print(f"{name:34} {scenario.__doc__.splitlines()[0]}")
        return 0
    chosen = [scenario for name, scenario in SCENARIOS.items()
              if name in (options.scenario or [name]) and (scenario.short or not options.short)]
    results = {}
    began = time.monotonic()
    quickstart.interrupt_on_signals()
    try:
        for flavor in ["mariadb", "mysql"] if options.flavor == "both" else [options.flavor]:
            try:
                quickstart.installer(flavor)
            except Failed as why:
                raise Unavailable(why) from why
            run(flavor, chosen, options.rounds, options.keep, results)
    except Unavailable as why:
        print(f"skipped: {why}")
        return 77
    except quickstart.Interrupted:
        print("interrupted", file=sys.stderr)
    print(f"\nafter {time.monotonic() - began:.0f} s; gaps in ms", *rows_of(results), sep="\n", flush=True)
    played = [outcome for outcomes in results.values() for outcome in outcomes]
    return 0 if played and all(outcome.ok() for outcome in played) else 1


if __name__ == "__main__":
    sys.exit(main())
