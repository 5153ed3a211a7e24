"""What examples/quickstart/run does once everything is installed and built. See there for the options."""

import argparse
import contextlib
import ctypes
import fcntl
import json
import logging
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from kazoo.client import KazooClient
from kazoo.exceptions import NoNodeError

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(os.environ.get("MYSOS_PROGRAMS", ROOT / "build" / "release"))
CLUSTER = "demo"
USER = "demo"
PR_SET_CHILD_SUBREAPER = 36
STARTED = time.monotonic()
logging.getLogger("kazoo").setLevel(logging.CRITICAL)  # It retries; what matters is said here.


class Failed(Exception):
    """Something that the user has to know, in one line."""


class Interrupted(Exception):
    pass


class Places:
    """Where the programs run: addresses, and the words before their commands. All here; tests have others."""
    zookeeper = mesos = scheduler = "127.0.0.1"
    agents = ()  # Options of the stand-in.

    @staticmethod
    def words(_program):
        return ()


HERE = Places()


def say(text):
    print(f"[{time.monotonic() - STARTED:6.1f} s] {text}", flush=True)


def free_port(preferred=0):
    for port in (preferred, 0):
        with contextlib.closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return probe.getsockname()[1]
    raise Failed("no free port on 127.0.0.1")


def is_free(port):
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            probe.bind(("", port))
            return True
    return False


def claim_ports():
    """300 ports for the servers, below those that the kernel hands out: the first, and the socket that keeps
    others who ask here from getting the same ones."""
    for first in (*range(31000, 32400, 400), *range(20000, 31000, 400)):
        claim = socket.socket()
        with contextlib.suppress(OSError):
            claim.bind(("127.0.0.1", first - 1))
            if all(is_free(port) for port in range(first, first + 300)):
                return first, claim
        claim.close()
    raise Failed("no 300 free ports in a row on this machine, between 20000 and 32500")


def await_true(what, seconds, condition, alive=lambda: None):
    """Polls: the other side is a program that only answers when asked."""
    deadline = time.monotonic() + seconds
    while True:
        alive()
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Failed(f"{what} took longer than {seconds} s")
        time.sleep(0.05)


class Programs:
    """Everything started here, ended in reverse order; orphans of theirs come to us and end too."""

    def __init__(self, logs):
        self.logs = logs
        self.running = []
        self.claims = []  # Sockets that keep ports ours for as long as we run.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def start(self, name, *command):
        log = open(self.logs / f"{name}.log", "ab")
        process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True)
        log.close()
        self.running.append((name, process))
        return process

    def kill(self, name):
        """SIGKILL, as a fault; the rest goes on."""
        process = dict(self.running)[name]
        process.kill()
        process.wait()
        self.running = [(other, running) for other, running in self.running if other != name]

    def check(self):
        for name, process in self.running:
            if process.poll() is not None:
                tail = (self.logs / f"{name}.log").read_text(errors="replace").splitlines()[-5:]
                raise Failed("\n  ".join([f"{name} ended by itself with {process.returncode}:", *tail]))

    def end(self):
        for _, process in reversed(self.running):
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running.clear()
        while orphans := self.children():
            for pid in orphans:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for pid in orphans:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)

    @staticmethod
    def children():
        tasks = pathlib.Path("/proc/self/task")
        return [int(pid) for task in tasks.iterdir() for pid in (task / "children").read_text().split()]


def start_zookeeper(programs, home, port=None, places=HERE):
    port = port or free_port()
    data = home / "zookeeper"
    data.mkdir(exist_ok=True)
    (data / "zoo.cfg").write_text(
        f"tickTime=500\ndataDir={data}\nclientPort={port}\n"
        f"clientPortAddress={places.zookeeper}\n"
        "admin.enableServer=false\n4lw.commands.whitelist=srvr\nminSessionTimeout=1000\n")
    programs.start(
        "zookeeper", *places.words("zookeeper"),
        "java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
        "-Dzookeeper.jmx.log4j.disable=true",
        "-cp", "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar",
        "org.apache.zookeeper.server.quorum.QuorumPeerMain", data / "zoo.cfg")

    def serves():
        try:
            with contextlib.closing(socket.create_connection((places.zookeeper, port), 1)) as asked:
                asked.sendall(b"srvr")
                return b"Mode:" in asked.makefile("rb").read()
        except OSError:
            return False

    await_true("starting ZooKeeper", 60, serves, programs.check)
    return port


def start_mesos(programs, home, agents=3, places=HERE):
    ready = home / "mesos.port"
    first, claim = claim_ports()
    programs.claims.append(claim)
    programs.start(
        "mesos", PROGRAMS / "test" / "standin" / "mesos-standin", "--port", 0, "--port_file", ready,
        "--ip", places.mesos, "--hostname", places.mesos,
        "--agents", agents, *places.agents, "--work_dir", home / "mesos",
        "--resources", "cpus:4;mem:4096;disk:20000;"
        f"ports:[{first}-{first + 299}]")
    text = await_true("starting the stand-in for Mesos", 30,
                      lambda: ready.exists() and ready.read_text().strip(), programs.check)
    return json.loads(text)["master"]


