"""Power cuts over what changes a home as a whole: keys that are rotated and recovered, employers that live at a network's
node, erased names, backups, restores, an export and the import of it. As in test_power.py the power of one machine is cut,
a part of what it had not synced is lost, and each command that had succeeded by then has done what it said:

  a key    is the one that the next key follows on
  a party  lives there, and is certified where that was waited for
  a name   that was erased while the daemon was down is in no byte of the home; where erasing was under way, doing it again
           does it
  a copy   (backup, restored, exported, imported) is whole. Before that was said it is not there, or it is refused in words,
           or it is whole; it is never taken for whole when it is not

And everybody goes on, also with a copy in the place of the home that it was made of."""
import json
import os
import random
import shutil
from typing import NamedTuple

import pytest

from support import deals, hosting, offers, power, truth
from support.promises import built, check, made, recorded
from support.world import WAIT, elsewhere, until

LONG = bool(os.environ.get("COLLEGA_LONG"))
CUTS, RESTARTS = (600, 60) if LONG else (32, 3)
EMPLOYER, WAITING = hosting.EMPLOYERS[1:3]
NAMES = PERSON, PHONE, SAID = "Wilhelmina Quackelstein", "0612345987", "Quirinus Zandvoorter belt u morgen"


def beside(daemon, what):
    """On the same machine."""
    return daemon.home.with_name(f"{daemon.home.name}.{what}")


def placed(daemon, home):
    """The same program in another home, where nothing was said yet."""
    other = elsewhere(daemon, home)
    other.noted = ()
    return other


def names_on(path):
    return {name for file in path.rglob("*") if file.is_file() for name in NAMES if name.encode() in file.read_bytes()}


class Copy(NamedTuple):
    """One that was made in the recorded life."""

    name: str  # of its directory, or file
    kind: str  # a home as it is; a backup, or an export: a home is to be made of it
    of: str  # name of the daemon
    since: int  # what that had promised by this entry is in it
    made: power.Said  # the command that made it


# ---- the life

class Life:
    """The lender has a home of its own, the borrower lives at the network's node."""

    def __init__(self, directory):
        self.record = recorded(directory, 1, self.live)
        world, log = self.record.world, self.record.log
        self.said = {daemon.name: power.said(daemon, log) for daemon in (world.broker, *world.nodes)}
        self.copies = list(self.copies_of(log))
        host = self.host.name
        self.promises = {name: list(made(rows)) for name, rows in self.said.items()}
        self.promises[self.borrower.name] = list(made(self.said[host], self.borrower.kvk))
        self.joined = next(row.done for row in self.said[host] if row.arguments[0] == "join")

    # -- lived once

    def live(self, world):
        self.lender, = world.nodes
        host = power.NotingNode(world.directory, *hosting.NETWORK)
        power.recording(host, world.directory, self.lender.record)
        self.host, _ = hosting.network(world, 0, host)
        self.borrower = hosting.add(world.broker, host, EMPLOYER, "--wait", WAIT)
        hosting.add(world.broker, host, WAITING)
        self.agree(world.directory / "terms")
        self.change_keys()
        self.lender.stop()
        self.lender("ledger", "erase", "--deal", self.deal, "--yes", "--json")
        self.lender.start()
        self.log = truth.look("look_store", world.broker.home)["log"]
        self.copied = [self.copy_home(daemon) for daemon in (world.broker, *world.nodes)]
        self.export()
        deals.conclude(self.borrower, self.lender, self.match, "--headcount", "2")
        truth.settled(world)

    def agree(self, terms):
        terms.write_text(json.dumps({"persons": {"persons": [{"reference": PERSON}]},
                                     "contact": {"borrower": {"name": "X. Ypenburgh", "phone": PHONE}}}))
        _, _, self.match = deals.matched(self.lender, self.borrower)
        self.deal = deals.conclude(self.borrower, self.lender, self.match, "--headcount", "4", "--terms", terms)
        self.borrower("deal", "talk", self.deal, "--message", SAID, "--wait", WAIT)
        until(lambda: SAID in self.lender("deal", "talk", self.deal, expect=None).stdout)

    def change_keys(self):
        for party in (self.lender, self.borrower):
            party("key", "rotate", "--json", "--wait", WAIT)
        init = next(output for _, _, (first, *_), output in self.lender.noted if first == "init")
        recovery = init.split("):\n", 1)[1].splitlines()[0].strip()
        self.lender("key", "recover", "--recovery-key", "-", "--json", "--wait", WAIT, stdin=recovery)
        self.borrower("key", "rotate", "--json")
        for party, name in ((self.lender, "logistiek-heftruck-uit"), (self.borrower, "logistiek-heftruck-in")):
            party.publish(offers.load(name), "--wait", WAIT)

    @staticmethod
    def copy_home(daemon):
        group = [] if isinstance(daemon, power.NotingBroker) else ["ledger"]
        again = placed(daemon, beside(daemon, "restored"))
        daemon(*group, "backup", beside(daemon, "copy"))
        again(*group, "restore", beside(daemon, "copy"))
        return daemon, again

    def export(self):
        file = beside(self.lender, "export") / "ledger"
        file.parent.mkdir()
        self.lender("ledger", "export", "--complete", file, "--json")
        self.imported = placed(self.lender, beside(self.lender, "imported"))
        self.imported("ledger", "import", file, "--keys", self.lender.home, "--json")
        self.refilled = placed(self.lender, beside(self.lender, "refilled"))
        self.refilled("ledger", "restore", beside(self.lender, "copy"))
        power.rename(self.refilled, self.refilled.home / "ledger", self.refilled.home / "ledger-lost")
        self.refilled("ledger", "import", file, "--json")

    # -- what was said in it

    def of(self, daemon, *words):
        return next(row for row in self.said[daemon.name] if row.arguments[:len(words)] == words)

    def copies_of(self, log):
        for daemon, again in self.copied:
            node = daemon in self.record.world.nodes
            backup = self.of(daemon, *(["ledger", "backup"] if node else ["backup"]))
            yield Copy(beside(daemon, "copy").name, "backup" if node else "home", daemon.name, backup.began, backup)
            yield Copy(again.home.name, "home", daemon.name, backup.began, power.said(again, log)[0])
        export = self.of(self.lender, "ledger", "export")
        yield Copy(f"{beside(self.lender, 'export').name}/ledger", "export", self.lender.name, export.began, export)
        for program in (self.imported, self.refilled):
            yield Copy(program.home.name, "imported", self.lender.name, export.began, power.said(program, log)[-1])

    def steps(self):
        """(machine, from where, until where in the record) of what this test is about."""
        for daemon in (self.lender, self.host):
            for row in self.said[daemon.name]:
                if row.arguments[:2] in {("party", "add"), ("key", "rotate"), ("key", "recover"), ("ledger", "erase")}:
                    yield daemon.home.name, row.began, row.done
        for one in self.copies:
            yield power.machine_of(one.name), one.made.began, one.made.done


