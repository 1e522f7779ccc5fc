"""A node that reads a broker's board for the first time, and its ledger afterwards."""
import json
import os
import subprocess
import time

from servers import WAIT_SECONDS, Broker, Server, run


def cpu_seconds(process):
    with open(f"/proc/{process}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def read_through(node, home):
    """The last place of the broker's log that stands in the node's ledger."""
    entries = json.loads(run([node, "ledger", "log", "--home", home, "--json"]))["entries"]
    return max((entry["seq"] for entry in entries if entry["kind"] == "board"), default=0)


def measure_node(bench, number):
    home, node = bench.place / f"node-{number}", bench.node
    run([node, "init", "--home", home, "--name", "Lezer BV", "--kvk", 20_000_000 + number])
    with Broker(bench, bench.board) as broker:
        token = run([bench.broker, "invite", "--home", bench.board.path, "--name", "Lezer BV", "--kvk",
                     20_000_000 + number]).strip()
        run([node, "join", "--home", home, token])
        last = json.loads(run([bench.broker, "status", "--home", bench.board.path, "--json"]))["log"]["seq"]
        began = time.monotonic()
        with Server([node, "run", "--home", home], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as daemon:
            while read_through(node, home) < last:
                if time.monotonic() - began > WAIT_SECONDS:
                    raise TimeoutError("the node did not read the board")
                time.sleep(0.02)
            elapsed = time.monotonic() - began
            used = cpu_seconds(daemon.child.pid)
    found = {"import_rate": last / elapsed, "import_cpu_per_million": used * 1e6 / last}
    for what in ("verify", "rebuild"):
        began = time.monotonic()
        run([node, "ledger", what, "--home", home])
        found[f"{what}_rate"] = last / (time.monotonic() - began)
    return found
