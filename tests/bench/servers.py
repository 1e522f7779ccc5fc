"""The processes that are measured: a bare relay, a broker in a home of its own. Each is stopped when its block
ends, and dies with this process however that ends."""
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

WAIT_SECONDS = 120  # for any single step: what takes longer is broken
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def words(command):
    return [str(part) for part in command]


def run(command, timeout=WAIT_SECONDS, **options):
    return subprocess.run(words(command), stdout=subprocess.PIPE, text=True, timeout=timeout, check=True,
                          preexec_fn=die_with_parent, **options).stdout


def figures(command, **options):
    """Runs a program and reads the "name value" lines that it prints."""
    return {name: float(value) for name, value in (line.split() for line in run(command, **options).splitlines())}


class Server:
    def __init__(self, command, **options):
        self.child = subprocess.Popen(words(command), text=True, preexec_fn=die_with_parent, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.terminate()
        try:
            self.child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        if self.child.stdout:
            self.child.stdout.close()


class Relay(Server):
    def __init__(self, bench, *mode):
        self.program = bench.programs["limit_relay"]
        super().__init__([self.program, "serve", *mode], stdout=subprocess.PIPE)
        told = dict(self.child.stdout.readline().split() for _ in range(2))
        self.target = [told["endpoint"], told["key"]]

    def flow(self, messages, size):
        return figures([self.program, "flow", *self.target, self.child.pid, messages, size])

    def echo(self, trips):
        return figures([self.program, "echo", *self.target, trips])

    def idle(self, connections):
        return figures([self.program, "idle", *self.target, self.child.pid, connections])


class Home:
    """A broker's home, and one of its invitations: it holds the broker's key."""

    def __init__(self, path, token):
        self.path, self.token = path, token


class Broker(Server):
    """Serves when the constructor returns; `started` is how many seconds that took."""

    def __init__(self, bench, home):
        self.home, self.programs = home, bench.programs
        place = tempfile.mkdtemp(prefix="bench-")  # not in the home: a socket's path must be short
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready, open(home.path / "log", "a") as log:
                ready.bind(f"{place}/ready")
                ready.settimeout(WAIT_SECONDS)
                began = time.monotonic()
                super().__init__([bench.broker, "run", "--home", home.path], stdout=log, stderr=log,
                                 env=dict(os.environ, NOTIFY_SOCKET=f"{place}/ready"))
                while "READY=1" not in ready.recv(4096).decode():
                    pass
                self.started = time.monotonic() - began
        finally:
            shutil.rmtree(place)
        self.endpoint = (home.path / "endpoint").read_text().strip()

    def load(self, program, *arguments):
        """The programs of the load say what their arguments mean."""
        return figures([self.programs[program], *arguments], timeout=600)

    def where(self):
        return self.endpoint, self.home.token

    def publish(self, records, run_length, window, publishers):
        return self.load("load", "publish", *self.where(), self.child.pid, records // publishers, run_length, window,
                         publishers)

    def idle(self, sessions):
        return {**self.load("load", "idle", *self.where(), self.child.pid, sessions), "sessions": sessions}

    def first(self):
        return self.load("load", "first", *self.where())

    def fan(self, records, followers, filters):
        return self.load("fan", *self.where(), self.child.pid, records, followers, filters)

    def post(self, letters, window):
        return self.load("post", *self.where(), self.child.pid, letters, window)

    def storm(self, sessions, spread_ms):
        return self.load("storm", *self.where(), self.child.pid, sessions, spread_ms)


class Hostile(Server):
    """Peers that mean harm. They run at the lowest priority: elsewhere they would have processors of their own, and
    what is measured is the broker, not a share of this machine."""

    def __init__(self, broker, kind, number):
        super().__init__(["nice", "-n", "19", broker.programs["hostile"], *broker.where(), kind, number],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self.child.stdout.readline() == "ready\n", f"{kind} did not begin"


def make_home(bench, path, members, records=0, length=1000):
    """A new broker with members, and records in its log if wanted, in runs of this length. No broker runs in it meanwhile."""
    run([bench.broker, "init", "--home", path, "--name", "Meting", "--listen", "tcp://127.0.0.1:0"])
    with open(path / "settings.ini", "a") as settings:
        settings.write("\n[http]\nlisten = off\n")
        # One member of the bench is a country's worth: what the broker can do, not what a member may.
        settings.write("\n[limits]\nrecords_per_second = 0\nbytes_per_second = 0\nframes_per_second = 0\nsessions_per_minute = 0\n")
    run([bench.programs["crowd"], path, members, *([records, length] if records else [])])
    home = Home(path, None)
    with Broker(bench, home):  # an invitation tells an address, and there is none before it listens
        home.token = run([bench.broker, "invite", "--home", path, "--name", "Sleutel BV", "--kvk", 99_999_999]).strip()
    return home


# ---- other brokers

def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


NATS = "jetstream {{ store_dir: {place}/store }}\nlisten: 127.0.0.1:{port}\n"
REDIS = """port {port}
bind 127.0.0.1
dir {place}
save ""
appendonly yes
appendfsync always
"""
MOSQUITTO = """listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {place}/
max_inflight_messages 0
max_queued_messages 0
log_type error
"""
# Program, its settings, what it is told to read them by, and how its durability compares.
OTHERS = {
    "nats": ("nats-server", NATS, ["-c"], "no fsync before the acknowledgement (every two minutes)"),
    "redis": ("redis-server", REDIS, [], "appendfsync always: fsync before the acknowledgement"),
    "mqtt": ("mosquitto", MOSQUITTO, ["-c"], "no fsync: all is in memory, written every 30 minutes"),
}


def others():
    """Those that are installed here."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    return {name: shutil.which(program, path=path) for name, (program, *_) in OTHERS.items()
            if shutil.which(program, path=path)}


class Other(Server):
    def __init__(self, bench, name, program):
        _, settings, option, _ = OTHERS[name]
        self.name, self.program, self.port = name, bench.programs["peers"], free_port()
        self.place = tempfile.TemporaryDirectory(dir=bench.place)
        os.chmod(self.place.name, 0o777)  # mosquitto leaves root behind
        file = f"{self.place.name}/settings"
        with open(file, "w") as out:
            out.write(settings.format(port=self.port, place=self.place.name))
        super().__init__([program, *option, file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + WAIT_SECONDS
        while True:  # they tell nobody when they are ready
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline or self.child.poll() is not None:
                    raise
                time.sleep(0.02)

    def __exit__(self, *_):
        super().__exit__()
        self.place.cleanup()

    def measure(self, messages, window):
        return figures([self.program, self.name, self.port, self.child.pid, messages, window], timeout=300)