def request(method, url, form=None, seconds=30, body=None):
    data = urllib.parse.urlencode(form).encode() if form else None
    if body is not None:
        data = json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, method=method),
                                    timeout=seconds) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()
    except OSError as problem:
        return 0, str(problem)


def installer(flavor):
    if flavor == "mariadb":
        return {"installer": "host", "flavor": "mariadb"}
    say("making a relocatable MySQL package out of Debian's archive, unless it is there")
    made = subprocess.run([ROOT / "examples" / "packages" / "fetch-server", "mysql"], check=False)
    if made.returncode != 0:
        raise Failed("no MySQL package can be made here (above says why); try --flavor mariadb")
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    tarball = cache / "mysos" / "packages" / "mysql.tar.gz"
    return {"installer": "tarball", "flavor": "mysql", "uri": str(tarball),
            "sha256": tarball.with_name(tarball.name + ".sha256").read_text().split()[0]}


def launch_scheduler(programs, home, zookeeper, mesos, flavor, port, places=HERE, name="scheduler"):
    """Starts one, which stands by while another leads. Returns its address."""
    programs.start(
        name, *places.words("scheduler"), PROGRAMS / "scheduler" / "mysos-scheduler",
        "--port", port, "--advertise_host", places.scheduler,
        "--mesos_master", f"{places.mesos}:{mesos}",
        "--zk_url", f"zk://{places.zookeeper}:{zookeeper}/mysos",
        "--executor_uri", PROGRAMS / "executor" / "mysos-executor", "--work_dir", home / "scheduler",
        "--installer_args", json.dumps(installer(flavor)))
    return f"http://{places.scheduler}:{port}"


def start_scheduler(programs, home, zookeeper, mesos, flavor, port=None, places=HERE):
    port = port or free_port(55001)
    base = launch_scheduler(programs, home, zookeeper, mesos, flavor, port, places)
    await_true("starting the scheduler", 60,
               lambda: request("GET", base + "/readyz")[0] == 200, programs.check)
    return base


class Progress:
    """Prints what changed since it was last asked; a wait that only grows shorter is no change."""

    def __init__(self, base):
        self.url = f"{base}/v1/clusters/{CLUSTER}"
        self.seen = {}

    def tell(self):
        status, text = request("GET", self.url, seconds=5)
        if status != 200:
            return
        for member in json.loads(text).get("members", []):
            line = member.get("message") or member.get("phase", "?")
            steady = re.sub(r"\bin \d+ s\b", "", line)
            if self.seen.get(member["server_id"]) != steady:
                self.seen[member["server_id"]] = steady
                say(f"  member {member['server_id']}  {line}")


def endpoints(zk, kind):
    """What is published now. A member may go between the list and the look at it."""
    path = f"/mysos/discover/{CLUSTER}/{kind}"
    found = []
    with contextlib.suppress(NoNodeError):
        for child in sorted(zk.get_children(path)):
            with contextlib.suppress(NoNodeError):
                member = json.loads(zk.get(f"{path}/{child}")[0])
                found.append((member["serviceEndpoint"]["host"], member["serviceEndpoint"]["port"]))
    return found


def write_client_file(path, endpoint, password):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(f"[client]\nhost={endpoint[0]}\nport={endpoint[1]}\nuser={USER}\npassword={password}\n"
                  "protocol=tcp\n")


def sql(options, statement):
    done = subprocess.run(
        ["mariadb", f"--defaults-file={options}", "-N", "-B", "-e", statement],
        capture_output=True, text=True, timeout=30, check=False)
    if done.returncode != 0:
        raise Failed(f"{statement}: {done.stderr.strip()}")
    return done.stdout.strip()


def try_replication(home, primary, replicas, password):
    primary_file = home / f"{CLUSTER}.cnf"
    write_client_file(primary_file, primary, password)
    token = f"written at {time.time():.3f}"
    sql(primary_file, "CREATE DATABASE IF NOT EXISTS quickstart; "
                      "CREATE TABLE IF NOT EXISTS quickstart.notes "
                      "(id INT AUTO_INCREMENT PRIMARY KEY, note VARCHAR(64)); "
                      f"INSERT INTO quickstart.notes (note) VALUES ('{token}')")
    say(f"wrote a row on the primary {primary[0]}:{primary[1]}")
    for number, replica in enumerate(replicas, 1):
        replica_file = home / f"{CLUSTER}-replica-{number}.cnf"
        write_client_file(replica_file, replica, password)

        def arrived(options=replica_file):
            with contextlib.suppress(Failed):
                return token in sql(options, "SELECT note FROM quickstart.notes")
            return False

        await_true(f"the row's way to {replica[0]}:{replica[1]}", 30, arrived)
        say(f"read it on the replica {replica[0]}:{replica[1]}")
    return primary_file


