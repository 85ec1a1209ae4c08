"""The command `glasses hub` in processes of its own, for tests and benches."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from contextlib import suppress
from pathlib import Path

from agent.act.ledger import Ledger
from tests.agent.serve.hub.wearer import Wearer

READY_S = 120.0
"""Longest that it may take to be up, Ray on a busy machine included."""
PROGRAM = [sys.executable, "-c", "from agent.cli.commands import main; main()"]


class Running:
    """A hub that runs until `stop`, in a home of its own."""

    def __init__(self, home, *arguments, secure=None, **environment):
        self.home = Path(home)
        self.folder = self.home / "data/hub"
        self.environment = {
            "HOME": str(home), "PATH": os.environ["PATH"], "GLASSES_DATA": str(self.home / "data"),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "RAY_USAGE_STATS_ENABLED": "0",
            **environment,
        }  # fmt: skip
        self.key = self.command("add", "acme", "--turns", "100000").stdout.strip()
        self.secure = secure
        given = ["--host", "127.0.0.1:0", "--language", "en", *arguments]
        self.process = subprocess.Popen(
            [*PROGRAM, "hub", *given], env=self.environment, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        self.lines = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            line = self._until(
                lambda: next((x for x in self.lines if x.startswith("hub: w")), None)
            )
            self.url = line.split()[1].removesuffix("/glasses/NAME,")
            self._until(self.healthy)
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.strip())

    def _until(self, condition):
        ends_s = time.monotonic() + READY_S
        while not (found := condition()):
            assert self.process.poll() is None, f"the hub has ended: {self.lines}"
            assert time.monotonic() < ends_s, f"the hub is not there: {self.lines}"
            time.sleep(0.05)
        return found

    def command(self, *arguments):
        """Run `glasses hub …` to its end."""
        return subprocess.run(
            [*PROGRAM, "hub", *arguments], env=self.environment, capture_output=True, text=True,
            check=True,
        )  # fmt: skip

    def get(self, path):
        """Fetch a page of the hub as text."""
        trust = None
        if self.secure is not None:
            trust = ssl.create_default_context(cafile=self.secure)
        with urllib.request.urlopen(
            self.url.replace("ws", "http", 1) + path, context=trust
        ) as page:
            return page.read().decode()

    def healthy(self):
        try:
            return json.loads(self.get("/healthz"))["status"] == "ok"
        except OSError:
            return False

    def metric(self, name):
        """The sum of a metric, over its labels and all replicas."""
        found = [line for line in self.get("/metrics").splitlines() if line.startswith(name)]
        return sum(float(line.rpartition(" ")[2]) for line in found)

    def trust(self):
        """What a client over TLS trusts; None without TLS."""
        return None if self.secure is None else ssl.create_default_context(cafile=self.secure)

    def wearer(self, name, **options):
        secure = {} if self.secure is None else {"ssl": self.trust()}
        return Wearer(self.url, self.key, name, **secure, **options)

    def ledger(self, name):
        """What was paid by a pair of glasses."""
        ledger = Ledger(self.folder / "ledgers/acme" / name)
        ledger.verify()
        entries = ledger.entries()
        ledger.close()
        return entries

    def family(self):
        """All processes of the hub that live, by id, each with its command line (Linux)."""
        parents = {}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                fields = (path / "stat").read_text().rpartition(")")[2].split()
                name = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if fields[0] != "Z":
                parents[int(path.name)] = int(fields[1]), name
        found, more = {self.process.pid: parents.get(self.process.pid, (0, ""))[1]}, True
        while more:
            more = {
                pid: name
                for pid, (parent, name) in parents.items()
                if parent in found and pid not in found
            }
            found |= more
        return found

    def replicas(self):
        """The ids of those that serve now, the one with the most sessions first (Linux)."""
        holders = Counter()
        for path in (self.folder / "glasses").glob("*/*/worn"):
            inode = path.stat().st_ino
            for line in Path("/proc/locks").read_text().splitlines():
                fields = line.split()
                if fields[1] == "FLOCK" and fields[5].endswith(f":{inode}"):
                    holders[int(fields[4])] += 1
        return [pid for pid, _ in holders.most_common()]

    def cpu_s(self):
        """Processor time of all its processes so far, in s."""
        total = 0.0
        for pid in self.family():
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return total

    def memory_mb(self):
        """Memory that is its processes' alone and their share of what is not, in MB (Linux)."""
        total = 0
        for pid in self.family():
            try:
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            total += int(rollup.partition("\nPss:")[2].split()[0])
        return total / 1024

    def stop(self):
        """End it and all that it began."""
        family = [*self.family()]
        if self.process.poll() is None:
            self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(40)
        for pid in family:
            if Path(f"/proc/{pid}").exists() and self._ours(pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(5)
        self.process.stderr.close()

    def _ours(self, pid):
        """Whether a process still is what the hub began: an id may have been given to another."""
        try:
            return (
                f"GLASSES_DATA={self.home / 'data'}".encode()
                in Path(f"/proc/{pid}/environ").read_bytes()
            )
        except OSError:
            return False


def temporary_home():
    """A home whose path is short, as Ray's sockets want it."""
    return tempfile.TemporaryDirectory(prefix="hub-")
