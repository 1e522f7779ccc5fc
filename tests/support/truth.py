"""What must hold of a whole world, read from the ledgers and from the broker's store: the five invariants of the design,
section "How an agreement comes about", receipts, holds against a plain calendar, verified and rebuilt ledgers.

`check` may be called at any moment, whatever runs and whatever is down. `settled` waits until all that is under way has
arrived and then asks for more: nothing is left between two states, and both sides tell the same story."""
import json
import subprocess
import time
from collections import defaultdict

from support.world import DEADLINE, binaries

CONCLUDED, VOID, AMENDED, TERMINATED, RELEASED, REDUCED = 1, 2, 3, 4, 5, 6  # verdicts, as in proto/deal.proto
AGREED = {"CONCLUDED", "TERMINATED"}
OPEN = {"DRAFT", "PROPOSED", "RECEIVED", "PENDING"}
NO_LAST_DAY = 2147483647  # of a transfer
MOST_TOLD = 25  # of what is wrong


def look(program, home):
    result = subprocess.run([binaries() / program, home], capture_output=True, text=True, timeout=DEADLINE)
    assert result.returncode == 0, (program, home, result.stderr)
    return json.loads(result.stdout)


def on_day(hold, day):
    """The people of a hold on one of its days: some may have ended before the others."""
    return max(0, hold["people"] - sum(end["people"] for end in hold["ends"] if end["until"] < day))


