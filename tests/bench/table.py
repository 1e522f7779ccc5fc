"""What the figures say: medians, the limit that goes with each figure of the program, and the goal."""
import os
import platform
import statistics
import subprocess

GOALS = {
    "batches": ("at least half of the bare relay with 16 messages a frame", "least", 0.5),
    "alone": ("at least 0.8 of what the cores can verify", "least", 0.8),
    "single": ("at most 1.3 of: one commit, one round trip, one verify, one sign", "most", 1.3),
    "cpu": ("at most 2.5 times the bare relay with 16 messages a frame", "most", 2.5),
    "memory": ("at most 1.15 of the bare ROUTER", "most", 1.15),
}


def machine(binaries):
    """Whatever moves the figures and can be asked for."""
    cache = (binaries / "CMakeCache.txt").read_text() if (binaries / "CMakeCache.txt").exists() else ""
    kind = [line.split("=", 1)[1] for line in cache.splitlines() if line.startswith("CMAKE_BUILD_TYPE:")]
    with open("/proc/cpuinfo") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    with open("/proc/meminfo") as file:
        memory = int(file.readline().split()[1]) // 1024 // 1024
    system = subprocess.run(["stat", "-f", "-c", "%T", str(binaries)], stdout=subprocess.PIPE, text=True).stdout.strip()
    return {"processor": models[0] if models else platform.machine(), "cores": os.cpu_count(), "memory_gib": memory,
            "kernel": platform.release(), "file_system": system, "build": kind[0] if kind else "unknown",
            "load_before": round(os.getloadavg()[0], 2)}


def medians(rounds):
    return {part: {name: statistics.median(one[part][name] for one in rounds) for name in rounds[0][part]}
            for part in rounds[0]}


def row(group, what, unit, figure, limit=None, goal=None):
    ratio = figure / limit if limit else None
    reached = None
    if goal:
        reached = ratio >= GOALS[goal][2] if GOALS[goal][1] == "least" else ratio <= GOALS[goal][2]
    return {"group": group, "what": what, "unit": unit, "limit": limit, "figure": figure, "ratio": ratio,
            "goal": GOALS[goal][0] if goal else None, "reached": reached}


def limit_rows(found):
    cpu, store = found["cpu"], found["store"]

    def limit(what, unit, figure):
        return {**row("limits", what, unit, None), "limit": figure}

    return [
        limit("Ed25519 verify, one core", "/s", cpu["verify"]),
        limit("Ed25519 verify, all cores", "/s", cpu["verify_all"]),
        limit("Ed25519 sign, one core", "/s", cpu["sign"]),
        limit("BLAKE2b-256 of 600 B", "/s", cpu["hash_600"]),
        limit("BLAKE2b-256 of 64 B", "/s", cpu["hash_64"]),
        limit("LMDB full sync, 1 row a commit", "/s", store["commit_1"]),
        limit("  p50", "us", store["commit_1_p50_us"]),
        limit("LMDB full sync, 64 rows", "/s", store["commit_64"]),
        limit("LMDB full sync, 1,024 rows", "/s", store["commit_1024"]),
        limit("bare relay, CURVE, 1 a frame", "/s", found["relay_1"]["rate"]),
        limit("  broker's CPU per million", "s", found["relay_1"]["cpu_per_million"]),
        limit("bare relay, CURVE, 16 a frame", "/s", found["relay_16"]["rate"]),
        limit("  broker's CPU per million", "s", found["relay_16"]["cpu_per_million"]),
        limit("round trip of two hops, p50", "us", found["echo"]["p50_us"]),
        limit("round trip of two hops, p99", "us", found["echo"]["p99_us"]),
        limit("bare ROUTER, idle connection", "B", found["idle_router"]["bytes_per_connection"]),
        limit("  the same, asking ZAP at the handshake", "B", found["idle_router_zap"]["bytes_per_connection"]),
    ]


