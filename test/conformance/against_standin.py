#!/usr/bin/env python3
"""Runs mesos-conformance against a stand-in of its own: once open, once with authentication.

against_standin.py CONFORMANCE STANDIN [--slow]
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time


def start(standin, home, *more):
    ports = home / "ports"
    process = subprocess.Popen(
        [standin, "--port", "0", "--port_file", ports, "--agents", "3", "--work_dir", home / "work",
         "--resources", "cpus:2;mem:1024;disk:2000;ports:[31000-31999]",
         "--agent_ping_timeout", "2", "--max_agent_ping_timeouts", "2", *more],
        stdout=subprocess.DEVNULL, stderr=open(home / "log", "w"))
    deadline = time.monotonic() + 30
    while not ports.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit("the stand-in did not start:\n" + (home / "log").read_text())
        time.sleep(0.02)
    return process, json.loads(ports.read_text())


def check(conformance, standin, home, flags, *options):
    home.mkdir()
    process, ports = start(standin, home, *flags)
    try:
        command = [conformance, "--master", f"127.0.0.1:{ports['master']}", *options]
        if ports.get("follower"):
            command += ["--follower", f"127.0.0.1:{ports['follower']}"]
        return subprocess.run(command, check=False).returncode
    finally:
        if process.poll() is not None:
            print(f"the stand-in ended by itself with {process.returncode}:")
            print("\n".join((home / "log").read_text().splitlines()[-20:]))
        process.terminate()
        process.wait(30)


def main():
    conformance, standin, *options = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="mesos-conformance-", dir="/var/tmp") as top:
        home = pathlib.Path(top)
        home.chmod(0o755)
        open_master = check(conformance, standin, home / "open", ["--follower"], "--standin", *options)
        (home / "credentials").write_text(json.dumps(
            {"credentials": [{"principal": "p", "secret": "s"}, {"principal": "q", "secret": "t"}]}))
        (home / "secret").write_text("s\n")
        closed = check(conformance, standin, home / "closed", ["--credentials", home / "credentials"],
                       "--principal", "p", "--secret_file", home / "secret", "--only", "18,19,20,21")
        return open_master or closed


if __name__ == "__main__":
    sys.exit(main())