class Truth:
    """One look at everything, while it may run. What the broker knows of a ledger is read before it, and what a ledger knows
    of the broker after: each must already be there."""

    def __init__(self, world):
        self.world = world
        self.seen = look("look_store", world.broker.home)["heads"]
        self.ledgers = {node.name: look("look_ledger", node.home) for node in world.nodes}
        self.store = look("look_store", world.broker.home)
        self.mail, self.requests = set(self.store["mail"]), set(self.store["requests"])
        self.registers = {register["root"]: register for register in self.store["registers"]}
        self.wrong, self.offered = [], {}

    def deals(self):
        """deal -> {name of the node: its row}"""
        found = defaultdict(dict)
        for name, ledger in self.ledgers.items():
            for row in ledger["deals"]:
                found[row["deal"]][name] = {**row, "state": row["state"].removeprefix("DEAL_STATE_")}
        return found

    def expect(self, holds, *what):
        if not holds:
            self.wrong.append(" ".join(map(str, what)))

    # ---- at any moment

    def agreements(self):
        """Invariants 1 and 2: never concluded here and void there; concluded here implies concluded at the decider."""
        for deal, rows in self.deals().items():
            states = {row["state"] for row in rows.values()}
            register = self.registers.get(next(iter(rows.values()))["root"])
            verdict = next((d["verdict"] for d in register["deals"] if d["deal"] == deal), 0) if register else 0
            free = "RELEASED" in states or (register and register["released"])
            self.expect(not (states & AGREED and "VOID" in states) or free, "concluded and void:", deal, rows)
            self.expect(not states & AGREED or verdict in (CONCLUDED, AMENDED) or free,
                        "concluded, and not at the decider:", deal, rows, register)
            self.expect(verdict not in (CONCLUDED, AMENDED) or "VOID" not in states or free,
                        "concluded at the decider, void at a party:", deal, rows)

    def days(self):
        """Invariant 3, against a plain calendar."""
        for node in self.world.nodes:
            offered = {row["id"]: row["offer"] for row in node.json("offer", "list", "--mine", "--all")["offers"]}
            self.offered[node.name] = offered
            days = defaultdict(lambda: defaultdict(dict))  # subject, day, root -> people
            for hold in self.ledgers[node.name]["holds"]:
                for day in range(hold["from"], min(hold["until"], hold["from"] + 400) + 1):
                    people = days[hold["subject"]][day]
                    people[hold["root"]] = max(people.get(hold["root"], 0), on_day(hold, day))
            for subject, calendar in days.items():
                if subject not in offered:
                    continue
                for day, people in calendar.items():
                    self.expect(sum(people.values()) <= offered[subject]["headcount"], "too many on day", day, "of", subject,
                                "at", node.name, dict(people))

    def positions(self):
        """Invariant 4: one entry a position, none left out; every decision that a party took is the decider's."""
        for root, register in self.registers.items():
            entries = register["deals"] + register["parts"]
            places = sorted(entry["position"] for entry in entries if entry["position"])
            own = 1 if register["verdict"] in (TERMINATED, RELEASED) and register["position"] else 0
            self.expect(len(places) == len(set(places)), "two entries at one position:", register)
            self.expect(len(places) + own >= register["position"] or register["released"], "positions left out:", register)
            self.expect(sum(deal["verdict"] == CONCLUDED for deal in register["deals"]) <= 1, "concluded twice:", register)
        for name, ledger in self.ledgers.items():
            places = [row["seq"] for row in ledger["taken"] if row["seq"]]
            self.expect(len(places) == len(set(places)), "one item of the mailbox taken twice at", name)
            for row in ledger["taken"]:
                self.expect(row["decision"] in self.store["decisions"], "a decision the decider does not know:", row, "at", name)
            for row in ledger["deals"]:
                self.expect(len(row["decisions"]) == len(set(row["decisions"])), "a decision in effect twice at", name, row)

    def kept(self, ledger, stored):
        """Is there what was answered by Stored? A request is known by what was signed last for it. That is its sender's own,
        and kept for it; but a RELEASE is lodged by both, with the answer that one of them signed: whoever's request comes
        first, from then on the root is released."""
        if stored["seq"]:
            return stored["hash"] in self.mail
        theirs = next((row for row in ledger["releases"] if row["answer"] == stored["hash"] and not row["mine"]), None)
        if theirs:
            return self.registers.get(theirs["root"], {}).get("released", False)
        return stored["hash"] in self.requests

    def receipts(self):
        """What was receipted stands where the receipt says; what was answered by Stored was stored."""
        log = self.store["log"]
        for name, ledger in self.ledgers.items():
            places = [(row["epoch"], row["seq"]) for row in ledger["receipts"]]
            self.expect(len(places) == len(set(places)), "two records, one receipt at", name)
            for row in ledger["receipts"]:
                self.expect(log.get(str(row["seq"])) == row["record"], "receipt not honoured at", name, row)
            for row in ledger["stored"]:
                self.expect(self.kept(ledger, row), "Stored not honoured at", name, row)
        self.expect(len(set(log.values())) == len(log), "a record stands twice in the log")

    def heads(self):
        """What the broker saw of a ledger is still there: whoever lost it would have to notice, and nobody lost anything."""
        for name, ledger in self.ledgers.items():
            head = self.seen.get(ledger["party"])
            if head is None:
                continue
            self.expect(head["number"] <= len(ledger["hashes"]) and ledger["hashes"][head["number"] - 1] == head["hash"],
                        "the broker has seen a head that is not there any more:", name, head, len(ledger["hashes"]))

    # ---- when nothing is under way

    def nothing_between(self, past):
        for node in self.world.nodes:
            waiting = node.json("status")["outbox"]["waiting"]
            self.expect(waiting == 0, "in the outbox of", node.name, waiting)
            for row in node.deals():
                self.expect(not row.get("waits_for_signature"), "unsigned at", node.name, row["id"], row["state"])
                if past:
                    self.expect(row["state"] not in ("draft", "proposed", "received", "pending"), "open past accept_by at",
                                node.name, row["id"], row["state"])

    def released(self, root, deal):
        """Did a RELEASE end the root, and this deal without an agreement? Then one side may have heard before it knew of the
        RELEASE that the deal is void, and the other after it, when no decision counts."""
        register = self.registers.get(root, {"released": False})
        agreed = (CONCLUDED, AMENDED)
        return register["released"] and not any(d["deal"] == deal and d["verdict"] in agreed for d in register["deals"])

    def both_alike(self):
        for deal, rows in self.deals().items():
            states = {row["state"] for row in rows.values()}
            if len(rows) < 2:  # never left its house
                self.expect(states <= {"VOID", "DRAFT"}, "only one side knows", deal, rows)
                continue
            if states == {"VOID", "RELEASED"}:
                self.expect(self.released(next(iter(rows.values()))["root"], deal), "void and released:", deal, rows)
                continue
            self.expect(len(states) == 1 or states == {"PROPOSED", "RECEIVED"}, "the sides differ:", deal, rows)

    def holds_alike(self):
        """What is agreed is held by both for the same days; what is over holds nothing."""
        deals, sides = self.deals(), defaultdict(dict)
        for name, ledger in self.ledgers.items():
            for hold in ledger["holds"]:
                state = deals[hold["deal"]][name]["state"]
                self.expect(state in (AGREED if hold["agreed"] else OPEN), "a hold of what is", state, "at", name, hold)
                if hold["agreed"]:
                    ends = tuple((end["people"], end["until"]) for end in hold["ends"])
                    sides[hold["deal"]][name] = (*(hold[key] for key in ("from", "until", "people", "hours")), ends)
        for deal, rows in sides.items():
            self.expect(len(rows) == 2 and len(set(rows.values())) == 1, "agreed days differ:", deal, rows)
        for register in self.registers.values():
            last = register["last_deal"]
            if register["verdict"] in (CONCLUDED, AMENDED, REDUCED) and not register["released"]:
                self.expect(last in sides, "agreed, and nobody held for it:", register)
                ended = tuple((part["people"], part["until"]) for part in register["parts"] if part["deal"] == last)
                self.expect(all(ends == ended for *_, ends in sides[last].values()), "other parts ended:", register, sides[last])

    def safe(self):
        self.agreements()
        self.days()
        self.positions()
        self.receipts()
        self.heads()
        return self

    def quiet(self, past):
        self.nothing_between(past)
        self.both_alike()
        self.holds_alike()
        return self


def check(world):
    """What must hold at any moment."""
    truth = Truth(world).safe()
    assert not truth.wrong, truth.wrong
    return truth


def settled(world, past=False, restored=False):
    """Waits until nothing is under way (all daemons run), and checks everything. `past`: every accept_by is past, so that
    no deal may be open. `restored`: somebody came back from a backup, so that receipts and heads from before may be gone,
    and what the decider had forgotten it is only now told again."""
    end = time.monotonic() + DEADLINE
    while True:
        truth = Truth(world) if restored else check(world)
        if restored:
            truth.agreements()
            truth.days()
        if not truth.quiet(past).wrong:
            return truth
        assert time.monotonic() < end, truth.wrong[:MOST_TOLD]
        for node in world.nodes:  # each look costs something; a second of any node's life is longer
            node("deal", "list", "--wait", "1", expect=None)


def rebuilt(world):
    """Stops the nodes; their ledgers verify, and a rebuild gives the same tables."""
    for node in world.nodes:
        node.stop()
        node("ledger", "verify")
        before = look("look_ledger", node.home), node.deals(), node.json("offer", "list", "--all")
        node("ledger", "rebuild")
        assert before == (look("look_ledger", node.home), node.deals(), node.json("offer", "list", "--all"))


def told(world, past=False, restored=False):
    """All of it: the end of a test."""
    settled(world, past, restored)
    rebuilt(world)
