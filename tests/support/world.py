"""A world for tests and for ./run: one broker and employers' nodes, each with a home in one directory, driven as a
user drives them - through their commands. Processes die with this one; nothing sleeps: it waits for readiness or for
an answer, with a deadline."""
import copy
import ctypes
import datetime
import fcntl
import json
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = float(os.environ.get("COLLEGA_TEST_DEADLINE", "60"))  # seconds; generous: sanitizers, two cores
WAIT = str(int(DEADLINE))
_LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1
NOBODYS = "f" * 12  # long enough to be the beginning of no id


def binaries():
    return Path(os.environ.get("COLLEGA_BIN", ROOT / "build" / "debug"))


def within(why=lambda: ""):
    """Until the deadline: fails after it."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        yield
    raise AssertionError("it did not come about in time", why())


def until(condition):
    """Looks again until it holds; what it then gave. Fails at the deadline."""
    found = None
    for _ in within(lambda: found):
        found = condition()
        if found:
            return found


def die_with_parent():
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Failed(Exception):
    """A command ended with another status than expected."""

    def __init__(self, arguments, result):
        super().__init__(f"{' '.join(map(str, arguments))}\nexit {result.returncode}\n{result.stdout}\n{result.stderr}")
        self.result = result


def call(arguments, expect=0, env=None, text=True, stdin=None):
    """Runs a command to its end; its result. expect: the exit status (None: any). Programs of test builds ask themselves
    to die with this process. Done from here (preexec_fn), every command would begin as a copy of this process: a quarter of
    what all the flows take."""
    result = subprocess.run([str(a) for a in arguments], capture_output=True, text=text, input=stdin,
                            env={**os.environ, "COLLEGA_DIE_WITH_PARENT": "1", **(env or {})}, timeout=4 * DEADLINE)
    if expect is not None and result.returncode != expect:
        raise Failed(arguments, result)
    return result


_PORTS = {}  # port: the lock that keeps other processes' tests from it


def own_port():
    """A port of this process's tests alone, also while their broker is down. It is below those that the kernel hands out
    to whoever connects: a node that knocks at a port of those may be given that very port, and hold it."""
    directory = Path(tempfile.gettempdir()) / f"collega-ports-{os.getuid()}"
    directory.mkdir(exist_ok=True)
    first = 10_000
    last = max(int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0]), first + 10_000)
    while True:
        port = random.randrange(first, last)
        if port in _PORTS:
            continue
        lock = open(directory / str(port), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            continue
        _PORTS[port] = lock
        return port


class Daemon:
    """A long-running process that tells READY=1 on NOTIFY_SOCKET. Its log goes to `log`. It has a clock of its own, which
    its commands share."""

    def __init__(self, arguments, log, env=None):
        self.arguments, self.log = [str(a) for a in arguments], Path(log)
        self.clock = self.log.with_suffix(".clock")
        self.free = self.log.with_suffix(".free")
        self.setting = self.log.with_suffix(".set")
        self.env = {"COLLEGA_CLOCK_FILE": str(self.clock), "COLLEGA_CLOCK_SET_FILE": str(self.setting),
                    "COLLEGA_FREE_FILE": str(self.free), **(env or {})}
        self.process, self.status = None, ""

    def turn_clock(self, **by):
        """From now on its clock differs by this from the machine's, as when that time had passed: days=3, hours=-5."""
        self._turn(self.clock, int(datetime.timedelta(**by).total_seconds() * 1000))

    def set_clock(self, **by):
        """Somebody sets the wall clock of its machine, which sees that as such: minutes=20 puts it ahead of what it was."""
        self._turn(self.setting, int(datetime.timedelta(**by).total_seconds() * 1000))

    def fill_disk(self, full=True):
        """What it believes of the disk that its home is on: nothing left, or room again."""
        self._turn(self.free, 0 if full else 1 << 40)

    @staticmethod
    def _turn(path, number):
        fresh = path.with_suffix(".fresh")
        fresh.write_text(str(number))
        fresh.rename(path)  # whole, for who reads it meanwhile

    def start(self, wait=True, env=None):
        assert not self.running()
        path = Path(tempfile.mkdtemp(prefix="collega-ready-")) / "socket"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready, open(self.log, "ab") as log:
            ready.bind(str(path))
            self.process = subprocess.Popen(
                self.arguments, stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent,
                env={**os.environ, **self.env, **(env or {}), "NOTIFY_SOCKET": str(path), "COLLEGA_DIE_WITH_PARENT": "1"})
            try:
                if wait:
                    self.status = self._ready(ready)
            finally:
                shutil.rmtree(path.parent, ignore_errors=True)
        return self

    def _ready(self, ready):
        death = os.pidfd_open(self.process.pid)
        try:
            either = select.poll()  # select() knows no descriptor above 1023
            either.register(ready, select.POLLIN)
            either.register(death, select.POLLIN)
            seen = [number for number, _ in either.poll(DEADLINE * 1000)]
        finally:
            os.close(death)
        if ready.fileno() not in seen:
            raise Failed(self.arguments, subprocess.CompletedProcess(
                self.arguments, self.process.poll(), "", f"not ready\n{self.log.read_text(errors='replace')[-4000:]}"))
        return ready.recv(4096).decode()

    def running(self):
        return self.process is not None and self.process.poll() is None

    def wait(self):
        """Until it ends by itself; its exit status."""
        return self.process.wait(DEADLINE)

    def stop(self):
        if self.running():
            self.process.terminate()
        if self.process is not None:
            return self.process.wait(DEADLINE)
        return None

    def kill(self):
        if self.running():
            self.process.kill()
        if self.process is not None:
            self.process.wait(DEADLINE)


