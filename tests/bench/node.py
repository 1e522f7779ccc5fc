"""A node that reads a broker's board for the first time, and its ledger afterwards."""
import json
import os
import resource
import shutil
import subprocess
import time

from servers import WAIT_SECONDS, Broker, Server, run


def cpu_seconds(process):
    with open(f"/proc/{process}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children_seconds():
    """CPU of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def read_through(node, home):
    """The last place of the broker's log that stands in the node's ledger. Asking takes a processor's time from what is
    measured: seldom, and for few entries."""
    entries = json.loads(run([node, "ledger", "log", "--home", home, "--last", 4, "--json"]))["entries"]
    return max((entry["seq"] for entry in entries if entry["kind"] == "board"), default=0)


def read_board(bench, board, home, kvk):
    """A new node reads a broker's board; how many records it had, how long that took, CPU seconds of the daemon."""
    node = bench.node
    run([node, "init", "--home", home, "--name", "Lezer BV", "--kvk", kvk])
    with Broker(bench, board) as broker:
        token = run([bench.broker, "invite", "--home", board.path, "--name", "Lezer BV", "--kvk", kvk]).strip()
        run([node, "join", "--home", home, token])
        last = json.loads(run([bench.broker, "status", "--home", board.path, "--json"]))["log"]["seq"]
        began = time.monotonic()
        with Server([node, "run", "--home", home], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as daemon:
            while read_through(node, home) < last:
                if time.monotonic() - began > WAIT_SECONDS:
                    raise TimeoutError("the node did not read the board")
                time.sleep(0.1)
            return last, time.monotonic() - began, cpu_seconds(daemon.child.pid)


def ledger_rates(bench, home, records):
    """Records a second of the commands that go over a whole ledger."""
    found, file, fresh = {}, f"{home}-file", f"{home}-imported"
    for name, command in (("verify", ["ledger", "verify", "--home", home]),
                          ("rebuild", ["ledger", "rebuild", "--home", home]),
                          ("export", ["ledger", "export", "--complete", file, "--home", home]),
                          ("import", ["ledger", "import", file, "--keys", home, "--home", fresh])):
        began, used = time.monotonic(), children_seconds()
        run([bench.node, *command])
        found[f"{name}_rate"] = records / (time.monotonic() - began)
        found[f"{name}_cpu_per_million"] = (children_seconds() - used) * 1e6 / records
    shutil.rmtree(fresh)
    os.unlink(file)
    return found


def measure_node(bench, number):
    home, alone = bench.place / f"node-{number}", bench.place / f"node-alone-{number}"
    last, elapsed, used = read_board(bench, bench.board, home, 20_000_000 + number)
    found = {"import_rate": last / elapsed, "import_cpu_per_million": used * 1e6 / last}
    found.update({f"ledger_{name}": rate for name, rate in ledger_rates(bench, home, last).items()})
    records, elapsed, used = read_board(bench, bench.board_alone, alone, 21_000_000 + number)
    found.update({"alone_board_rate": records / elapsed, "alone_board_cpu_per_million": used * 1e6 / records})
    found.update({f"alone_{name}": rate for name, rate in ledger_rates(bench, alone, records).items()})
    return found