# ---- what is left

class Left:
    """The world as a cut left it."""

    def __init__(self, life, directory, files, point):
        self.life, self.point = life, point
        self.world = built(directory, life.record.world, files)
        self.lender, self.host = self.world.nodes
        self.borrower = hosting.Hosted(self.host, *EMPLOYER)
        self.daemon = {daemon.name: daemon for daemon in (self.world.broker, *self.world.nodes)}
        self.whole = []  # (name of the daemon, a home that can take its place)

    def check(self):
        self.world.broker("status")
        for node in self.world.nodes:
            node("ledger", "verify")
        found = truth.check(self.world)
        for node in self.world.nodes:
            check(node, self.life.promises[node.name], self.point, found)
        if self.parties():
            check(self.borrower, self.life.promises[self.borrower.name], self.point)
        self.erased()
        for one in self.life.copies:
            if one.made.began < self.point:
                self.check_copy(one)
        self.keys()

    def states(self):
        """Of each employer that lives at the network's node, by number."""
        return {row["kvk"]: row["state"] for row in self.host.json("party", "list")["parties"]}

    def parties(self):
        """Whoever was said to live there does; is the borrower one?"""
        found = self.states()
        for row in self.life.said[self.host.name]:
            if row.arguments[:2] == ("party", "add") and row.done <= self.point:
                kvk = row.arguments[row.arguments.index("--kvk") + 1]
                assert found.get(kvk) in (("member",) if "--wait" in row.arguments else ("member", "invited")), found
        return EMPLOYER[1] in found

    def is_erased(self):
        return self.life.of(self.lender, "ledger", "erase").done <= self.point

    def erased(self):
        row = self.life.of(self.lender, "ledger", "erase")
        assert json.loads(row.output)["remains"] is False
        if row.began < self.point < row.done:
            assert self.lender.json("ledger", "erase", "--deal", self.life.deal, "--yes")["remains"] is False
        if row.began < self.point:
            assert self.lender.deal(self.life.deal)["erased"]
            assert not names_on(self.lender.home)

    def keys(self):
        for party, daemon in ((self.lender, self.lender), (self.borrower, self.host)):
            told, may_be = [0], [0]
            for row in self.life.said[daemon.name]:
                mine = (EMPLOYER[1] in row.arguments) == (party is self.borrower)
                if row.arguments[0] == "key" and mine:
                    told += [json.loads(row.output)["card"]] if row.done <= self.point else []
                    may_be += [json.loads(row.output)["card"]] if row.began < self.point else []
            if party is self.borrower and not self.parties():
                continue
            fresh = party.json("key", "rotate")["card"]
            assert max(told) < fresh <= max(may_be) + 1, (party.name, told, may_be, fresh)

    # -- copies

    def opened(self, one):
        """The answer of the first command in it, and the program in its home."""
        path, daemon = self.world.directory / one.name, self.daemon[one.of]
        if one.kind in ("home", "imported"):
            program = placed(daemon, path)
            return program("status", "--json", expect=None), program
        program = placed(daemon, path.with_name(f"{path.name}-opened"))
        how = ["restore", path] if one.kind == "backup" else ["import", path, "--keys", daemon.home, "--json"]
        return program("ledger", *how, expect=None), program

    def check_copy(self, one):
        result, program = self.opened(one)
        if result.returncode != 0:
            assert result.returncode in (1, 3) and result.stderr.strip(), (one.name, result)
            assert one.made.done > self.point, f"{one.name} was said to be made: {result.stderr}"
            return
        daemon = self.daemon[one.of]
        mine, theirs = (path / "settings.ini" for path in (daemon.home, program.home))
        if one.kind in ("home", "backup"):
            assert theirs.exists() and theirs.read_text() == mine.read_text(), f"{one.name} is without its settings"
        if daemon is self.world.broker:
            self.whole_store(one, program, daemon)
        else:
            self.whole_ledger(one, program, daemon)
        self.whole.append((one.of, program.home))

    def whole_ledger(self, one, program, daemon):
        program("ledger", "verify")
        ledger, before = (truth.look("look_ledger", home) for home in (program.home, daemon.home))
        check(program, self.life.promises[one.of], one.since)
        if daemon is self.host:
            check(hosting.Hosted(program, *EMPLOYER), self.life.promises[self.borrower.name], one.since)
            assert program.json("party", "list") == daemon.json("party", "list")
        if one.kind in ("export", "imported"):
            count = json.loads(one.made.output)["entries"]
            assert ledger["hashes"][:count] == before["hashes"][:count] and len(ledger["hashes"]) >= count, one.name
        for file in daemon.home.glob("parties/*/identity"):
            assert (program.home / file.relative_to(daemon.home)).read_bytes() == file.read_bytes(), one.name
        assert daemon is not self.lender or not names_on(program.home)

    def whole_store(self, one, program, daemon):
        store = truth.look("look_store", program.home)
        assert self.life.log.items() <= store["log"].items(), one.name
        assert (program.home / "identity").read_bytes() == (daemon.home / "identity").read_bytes(), one.name
        assert program.json("members") == daemon.json("members"), one.name
        decided = {deal["deal"] for register in store["registers"] for deal in register["deals"]}
        for promise in (promise for promises in self.life.promises.values() for promise in promises):
            assert promise.done > one.since or not promise.states or promise.identity in decided, (one.name, promise)

    # -- going on

    def goes_on(self, random):
        of, home = random.choice([(None, None), *self.whole])
        if home:
            daemon = self.daemon[of]
            settings = (daemon.home / "settings.ini").read_bytes()
            shutil.rmtree(daemon.home)
            home.rename(daemon.home)
            (daemon.home / "settings.ini").write_bytes(settings)
        states = self.states()
        with self.world:
            for daemon in self.daemon.values():
                daemon.start()
            for employer in (EMPLOYER, WAITING):
                if states.get(employer[1]) not in ("member", "invited"):  # what was half done is done by doing it again
                    hosting.add(self.world.broker, self.host, employer, expect=None)
            until(lambda: set(self.states().values()) == {"member"})
            truth.settled(self.world, restored=bool(home))
            for party in (self.lender, self.borrower):
                party("key", "rotate", "--wait", WAIT)
            _, _, match = deals.matched(self.lender, self.borrower, "logistiek-heftruck-uit", "logistiek-heftruck-in")
            deals.conclude(self.borrower, self.lender, match, "--headcount", "1")
            truth.told(self.world, restored=bool(home))
            assert not self.is_erased() or not names_on(self.lender.home)


