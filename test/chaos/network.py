"""Hosts on one machine: network namespaces, all behind one that forwards, which can lose what goes between two of them.

A cut is silent, as a pulled cable is: packets vanish, nobody is told. Nothing outside of the namespaces is changed
but one interface, which belongs to the machine itself and is never cut. Needs root."""

import contextlib
import os
import subprocess

from quickstart import Failed


class Unavailable(Exception):
    """Namespaces cannot be had here."""


def ip(*words, lines=None):
    done = subprocess.run(["ip", *words], input=lines, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


class Network:
    def __init__(self, *hosts):
        if os.geteuid() != 0:
            raise Unavailable("network namespaces need root")
        self.run = f"mysos{os.getpid()}"
        self.hub = f"{self.run}-hub"
        self.made = []
        self.cuts = {}  # Rule of the hub's -> its priority.
        self.base = self.free_base()
        self.gateway = f"{self.base}.1"
        self.machine = f"{self.base}.2"
        self.address = {host: f"{self.base}.{number}" for number, host in enumerate(hosts, 10)}
        try:
            self.make()
        except Failed as problem:
            self.end()
            raise Unavailable(f"network namespaces cannot be made here: {problem}") from problem

    @staticmethod
    def free_base():
        """Out of 198.18.0.0/15, which is set aside for measurements; a run of somebody else's has another."""
        taken = ip("-4", "route", "show", "table", "all")
        for number in range(os.getpid() % 200, 256):
            if f"198.18.{number}." not in taken:
                return f"198.18.{number}"
        raise Unavailable("no free network in 198.18.0.0/16")

    def name(self, host):
        return f"{self.run}-{host}"

    def make(self):
        self.add_namespace(self.hub)
        self.inside(self.hub, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        ip("-n", self.hub, "addr", "add", f"{self.gateway}/32", "dev", "lo")
        self.connect(f"{self.run}m"[-15:], None, self.machine, "machine")
        for number, (host, address) in enumerate(self.address.items()):
            self.add_namespace(self.name(host))
            self.connect("wire", self.name(host), address, f"down{number}")

    def add_namespace(self, name):
        ip("netns", "add", name)
        self.made.append(name)
        ip("-n", name, "link", "set", "dev", "lo", "up")

    def connect(self, link, namespace, address, far_link):
        """A wire from the hub to a namespace, or to the machine itself."""
        there = ["-n", namespace] if namespace else []
        ip("-n", self.hub, "link", "add", far_link, "type", "veth", "peer", "name", link,
           "netns", namespace or str(os.getpid()))
        ip("-n", self.hub, "link", "set", "dev", far_link, "up")
        ip("-n", self.hub, "route", "add", f"{address}/32", "dev", far_link)
        ip(*there, "addr", "add", f"{address}/32", "dev", link)
        ip(*there, "link", "set", "dev", link, "up")
        ip(*there, "route", "add", f"{self.gateway}/32", "dev", link)
        ip(*there, "route", "add", f"{self.base}.0/24", "via", self.gateway, "dev", link, "src", address)

    def inside(self, namespace, *command):
        done = subprocess.run(["ip", "netns", "exec", namespace, *command],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failed(f"{' '.join(command)} in {namespace}: {done.stderr.strip()}")

    def words(self, host):
        """What a command begins with that is to run there."""
        return ("ip", "netns", "exec", self.name(host))

    def cut(self, host, *others):
        """Nothing comes through between `host` and `others`; without others, to or from it at all."""
        address = self.address[host]
        rules = {f"from {address}", f"to {address}"}
        if others:
            rules = {rule for other in others
                     for rule in (f"from {address} to {self.address[other]}",
                                  f"from {self.address[other]} to {address}")}
        # A priority each: the kernel takes a rule for a duplicate of a narrower one beside it.
        first = max(self.cuts.values(), default=99) + 1
        added = {rule: first + number
                 for number, rule in enumerate(sorted(rules - self.cuts.keys()))}
        self.change("add", added)
        self.cuts |= added

    def heal(self, *hosts):
        """Only what was cut of these, or everything."""
        addresses = {self.address[host] for host in hosts}
        healed = {rule: priority for rule, priority in self.cuts.items()
                  if not hosts or addresses & set(rule.split())}
        self.change("del", healed)
        self.cuts = {rule: priority for rule, priority in self.cuts.items() if rule not in healed}

    def change(self, what, rules):
        ip("-n", self.hub, "-batch", "-", lines="".join(
            f"rule {what} {rule} priority {priority} blackhole\n" for rule, priority in rules.items()))

    def end(self):
        """The hub's namespace takes every wire with it."""
        for namespace in self.made:
            with contextlib.suppress(Failed):
                ip("netns", "del", namespace)
        self.made.clear()
