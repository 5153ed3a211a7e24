"""What is done to a cluster under four writers, and how often a primary may be replaced for it.

A scenario is a function of (world, clients, round); its first sentence tells what it does. It returns when the fault is
over; that the cluster then comes back by itself, with every acknowledged row, is what the caller looks at."""

import contextlib
import signal
import threading

import quickstart
from cluster import switch
from quickstart import Failed
from sql import SqlError

SCENARIOS = {}
OUTAGE = 12  # Longer than every timeout after which somebody may act, in seconds.


def scenario(elections, short=False):
    """`elections`: how many there may be, as a pair; more than that are needless failovers."""
    def add(function):
        function.elections, function.short = elections, short
        SCENARIOS[function.__name__] = function
        return function
    return add


@scenario((1, 1), short=True)
def kill_primary(world, _clients, _number):
    """SIGKILL of the primary's server."""
    old = world.primary()
    world.kill(old)
    world.await_move(old)


@scenario((1, 1))
def hang_primary(world, _clients, _number):
    """SIGSTOP of the primary's server, SIGCONT after the failover."""
    old = world.primary()
    world.signal_server(old, signal.SIGSTOP)
    world.await_move(old)
    world.lasts(1)
    world.wake()


@scenario((1, 1))
def freeze_primary(world, _clients, _number):
    """The whole host of the primary stands still, and goes on after the failover."""
    old = world.primary()
    world.signal(world.executor(old), signal.SIGSTOP)
    world.signal_server(old, signal.SIGSTOP)
    world.await_move(old)
    world.lasts(2)
    world.wake()


@scenario((1, 1), short=True)
def isolate_primary(world, _clients, _number):
    """The primary's host is cut off from everything, and comes back after the failover."""
    old = world.primary()
    world.network.cut(world.agent(old))
    world.await_move(old)
    world.lasts(4)
    world.network.heal()


@scenario((1, 1))
def isolate_primary_with_clients(world, _clients, _number):
    """The primary is cut off from all of ours, while clients reach it and go on asking it for commits."""
    old = world.primary()
    world.network.cut(world.agent(old), "scheduler", "zookeeper", *world.other_agents(old))
    world.await_move(old)
    world.lasts(4)
    world.network.heal()


@scenario((0, 0), short=True)
def cut_from_scheduler(world, clients, _number):
    """Only the scheduler loses the primary: nothing may happen."""
    world.network.cut(world.agent(world.primary()), "scheduler")
    writes_go_on(world, clients, OUTAGE)
    world.network.heal()


@scenario((0, 0))
def cut_from_scheduler_and_zookeeper(world, clients, _number):
    """The scheduler and ZooKeeper lose the primary, its replicas and clients do not."""
    world.network.cut(world.agent(world.primary()), "scheduler", "zookeeper")
    writes_go_on(world, clients, OUTAGE)
    world.network.heal()


@scenario((0, 0))
def cut_all_from_scheduler(world, clients, _number):
    """The scheduler loses every member."""
    world.network.cut("scheduler", *(world.agent(e) for e in (world.primary(), *world.replicas())))
    writes_go_on(world, clients, OUTAGE)
    world.network.heal()


@scenario((1, 1))
def cut_replication(world, clients, _number):
    """The primary's replicas lose it, the scheduler and clients do not: commits wait until another leads."""
    world.lasts(max(0, 31 - world.since_election()))  # --failover_block: no second one before that.
    clients.mark()
    old = world.primary()
    world.network.cut(world.agent(old), *world.other_agents(old))
    world.await_move(old)
    world.lasts(2)
    world.network.heal()


@scenario((0, 0))
def cut_replica(world, clients, _number):
    """One replica's host is cut off from everything: the other one acknowledges."""
    world.network.cut(world.agent(world.replicas()[0]))
    writes_go_on(world, clients, OUTAGE)
    world.network.heal()