def inside_rows(found):
    """Per record; CPU of one thread."""
    rows = []
    for run in (1000, 100, 1):
        part = found[f"commit_{run}"]
        group = f"in the process, runs of {run:,}" if run > 1 else "in the process, each signed alone"
        rows += [
            row(group, "worker: all of it", "us", part["prepare_us"]),
            row(group, "  of which guard and unpacking", "us", part["guard_unpack_us"]),
            row(group, "  of which bodies, checks, hashes", "us", part["run_read_us"]),
            row(group, "  of which signature and tree", "us", part["run_verify_us"],
                1e6 / found["cpu"]["verify"] / run),
            row(group, "committer: its CPU", "us", part["commit_us"]),
            row(group, "committer: its rate", "/s", part["commit_rate"], found["store"]["commit_1024"]),
            row(group, "follower's frames", "us", part["board_live_us"]),
        ]
    rows.append(row("in the process, one record a commit", "committer: p50", "us",
                    found["commit_single"]["commit_p50_us"], found["store"]["commit_1_p50_us"]))
    return rows


def program_rows(found):
    relay, group = found["relay_16"], "the broker"
    hundred, thousand, single = found["publish_100"], found["publish_1000"], found["publish_single"]
    alone, alone_2 = found["publish_alone"], found["publish_alone_2"]
    least = (found["store"]["commit_1_p50_us"] + found["echo"]["p50_us"] + 1e6 / found["cpu"]["verify"] +
             1e6 / found["cpu"]["sign"])
    verify = found["cpu"]["verify_all"]
    return [
        row(group, "publish to delivery, runs of 100, window 1,000", "/s", hundred["rate"], relay["rate"], "batches"),
        row(group, "  broker's CPU per million", "s", hundred["cpu_per_million"], relay["cpu_per_million"], "cpu"),
        row(group, "  receipt p50", "us", hundred["receipt_p50_us"]),
        row(group, "  receipt p99", "us", hundred["receipt_p99_us"]),
        row(group, "runs of 1,000, window 4,000", "/s", thousand["rate"], relay["rate"], "batches"),
        row(group, "  broker's CPU per million", "s", thousand["cpu_per_million"], relay["cpu_per_million"], "cpu"),
        row(group, "each signed alone, window 1,000", "/s", alone["rate"], verify, "alone"),
        row(group, "  broker's CPU per million", "s", alone["cpu_per_million"]),
        row(group, "  two publishers, window 500 each", "/s", alone_2["rate"], verify, "alone"),
        row(group, "  broker's CPU per million", "s", alone_2["cpu_per_million"]),
        row(group, "window 1: receipt p50", "us", single["receipt_p50_us"], least, "single"),
        row(group, "  receipt p99", "us", single["receipt_p99_us"]),
        row(group, "  delivery p50", "us", single["delivery_p50_us"]),
        row(group, "  delivery p99", "us", single["delivery_p99_us"]),
        row(group, "idle member session", "B", found["idle_sessions"]["bytes_per_session"],
            found["idle_router"]["bytes_per_connection"], "memory"),
        row(group, "  against a bare ROUTER that asks ZAP", "B", found["idle_sessions"]["bytes_per_session"],
            found["idle_router_zap"]["bytes_per_connection"]),
        row(group, "sessions opened, one after another", "/s", found["idle_sessions"]["opened"],
            found["idle_router"]["opened"]),
    ]


def rows_of(rounds):
    found = medians(rounds)
    return limit_rows(found) + inside_rows(found) + program_rows(found)


def number(value):
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def print_table(rows, facts, amounts):
    line = "{:<48} {:>12} {:>12} {:<3} {:>6}  {}"
    group = None
    print(line.format("", "limit", "program", "", "ratio", "goal"))
    for one in rows:
        if one["group"] != group:
            group = one["group"]
            print(f"\n{group}")
        goal = "" if one["goal"] is None else ("reached: " if one["reached"] else "SHORT:   ") + one["goal"]
        ratio = "" if one["ratio"] is None else f"{one['ratio']:.2f}"
        print(line.format("  " + one["what"], number(one["limit"]), number(one["figure"]), one["unit"], ratio,
                          goal).rstrip())
    print(f"\n{facts['processor']}, {facts['cores']} cores, {facts['memory_gib']} GiB; Linux {facts['kernel']}, "
          f"{facts['file_system']}; {facts['build']} build; median of {amounts['rounds']} round(s); load before: "
          f"{facts['load_before']}")
    if facts["load_before"] > 0.5:
        print("Other work was going on meanwhile: trust the ratios more than the figures, and neither very much.")
