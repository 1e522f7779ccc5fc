"""The processes that are measured: a bare relay, a broker in a home of its own. Each is stopped when its block
ends, and dies with this process however that ends."""
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile

WAIT_SECONDS = 120  # for any single step: what takes longer is broken
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def words(command):
    return [str(part) for part in command]


def run(command, **options):
    return subprocess.run(words(command), stdout=subprocess.PIPE, text=True, timeout=WAIT_SECONDS, check=True,
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

    def __init__(self, path, tokens):
        self.path, self.tokens = path, tokens


class Broker(Server):
    """Serves when the constructor returns."""

    def __init__(self, bench, home):
        self.home, self.load = home, bench.programs["load"]
        place = tempfile.mkdtemp(prefix="bench-")  # not in the home: a socket's path must be short
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready, open(home.path / "log", "a") as log:
                ready.bind(f"{place}/ready")
                ready.settimeout(WAIT_SECONDS)
                super().__init__([bench.broker, "run", "--home", home.path], stdout=log, stderr=log,
                                 env=dict(os.environ, NOTIFY_SOCKET=f"{place}/ready"))
                while "READY=1" not in ready.recv(4096).decode():
                    pass
        finally:
            shutil.rmtree(place)
        self.endpoint = (home.path / "endpoint").read_text().strip()

    def join(self):
        figures([self.load, "join", self.endpoint], input="\n".join(self.home.tokens) + "\n")

    def publish(self, records, run_length, window, publishers):
        return figures([self.load, "publish", self.endpoint, self.home.tokens[0], self.child.pid,
                        records // publishers, run_length, window, publishers])

    def idle(self, sessions):
        return figures([self.load, "idle", self.endpoint, self.home.tokens[0], self.child.pid, sessions])


def make_home(bench, path, members):
    """A new broker whose `members` were invited and have joined."""
    run([bench.broker, "init", "--home", path, "--name", "Meting", "--listen", "tcp://127.0.0.1:0"])
    with open(path / "settings.ini", "a") as settings:
        settings.write("\n[http]\nlisten = off\n")
    home = Home(path, [])
    with Broker(bench, home) as broker:
        home.tokens = [run([bench.broker, "invite", "--home", path, "--name", f"Meting {i} BV", "--kvk",
                            10_000_000 + i]).strip() for i in range(members)]
        broker.join()
    return home