@scenario((0, 3))
def leave_stale_replica_alone(world, clients, _number):
    """A replica that missed much is the only member in reach for a while: it must not lead."""
    old, stale = world.primary(), world.replicas()[0]
    others = world.other_agents(stale)
    world.network.cut(world.agent(stale))
    writes_go_on(world, clients, 3)
    for agent in others:
        world.network.cut(agent)
    world.network.heal(world.agent(stale))
    world.lasts(OUTAGE)
    if world.primary() != old:
        raise Failed(f"{world.primary()} leads, which lacks what was acknowledged")
    world.network.heal()
    writes_again(world, clients)


@scenario((1, 2))
def kill_in_big_transaction(world, _clients, _number):
    """SIGKILL of the primary's server while a replica receives a transaction of 120 MB."""
    old = world.primary()
    with world.connect(old) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS chaos.big (b LONGBLOB)")
        connection.execute("BEGIN")
        for _ in range(30):
            connection.execute("INSERT INTO chaos.big VALUES (REPEAT('x', 4000000))")
        before = world.received_bytes()
        committing = threading.Thread(target=attempt, args=(connection, "COMMIT"))
        committing.start()
        world.awaited("a part of it", 60, lambda: world.received_bytes() > before + 10_000_000)
        world.kill(old)
        committing.join()
    world.await_move(old)


def attempt(connection, statement):
    with contextlib.suppress(SqlError):
        connection.execute(statement)


@scenario((1, 2))
def kill_scheduler_in_failover(world, _clients, number):
    """SIGKILL of the primary's server, and of the scheduler a moment later: in each round later by 70 ms."""
    old = world.primary()
    world.kill(old)
    world.lasts(number * 0.07 % 0.7)
    world.programs.kill("scheduler")
    world.cluster.start_scheduler()
    world.await_move(old)


@scenario((0, 0))
def restart_scheduler(world, clients, _number):
    """The scheduler is killed, and started again after a while."""
    world.programs.kill("scheduler")
    writes_go_on(world, clients, OUTAGE)
    world.cluster.start_scheduler()


@scenario((0, 0))
def freeze_scheduler(world, clients, _number):
    """SIGSTOP of the scheduler for a while: it wakes up and finds that it has heard of nobody."""
    world.signal(world.program("scheduler"), signal.SIGSTOP)
    writes_go_on(world, clients, OUTAGE)
    world.wake()


@scenario((0, 0))
def stop_zookeeper(world, clients, _number):
    """ZooKeeper is away for 10 s."""
    world.programs.kill("zookeeper")
    writes_go_on(world, clients, 10)
    world.cluster.start_zookeeper()


@scenario((0, 0))
def freeze_zookeeper(world, clients, _number):
    """SIGSTOP of ZooKeeper for 10 s: sessions neither live nor end."""
    world.signal(world.program("zookeeper"), signal.SIGSTOP)
    writes_go_on(world, clients, 10)
    world.wake()


@scenario((1, 3))
def kill_primary_and_replica(world, clients, number):
    """SIGKILL of the primary's server and of a replica's, the latter in each round later by 50 ms."""
    replica = world.replicas()[number % 2]
    world.kill(world.primary())
    world.lasts(number * 0.05 % 0.6)
    world.kill(replica)
    writes_again(world, clients)


@scenario((0, 3))
def kill_all(world, clients, _number):
    """SIGKILL of all servers at once."""
    world.kill(world.primary(), *world.replicas())
    writes_again(world, clients)


@scenario((0, 3))
def reboot_all(world, clients, _number):
    """All agents reboot at once: servers and executors are gone, the volumes stay."""
    world.reboot()
    writes_again(world, clients)


@scenario((1, 1))
def kill_executor(world, _clients, _number):
    """SIGKILL of the primary's executor; Mesos ends what it had started."""
    old = world.primary()
    world.signal(world.executor(old), signal.SIGKILL)
    world.await_move(old)


@scenario((0, 0))
def freeze_executor(world, clients, _number):
    """SIGSTOP of the primary's executor: its server serves on."""
    world.signal(world.executor(world.primary()), signal.SIGSTOP)
    writes_go_on(world, clients, OUTAGE)
    world.wake()


