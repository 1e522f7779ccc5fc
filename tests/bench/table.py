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
    "fan": ("at least 0.8 of a bare XPUB", "least", 0.8),
    "memory": ("at most 1.15 of the bare ROUTER", "most", 1.15),
    "back": ("all back within 20 s", "most", 1.0),
    "disturbed": ("at most twice the undisturbed", "most", 2.0),
    "start": ("under a second", "most", 1.0),
    "import": ("at least 150,000/s", "least", 1.0),
    "nats": ("at least 2.5 times JetStream's default", "least", 2.5),
    "nats_cpu": ("at most half of JetStream's", "most", 0.5),
    "best20_p50": ("at most 0.25 ms", "most", 1.0),
    "best20_p99": ("at most 1 ms", "most", 1.0),
    "offer_bytes": ("at most 200 B", "most", 1.0),
    "indexed": ("at least 300,000/s", "least", 1.0),
    "postgres": ("at most a fiftieth of PostgreSQL's best plan", "most", 0.02),
    "lenders": ("under a second", "most", 1.0),
    "rings": ("under 10 s", "most", 1.0),
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
    """Of each figure; what was measured in the first round only stands as it is."""
    return {part: {name: statistics.median(one[part][name] for one in rounds if part in one) for name in rounds[0][part]}
            for part in rounds[0]}


def row(group, what, unit, figure, limit=None, goal=None):
    ratio = figure / limit if limit else None  # no limit, or one too short to be measured
    if ratio is None:
        goal = None
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


def publish_rows(found):
    relay, group = found["relay_16"], "the broker: publish, receipt, delivery"
    single, verify = found["publish_single"], found["cpu"]["verify_all"]
    least = (found["store"]["commit_1_p50_us"] + found["echo"]["p50_us"] + 1e6 / found["cpu"]["verify"] +
             1e6 / found["cpu"]["sign"])
    rows = [
        row(group, "window 1: receipt p50", "us", single["receipt_p50_us"], least, "single"),
        row(group, "  receipt p99", "us", single["receipt_p99_us"]),
        row(group, "  delivery p50", "us", single["delivery_p50_us"]),
        row(group, "  delivery p99", "us", single["delivery_p99_us"]),
    ]
    for name, what, goal in (("publish_window_100", "window 100, runs of 20", None),
                             ("publish_100", "window 1,000, runs of 100", "batches"),
                             ("publish_250", "window 1,000, runs of 250", "batches"),
                             ("publish_1000", "window 4,000, runs of 1,000", "batches")):
        part = found[name]
        rows += [
            row(group, what, "/s", part["rate"], relay["rate"], goal),
            row(group, "  broker's CPU per million", "s", part["cpu_per_million"], relay["cpu_per_million"],
                goal and "cpu"),
            row(group, "  receipt p50", "us", part["receipt_p50_us"]),
            row(group, "  receipt p99", "us", part["receipt_p99_us"]),
        ]
    for name, what in (("publish_alone", "each signed alone, window 1,000"),
                       ("publish_alone_2", "  two publishers, window 500 each")):
        rows += [
            row(group, what, "/s", found[name]["rate"], verify, "alone"),
            row(group, "  broker's CPU per million, of what verifying takes", "s", found[name]["cpu_per_million"],
                1e6 / found["cpu"]["verify"]),
        ]
    return rows


def fan_rows(found):
    group, limit = "the broker: fan-out, deliveries", found["limit_fan"]
    rows = [{**row(group, "bare XPUB, CURVE, 64 subscribers", "/s", None), "limit": limit["rate"]},
            {**row(group, "  its CPU per million", "s", None), "limit": limit["cpu_per_million"]}]
    for name, what, goal in (("fan_64", "64 followers of everything", "fan"),
                             ("fan_64_filters", "64 followers, 8 filters of an eighth each", None),
                             ("fan_1000", "1,000 followers of everything", None),
                             ("fan_1000_filters", "1,000 followers, 8 filters", None)):
        rows += [row(group, what, "/s", found[name]["rate"], limit["rate"], goal),
                 row(group, "  broker's CPU per million", "s", found[name]["cpu_per_million"],
                     limit["cpu_per_million"])]
    return rows