@pytest.fixture(scope="module")
def life(tmp_path_factory):
    return Life(tmp_path_factory.mktemp("homes"))


def test_what_became_of_homes_stands_after_every_cut(tmp_path, life, seed):
    source = random.Random(seed)
    steps, victims, points = list(life.steps()), {}, []
    assert len(steps) > 12 and len(life.copies) == 9
    for number in range(CUTS):
        if number % 4:  # where something is under way, and mostly on the machine that does it
            machine, began, done = steps[number % len(steps)] if number < len(steps) else source.choice(steps)
            points.append(source.randint(began + 1, done))
            victims[points[-1]] = machine
        else:
            points.append(source.randint(life.joined, life.record.count - 1))
    chosen = lambda point, machines: victims[point] if point in victims else source.choice(machines)  # noqa: E731
    again = set(source.sample(range(CUTS), RESTARTS))
    for index, (point, victim, files) in enumerate(power.cut(life.record.log, points, source, chosen)):
        directory = tmp_path / f"cut-{point}-{index}"
        left = Left(life, directory, files, point)
        try:
            left.check()
            if index in again:
                left.goes_on(source)
        except BaseException as failure:
            raise AssertionError(f"the power of {victim} was cut behind entry {point}; see {directory}") from failure
        shutil.rmtree(directory, ignore_errors=True)