@scenario((0, 0))
def kill_replica(world, clients, number):
    """SIGKILL of a replica's server while it applies."""
    world.kill(world.replicas()[number % 2])
    writes_go_on(world, clients, 3)


@scenario((1, 3))
def forget_then_kill_primary(world, clients, number):
    """A replica that has received much and applied nothing is killed, and then the primary."""
    replica = world.replicas()[number % 2]
    with world.connect(replica) as blocker:
        blocker.execute("LOCK TABLES chaos.w READ")  # The applier waits; the receiver acknowledges.
        before = clients.count()
        world.awaited("rows to fall behind with", 60, lambda: clients.count() > before + 200)
        world.kill(replica)
    world.kill(world.primary())
    writes_again(world, clients)


@contextlib.contextmanager
def appliers_held(world, clients):
    """No replica can apply what it receives, and has received more than it has applied."""
    with contextlib.ExitStack() as stack:
        blockers = [stack.enter_context(world.connect(replica)) for replica in world.replicas()]
        for blocker in blockers:
            blocker.execute("LOCK TABLES chaos.w READ")
        before = clients.count()
        world.awaited("rows to fall behind with", 60, lambda: clients.count() > before + 200)
        yield


@scenario((1, 1))
def lag_then_kill_primary(world, clients, _number):
    """The primary is killed while no replica can apply what it received; they can 2 s later."""
    with appliers_held(world, clients):
        world.kill(world.primary())
        world.lasts(2)
    writes_again(world, clients)


@scenario((1, 2))
def lag_then_kill_primary_and_scheduler(world, clients, _number):
    """The same, and the scheduler is killed while the candidate waits for its applier."""
    with appliers_held(world, clients):
        epoch = world.epoch()
        world.kill(world.primary())
        world.awaited("an election", 60, lambda: world.epoch() > epoch)
        world.lasts(1)
        world.programs.kill("scheduler")
        world.cluster.start_scheduler()
        world.awaited("another election", 60, lambda: world.epoch() > epoch + 1)
        world.lasts(2)
    writes_again(world, clients)


@scenario((0, 0))
def load_machine(world, clients, _number):
    """All cores are busy with others' work for 20 s."""
    world.spin()
    writes_go_on(world, clients, 20)
    world.stop_spinning()


@scenario((3, 3))
def flap(world, clients, _number):
    """SIGKILL of the primary's server, three times, each as soon as the new one takes writes."""
    for _ in range(3):
        epoch = world.epoch()
        world.kill(world.primary())
        world.awaited("an election", 60, lambda before=epoch: world.epoch() > before)
        writes_again(world, clients)  # Perhaps on the same server: the others may not have caught up yet.
        # With two members down a quorum is missing, which is another scenario.
        world.awaited("two replicas", 120, lambda: len(world.replicas()) == 2)


@scenario((0, 0))
def restart_agent(world, clients, _number):
    """The primary's Mesos agent is killed, and started again after a while: executors outlive it."""
    agent = world.agent(world.primary()).removeprefix("agent")
    switch(world.cluster, agent, "kill")
    writes_go_on(world, clients, OUTAGE)
    switch(world.cluster, agent, "start")


@scenario((0, 0))
def restart_master(world, clients, _number):
    """The Mesos master is away for a while, and has forgotten everything but its registry."""
    status, text = quickstart.request(
        "POST", f"http://{world.places.mesos}:{world.cluster.mesos}/standin/master/restart",
        body={"down_ms": 1000 * OUTAGE, "no_leader_ms": 0, "recovering_ms": 0})
    if status != 200:
        raise Failed(f"the stand-in answered {status}: {text}")
    writes_go_on(world, clients, OUTAGE)
    world.awaited("the framework's return", 60, lambda: quickstart.request(
        "GET", world.cluster.base + "/readyz")[0] == 200)


def writes_go_on(world, clients, seconds):
    """For as long as the fault lasts, and after that: a last acknowledgement from then on."""
    world.lasts(seconds)
    writes_again(world, clients)


def writes_again(world, clients):
    since = clients.now()
    world.awaited("an acknowledged write", 180, lambda: clients.last() > since)