def mail_rows(found):
    group, mail, single = "the broker: mail, the recipient away", found["mail"], found["mail_single"]
    return [
        row(group, "stored, window 100", "/s", mail["stored_rate"]),
        row(group, "  p50", "us", mail["stored_p50_us"]),
        row(group, "  p99", "us", mail["stored_p99_us"]),
        row(group, "  broker's CPU per million", "s", mail["stored_cpu_per_million"]),
        row(group, "stored, window 1: p50", "us", single["stored_p50_us"],
            found["store"]["commit_1_p50_us"] + found["echo"]["p50_us"]),
        row(group, "taken, when the recipient is back", "/s", mail["taken_rate"]),
        row(group, "  broker's CPU per million", "s", mail["taken_cpu_per_million"]),
    ]


def crowd_rows(found):
    group = "the broker: sessions"
    rows = []
    for many in ("", "_many"):
        what = f"idle member session, among {found[f'idle_sessions{many}']['sessions']:,.0f}"
        rows.append(row(group, what, "B", found[f"idle_sessions{many}"]["bytes_per_session"],
                        found[f"idle_router{many}"]["bytes_per_connection"], "memory"))
    storm = found["storm"]
    return rows + [
        row(group, "  against a bare ROUTER that asks ZAP", "B", found["idle_sessions"]["bytes_per_session"],
            found["idle_router_zap"]["bytes_per_connection"]),
        row(group, "sessions opened, one after another", "/s", found["idle_sessions"]["opened"],
            found["idle_router"]["opened"]),
        row(group, "all members come back at once: the last after", "s", storm["all_back_s"], 20, "back"),
        row(group, "  Welcome after connecting, p50", "ms", storm["welcome_p50_ms"]),
        row(group, "  p99", "ms", storm["welcome_p99_ms"]),
        row(group, "  broker's CPU for each", "us", storm["cpu_per_session_us"]),
        row(group, "  receipts meanwhile, window 1, p50", "us", storm["receipt_p50_us"]),
        row(group, "  p99", "us", storm["receipt_p99_us"]),
    ]


def hostile_rows(found):
    group, alone = "the broker: beside hostile peers, window 1", found["undisturbed"]
    rows = []
    for kind, what in (("half", "1,000 half-open handshakes"), ("garbage", "a member that sends garbage"),
                       ("forged", "a member that forges signatures")):
        part = found[f"beside_{kind}"]
        rows += [row(group, f"{what}: receipt p50", "us", part["receipt_p50_us"], alone["receipt_p50_us"]),
                 row(group, "  p99", "us", part["receipt_p99_us"], alone["receipt_p99_us"], "disturbed")]
    return rows


def start_rows(found):
    group, start = "the broker: start with a million records", found["start"]
    return [row(group, "ready", "s", start["ready_s"]),
            row(group, "first receipt", "s", start["first_s"], 1, "start")]


def ledger_rows(found):
    group, ledger = "a node", found["ledger"]
    return [
        row(group, "board taken in, verified, runs of 1,000", "/s", ledger["import_rate"], 150_000, "import"),
        row(group, "  daemon's CPU per million", "s", ledger["import_cpu_per_million"]),
        row(group, "  each signed alone", "/s", ledger["alone_board_rate"], found["cpu"]["verify_all"], "alone"),
        row(group, "  daemon's CPU per million, of what verifying takes", "s", ledger["alone_board_cpu_per_million"],
            1e6 / found["cpu"]["verify"]),
        row(group, "ledger import, runs of 1,000", "/s", ledger["ledger_import_rate"], 150_000, "import"),
        row(group, "  its CPU per million", "s", ledger["ledger_import_cpu_per_million"]),
        row(group, "ledger verify", "/s", ledger["ledger_verify_rate"]),
        row(group, "  its CPU per million", "s", ledger["ledger_verify_cpu_per_million"]),
        row(group, "ledger rebuild", "/s", ledger["ledger_rebuild_rate"]),
        row(group, "  its CPU per million", "s", ledger["ledger_rebuild_cpu_per_million"]),
        row(group, "ledger export --complete", "/s", ledger["ledger_export_rate"]),
        row(group, "each signed alone: ledger import", "/s", ledger["alone_import_rate"], found["cpu"]["verify_all"],
            "alone"),
        row(group, "  its CPU per million, of what verifying takes", "s", ledger["alone_import_cpu_per_million"],
            1e6 / found["cpu"]["verify"]),
        row(group, "  ledger verify", "/s", ledger["alone_verify_rate"], found["cpu"]["verify_all"], "alone"),
        row(group, "  ledger rebuild", "/s", ledger["alone_rebuild_rate"]),
    ]