class Broker(Daemon):
    def __init__(self, directory, name="Netwerk West-Brabant"):
        self.home = Path(directory) / "broker"
        self.program = binaries() / "collega-broker"
        self.name = name
        super().__init__([self.program, "run", "--home", self.home], Path(directory) / "broker.log")

    def init(self, listen=None):
        listen = listen or f"tcp://127.0.0.1:{own_port()}"
        result = self("init", "--name", self.name, "--listen", listen)
        (self.home / "settings.ini").write_text(f"[link]\nlisten = {listen}\n[http]\nlisten = 127.0.0.1:0\n")
        return result

    @property
    def endpoint(self):
        """Where it listens, as it tells itself."""
        return (self.home / "endpoint").read_text().strip()

    def __call__(self, *arguments, expect=0):
        return call([self.program, *arguments, "--home", self.home], expect, self.env)

    def json(self, *arguments):
        return json.loads(self(*arguments, "--json").stdout)

    def invite(self, name, kvk, *arguments):
        return self("invite", "--name", name, "--kvk", kvk, *arguments).stdout.strip()


class Node(Daemon):
    def __init__(self, directory, name, kvk, signatory=None, function=None):
        short = "".join(c for c in name.lower() if c.isalnum())
        self.home = Path(directory) / short
        self.program = binaries() / "collega"
        self.name, self.kvk, self.signatory, self.function = name, kvk, signatory, function
        super().__init__([self.program, "run", "--home", self.home], Path(directory) / f"{short}.log")

    def init(self):
        named = ["--signatory", self.signatory, "--function", self.function] if self.signatory else []
        result = self("init", "--name", self.name, "--kvk", self.kvk, *named)
        # Reconnects are spread over fifteen seconds in earnest; a test has one node and no patience.
        (self.home / "settings.ini").write_text("[link]\nreconnect_spread_ms = 100\n")
        return result

    def __call__(self, *arguments, expect=0, env=None, stdin=None):
        return call([self.program, *arguments, "--home", self.home], expect, {**self.env, **(env or {})}, stdin=stdin)

    def json(self, *arguments, expect=0, env=None):
        return json.loads(self(*arguments, "--json", expect=expect, env=env).stdout)

    def publish(self, offer, *arguments, expect=0):
        """An offer (a dict, or a list of them); its id, or their ids."""
        result = self("offer", "publish", "-", *arguments, expect=expect, stdin=json.dumps(offer))
        ids = result.stdout.split()
        return ids if isinstance(offer, list) else ids[0]

    def deal(self, deal, *arguments):
        return self.json("deal", "show", deal, *arguments)

    def deals(self):
        return self.json("deal", "list")["deals"]

    def sent(self):
        """When all that it had to send is answered, so that its ledger moves no more by itself: its head in the ledger."""
        for _ in within(lambda: status["outbox"]):
            status = self.json("status")
            if not status["outbox"]["waiting"]:
                return status["ledger"]


def elsewhere(program, home):
    """The same program in another home; not running."""
    other = copy.copy(program)
    other.home, other.process, other.env = home, None, dict(program.env)
    return other


class World:
    """A broker and some nodes, joined and running."""

    EMPLOYERS = [("Snijder Logistiek BV", "12345678", "M. de Wit", "directeur"),
                 ("Versgoed Bakkerijen BV", "23456789", "J. Verhagen", "hoofd personeel"),
                 ("Havendok 13 BV", "34567890", "I. Brouwers", "bedrijfsleider")]

    def __init__(self, directory, employers=2, start=True):
        self.directory = Path(directory)
        self.broker = Broker(self.directory)
        rows = [self.EMPLOYERS[i] if i < len(self.EMPLOYERS) else
                (f"Werkgever {i + 1} BV", f"{40000000 + i}", f"T. Ekenaar {i + 1}", "directeur") for i in range(employers)]
        self.nodes = [Node(self.directory, *row) for row in rows]
        if start:
            self.open()

    def open(self):
        self.broker.init()
        self.broker.start()
        for node in self.nodes:
            node.init()
            node("join", self.broker.invite(node.name, node.kvk))
            node.start()
        return self

    def close(self):
        for daemon in [*self.nodes, self.broker]:
            daemon.kill()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
