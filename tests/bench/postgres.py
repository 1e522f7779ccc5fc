"""PostgreSQL, asked the same as the engine: a cluster of its own in a directory of its own, reached by a socket there
and by nothing else, which ends with this process. Where it is installed; nothing requires it."""
import csv
import glob
import os
import pwd
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from servers import WAIT_SECONDS, Server, die_with_parent, words

NEEDED = ["initdb", "postgres", "psql", "pgbench"]
LONG_SECONDS = 3600  # a million offers and their indexes take minutes
TRIED = 20  # questions by which the ways are compared
COMPARED = 200  # questions whose answers are compared with the engine's
SETTINGS = {"listen_addresses": "", "shared_buffers": "1GB", "work_mem": "64MB", "maintenance_work_mem": "512MB",
            "random_page_cost": "1.1", "effective_cache_size": "4GB", "jit": "off", "fsync": "off",
            "synchronous_commit": "off", "plan_cache_mode": "force_generic_plan", "max_wal_size": "4GB",
            "autovacuum": "off", "max_connections": "10"}
SQL = Path(__file__).with_name("postgres.sql")
# What each is entered by.
INDEXES = {"GiST (occupation, days, place)": "occupation", "GiST (place, days)": "place",
           "B-tree (occupation, first day)": "occupation"}
WAYS = {"one_step": "in one step", "staged": "the closest occupations first"}


def installed():
    """The directory of the newest version's programs, or None."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]), reverse=True)
    found += [os.path.dirname(path) for path in [shutil.which("postgres")] if path]
    return next((path for path in found if all(os.access(f"{path}/{name}", os.X_OK) for name in NEEDED)), None)


def version(programs):
    text = subprocess.run([f"{programs}/postgres", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return re.search(r"\d[\d.]*", text)[0]


def unprivileged():
    """It refuses to run as root: then as somebody else, who is there on every system."""
    if os.geteuid() != 0:
        return {}
    names = {user.pw_name: user for user in pwd.getpwall()}
    user = names.get("postgres") or names["nobody"]
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def is_client(process):
    """It stays among the children until its CPU has been counted."""
    try:
        command = Path(f"/proc/{process}/cmdline").read_text()
        return command == "" or "[local]" in command
    except (FileNotFoundError, ProcessLookupError):
        return False


class Cluster(Server):
    def __init__(self, programs):
        self.programs, self.who = programs, unprivileged()
        self.place = tempfile.mkdtemp(prefix="bench-")  # not with the rest: a socket's path must be short
        try:
            if self.who:
                os.chown(self.place, self.who["user"], self.who["group"])
            quiet = dict(cwd=self.place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.surroundings(),
                         **self.who)
            subprocess.run([f"{programs}/initdb", "-D", f"{self.place}/data", "-U", "bench", "-A", "trust", "-E", "UTF8",
                            "--locale=C", "--no-sync"], check=True, preexec_fn=die_with_parent, **quiet)
            settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
            super().__init__([f"{programs}/postgres", "-D", f"{self.place}/data", "-k", self.place, *settings], **quiet)
        except BaseException:
            shutil.rmtree(self.place)
            raise
        try:
            self.wait()
        except BaseException:
            self.__exit__()
            raise

    def surroundings(self):
        return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "PGHOST": self.place, "PGUSER": "bench",
                "PGDATABASE": "postgres"}

    def wait(self):
        deadline = time.monotonic() + WAIT_SECONDS
        while subprocess.run([f"{self.programs}/psql", "-c", "SELECT 1"], env=self.surroundings(),
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            if time.monotonic() > deadline or self.child.poll() is not None:
                raise RuntimeError("PostgreSQL did not start")
            time.sleep(0.05)

    def __exit__(self, *_):
        self.child.send_signal(signal.SIGINT)  # without waiting for whoever is connected
        super().__exit__()
        shutil.rmtree(self.place)

    def run(self, program, *options, text=None):
        return subprocess.run(words([f"{self.programs}/{program}", *options]), input=text, text=True, check=True,
                              timeout=LONG_SECONDS, env=self.surroundings(), stdout=subprocess.PIPE,
                              preexec_fn=die_with_parent).stdout

    def sql(self, text):
        return self.run("psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-f", "-", text=text)

    def clients_seconds(self):
        """CPU of the server's processes that have ended, once those of clients have."""
        deadline = time.monotonic() + WAIT_SECONDS
        children = Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children")
        while any(is_client(child) for child in children.read_text().split()):
            if time.monotonic() > deadline:
                raise TimeoutError("a client of PostgreSQL stays")
            time.sleep(0.01)
        fields = Path(f"/proc/{self.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")

    def times(self, way, questions):
        """What each of the first questions took, in us, as the client waits for it."""
        with tempfile.TemporaryDirectory(prefix="bench-") as place:
            Path(place, "script").write_text(f"\\set n :n + 1\nSELECT * FROM {way}(:n);\n")
            self.run("pgbench", "-n", "-M", "prepared", "-c", 1, "-t", questions, "-D", "n=0", "-f", f"{place}/script",
                     "-l", f"--log-prefix={place}/log")
            logs = [Path(file).read_text() for file in glob.glob(f"{place}/log*")]
        lines = [line.split() for text in logs for line in text.splitlines()]
        assert len(lines) == questions
        return [int(line[2]) for line in lines]