def data_of(part):
    return "ESCO and postcodes" if "taxonomy_ms" in part else "ISCO-08 and postcode areas"


def board_rows(found, size):
    part, other = found[f"match_{size}"], found.get(f"postgres_{size}")
    group = f"matching among {size:,} offers: {data_of(part)}"
    million = size >= 1_000_000  # what a small board needs for itself is not shared by many
    rows = [
        row(group, "best 20 for an offer, CPU: p50", "us", part["best20_p50_us"], 250, "best20_p50"),
        row(group, "  p99", "us", part["best20_p99_us"], 1000, "best20_p99"),
        row(group, "  with the words of all 20: p50", "us", part["explained_p50_us"], 250, "best20_p50"),
        row(group, "  p99", "us", part["explained_p99_us"], 1000, "best20_p99"),
        row(group, "  of a scan of all cards, CPU: p50", "us", part["best20_p50_us"], part["scan_p50_us"]),
        row(group, "offers indexed, one core", "/s", part["indexed_a_second"], 300_000, "indexed"),
        row(group, "memory an offer", "B", part["bytes_an_offer"], 200, "offer_bytes" if million else None),
        row(group, "loaded: unpacked, checked and indexed", "s", part["load_seconds"]),
    ]
    if other:
        rows += [
            row(group, "best 20 by the clock, PostgreSQL's best: p50", "us", other["engine_p50_us"], other["p50_us"],
                "postgres" if million else None),
            row(group, "  p99", "us", other["engine_p99_us"], other["p99_us"]),
            row(group, "  CPU of one, the server's: mean", "us", other["engine_cpu_us"], other["cpu_us"],
                "postgres" if million else None),
            row(group, "  the same offers as the engine's", "%", other["same_percent"]),
            row(group, "bytes an offer, PostgreSQL's table and indexes", "B", part["bytes_an_offer"],
                other["bytes_an_offer"]),
            row(group, "loaded, PostgreSQL's COPY and indexes", "s", part["load_seconds"], other["load_seconds"]),
        ]
    return rows


def match_rows(found):
    sizes = sorted(int(name.split("_")[1]) for name in found if name.startswith("match_"))
    return [one for size in sizes for one in board_rows(found, size)]


def plan_rows(found):
    plan = found["plan"]
    lenders, board = (f"{plan[name]:,.0f}" for name in ("plan_100_people_lenders", "plan_board_offers"))
    group = f"plans: {data_of(plan)}"
    return [
        row(group, f"100 people from {lenders} lenders, CPU", "s",
            plan["plan_100_people_judging_seconds"] + plan["plan_100_people_seconds"], 1, "lenders"),
        row(group, "  people in the plan, of 100", "", plan["plan_100_people_people"], 100),
        row(group, f"rings of up to four on a board of {board}, CPU", "s",
            plan["plan_board_pairs_seconds"] + plan["plan_rings_listed_and_packed_seconds"], 10, "rings"),
        row(group, "  of which the 20 best offers for each request", "s", plan["plan_board_pairs_seconds"]),
        row(group, "  rings that there are", "", plan["plan_rings_listed"]),
        row(group, "with the time for a better set used up, CPU", "s", plan["plan_rings_seconds"]),
        row(group, "  rings in the plan", "", plan["plan_rings_found"]),
        row(group, "  people in them", "", plan["plan_rings_people"]),
        row(group, "loans of the whole board, CPU", "s", plan["plan_board_seconds"]),
        row(group, "  people", "", plan["plan_board_people"]),
        row(group, "  worth, of the most that any plan can be", "%", 100 / (1 + plan["plan_board_gap_percent"] / 100)),
    ]