def create_cluster(programs, base, zk, nodes, **options):
    say(f"POST {base}/clusters/{CLUSTER}  (cluster_user={USER} num_nodes={nodes})")
    posted = time.monotonic()
    form = {"cluster_user": USER, "num_nodes": nodes,
            "size": json.dumps({"cpus": 1.0, "mem": "1gb", "disk": "2gb"}), **options}
    status, text = request("POST", f"{base}/clusters/{CLUSTER}", form)
    if status != 200:
        raise Failed(f"the scheduler answered {status}: {text}")
    reply = json.loads(text)
    progress = Progress(base)

    def published(kind, count):
        progress.tell()
        found = endpoints(zk, kind)
        return found if len(found) == count else None

    primary = await_true("the primary", 300, lambda: published("master", 1), programs.check)[0]
    say(f"primary published in ZooKeeper: {primary[0]}:{primary[1]}  "
        f"({time.monotonic() - posted:.1f} s after the POST)")
    replicas = await_true("the replicas", 300,
                          lambda: published("slaves", nodes - 1) if nodes > 1 else [()],
                          programs.check) if nodes > 1 else []
    if replicas:
        say(f"{len(replicas)} replicas follow  ({time.monotonic() - posted:.1f} s after the POST)")
    return reply, primary, replicas


def delete_cluster(programs, base, zk, password):
    say(f"DELETE {base}/clusters/{CLUSTER}")
    status, text = request("DELETE", f"{base}/clusters/{CLUSTER}", {"password": password})
    if status != 200:
        raise Failed(f"the scheduler answered {status}: {text}")
    await_true("the deletion", 120, lambda: not zk.exists(f"/mysos/discover/{CLUSTER}"), programs.check)
    say("the cluster's znode is gone: the deletion is complete")


def run(options, home, programs):
    port = start_zookeeper(programs, home)
    say(f"ZooKeeper serves on 127.0.0.1:{port}")
    mesos = start_mesos(programs, home)
    say(f"Mesos (the stand-in, three agents) serves on 127.0.0.1:{mesos}")
    base = start_scheduler(programs, home, port, mesos, options.flavor)
    say(f"mysos-scheduler is registered, REST API on {base}")

    zk = KazooClient(hosts=f"127.0.0.1:{port}")
    zk.start(timeout=30)
    try:
        reply, primary, replicas = create_cluster(programs, base, zk, options.nodes)
        client_file = try_replication(home, primary, replicas, reply["cluster_password"])
        if options.check:
            delete_cluster(programs, base, zk, reply["cluster_password"])
            say("quickstart check passed")
            return
        print(f"\n  SQL         mariadb --defaults-file={client_file}\n"
              f"  dashboard   {base}/\n"
              f"  ZooKeeper   {reply['cluster_url']}\n"
              f"  state, logs {home}\n\nCtrl-C ends everything.", flush=True)
        while True:
            programs.check()
            time.sleep(1)
    finally:
        zk.stop()
        zk.close()


def default_home():
    if os.geteuid() == 0:  # The servers run as nobody and must be able to walk there.
        return pathlib.Path("/var/lib/mysos/quickstart")
    state = os.environ.get("XDG_STATE_HOME") or pathlib.Path.home() / ".local" / "state"
    return pathlib.Path(state) / "mysos" / "quickstart"


def parse():
    parser = argparse.ArgumentParser(prog="examples/quickstart/run")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--flavor", choices=["mariadb", "mysql"], default="mariadb")
    parser.add_argument("--nodes", type=int, choices=[1, 2, 3], default=3)
    parser.add_argument("--dir", type=pathlib.Path, default=default_home())
    return parser.parse_args()


def interrupt(*_):
    raise Interrupted


def interrupt_on_signals():
    """SIGINT and SIGTERM become Interrupted, so that whoever started programs ends them."""
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, interrupt)


def main():
    options = parse()
    top = options.dir.absolute()
    top.mkdir(parents=True, exist_ok=True)
    with open(top / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print(f"quickstart: another one runs in {top}; end it or choose another --dir", file=sys.stderr)
            return 1
        home = top / "run"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(mode=0o755)
        say(f"state and logs are under {home}")
        interrupt_on_signals()
        programs = Programs(home)
        try:
            run(options, home, programs)
            status = 0
        except Failed as problem:
            print(f"\nquickstart: {problem}\n  logs: {home}", file=sys.stderr)
            status = 1
        except Interrupted:
            print()
            status = 1 if options.check else 0
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            say("ending everything that was started")
            programs.end()
        return status


if __name__ == "__main__":
    sys.exit(main())