# ---- the questions

def sections():
    parts = re.split(r"^-- == (.*)\n", SQL.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def functions(weights, entered):
    """Both ways, each for both roles."""
    text, bodies = sections(), {way: {} for way in WAYS}
    roles = {"supplying": dict(supply="asked", demand="c", own="supply", other="demand", role="NOT c.supplies"),
             "demanding": dict(supply="c", demand="asked", own="demand", other="supply", role="c.supplies")}
    for asking, facts in roles.items():
        close, skilled = (text["candidates"].format(
            source=text[f"source {source}"].format(near=text["near"], **facts), **facts, **weights)
            for source in (entered, "skilled"))
        bodies["one_step"][asking] = text["one step"].format(close=close, skilled=skilled)
        bodies["staged"][asking] = text["staged"].format(close=close, skilled=skilled, **weights)
    return "\n".join(text["function"].format(name=way, **body) for way, body in bodies.items())


def read_rows(path):
    with open(path, newline="") as file:
        return list(csv.reader(file))


class Board:
    """The board in a cluster, with one set of indexes at a time."""

    def __init__(self, cluster, place):
        self.cluster, self.place = cluster, place
        self.weights, self.text = dict(read_rows(place / "weights.csv")), sections()
        began = time.monotonic()
        cluster.sql(self.text["board"].format(place=place) + self.text["index skills"])
        cluster.sql("VACUUM ANALYZE")
        self.loading = time.monotonic() - began
        self.building = {}

    def enter_by(self, index):
        began = time.monotonic()
        self.cluster.sql("SET client_min_messages = warning; DROP INDEX IF EXISTS board_out, board_in;" +
                         self.text[f"index {index}"] + "ANALYZE offer;" + functions(self.weights, INDEXES[index]))
        self.building[index] = time.monotonic() - began


def agreement(cluster, way, place):
    """Of the offers that either has among its best twenty, how many both have, in per cent."""
    engine = {(int(number), int(offer)) for number, _, offer, _ in read_rows(place / "answers.csv")
              if int(number) <= COMPARED}
    answers = cluster.sql(f"SELECT number, (f).id FROM (SELECT number, {way}(number) AS f FROM asked "
                          f"WHERE number <= {COMPARED}) a")
    other = {tuple(int(word) for word in line.split("|")) for line in answers.splitlines()}
    return 100 * len(engine & other) / len(engine | other)


def measure_postgres(programs, place, questions):
    """(figures of the fastest way, what it is); every way with every set of indexes is tried before."""
    with Cluster(programs) as cluster:
        board, tried = Board(cluster, place), {}
        for index in INDEXES:
            board.enter_by(index)
            for way in WAYS:
                # What is cold, or disturbed by other work, is not compared.
                asked = [cluster.times(way, min(TRIED, questions)) for _ in range(2)]
                tried[index, way] = statistics.median(map(min, *asked))
        index, way = min(tried, key=tried.get)
        board.enter_by(index)
        cluster.times(way, questions)
        before = cluster.clients_seconds()
        times = sorted(cluster.times(way, questions))
        figures = {"cpu_us": (cluster.clients_seconds() - before) * 1e6 / questions,
                   "p50_us": times[int(0.5 * (len(times) - 1))], "p99_us": times[int(0.99 * (len(times) - 1))],
                   "same_percent": agreement(cluster, way, place)}
        count, size = cluster.sql("SELECT count(*), pg_total_relation_size('offer') FROM offer").strip().split("|")
        figures["bytes_an_offer"] = int(size) / int(count)
        figures["load_seconds"] = board.loading + board.building[index]
        return figures, [f"  {us / 1000:8,.3g} ms at the median: {WAYS[one[1]]}, {one[0]}" +
                         (" (the one that was measured)" if one == (index, way) else "") for one, us in tried.items()]