def other_rows(found):
    group, rows = "other brokers, without encryption, and the broker beside them", []
    for name, what in (("nats", "NATS JetStream"), ("redis", "Redis stream, fsync always"), ("mqtt", "Mosquitto QoS 1")):
        for window in (1, 100, 1000):
            part = found.get(f"{name}_{window}")
            if not part:
                continue
            rows.append({**row(group, f"{what}, window {window:,}", "/s", None), "limit": part["rate"]})
            if window == 1:
                rows.append({**row(group, "  acknowledged p50", "us", None), "limit": part["acknowledged_p50_us"]})
            if window == 1000:
                rows.append({**row(group, "  its CPU per million", "s", None), "limit": part["cpu_per_million"]})
    for length in (100, 250):
        if "nats_1000" in found and f"publish_{length}" in found:
            ours, theirs = found[f"publish_{length}"], found["nats_1000"]
            rows += [row(group, f"the broker, window 1,000, runs of {length}, against JetStream", "/s", ours["rate"],
                         theirs["rate"], "nats"),
                     row(group, "  CPU per million", "s", ours["cpu_per_million"], theirs["cpu_per_million"],
                         "nats_cpu")]
    return rows


SECTIONS = [("publish_single", inside_rows), ("publish_single", publish_rows), ("fan_64", fan_rows),
            ("mail", mail_rows), ("storm", crowd_rows), ("undisturbed", hostile_rows), ("start", start_rows),
            ("ledger", ledger_rows), ("plan", plan_rows)]


def rows_of(rounds):
    found = medians(rounds)
    rows = limit_rows(found) if "cpu" in found else []
    for part, section in SECTIONS:
        if part in found:
            rows += section(found)
    return rows + match_rows(found) + other_rows(found)


def number(value):
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def markdown(rows):
    """The table as docs/figures.md has it."""
    lines, group = ["| | limit | here | ratio | goal |", "|---|---|---|---|---|"], None

    def with_unit(value, unit):
        return f"{number(value)} {unit}".strip() if value is not None else ""

    for one in rows:
        if one["group"] != group:
            group = one["group"]
            lines.append(f"| **{group}** | | | | |")
        goal = "" if one["goal"] is None else f"{one['goal']} {'✓' if one['reached'] else '✗'}"
        ratio = "" if one["ratio"] is None else f"{one['ratio']:.2f}" if one["ratio"] >= 0.1 else f"{one['ratio']:.2g}"
        lines.append(f"| {one['what'].strip()} | {with_unit(one['limit'], one['unit'])} | "
                     f"{with_unit(one['figure'], one['unit'])} | {ratio} | {goal} |")
    return "\n".join(lines) + "\n"


def print_table(rows, facts, amounts, notes):
    line = "{:<48} {:>12} {:>12} {:<3} {:>6}  {}"
    group = None
    print(line.format("", "limit", "program", "", "ratio", "goal"))
    for one in rows:
        if one["group"] != group:
            group = one["group"]
            print(f"\n{group}")
        goal = "" if one["goal"] is None else ("reached: " if one["reached"] else "SHORT:   ") + one["goal"]
        ratio = "" if one["ratio"] is None else f"{one['ratio']:.2f}" if one["ratio"] >= 0.1 else f"{one['ratio']:.2g}"
        print(line.format("  " + one["what"], number(one["limit"]), number(one["figure"]), one["unit"], ratio,
                          goal).rstrip())
    print("".join(f"\n{note}" for note in notes))
    print(f"\n{facts['processor']}, {facts['cores']} cores, {facts['memory_gib']} GiB; Linux {facts['kernel']}, "
          f"{facts['file_system']}; {facts['build']} build; median of {amounts['rounds']} round(s); load before: "
          f"{facts['load_before']}")
    if facts["load_before"] > 0.5:
        print("Other work was going on meanwhile: trust the ratios more than the figures, and neither very much.")
