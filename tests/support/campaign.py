"""A random life of one lender with three people and its bidders: offers, mail, and contended deals over overlapping weeks,
with counters, amendments, terminations and releases mixed in, while broker and nodes are killed at random moments. All
of it follows from one seed; what the machine makes of it, of course, does not."""
import datetime
import json
import random
import re
import signal

from support import deals, offers, truth
from support.world import ROOT, Failed, World

POINTS = re.findall(r"^FAULT\((\w+), (\w+)\)", (ROOT / "base" / "fault.def").read_text(), re.M)
PEOPLE, WEEKS = 3, 6
MOST_OPEN = 3  # deals of one bidder that are open at once
KILL_A_STEP, ARMED = 0.1, 0.35  # how often SIGKILL from outside; how much of what is started again carries a fault
OUT, IN = "logistiek-heftruck-uit", "logistiek-heftruck-in"


class Campaign:
    def __init__(self, directory, seed, bidders, kills):
        self.random, self.kills_wanted, self.kills, self.commands = random.Random(seed), kills, 0, 0
        self.seed, self.names = seed, {}
        self.world = World(directory, bidders + 1, start=False)
        self.lender, *self.bidders = self.world.nodes

    # ---- killing

    def daemons(self):
        return [self.world.broker, *self.world.nodes]

    def fault(self, daemon):
        side = "broker" if daemon is self.world.broker else "node"
        point = self.random.choice([point for point, of in POINTS if of == side])
        return {"COLLEGA_FAULT": f"{point}:{self.random.randint(1, 40)}"}

    def start(self, daemon, armed):
        try:
            daemon.start(env=self.fault(daemon) if armed else None)
        except Failed:
            assert armed and daemon.process.poll() == -signal.SIGKILL, daemon.log.read_text(errors="replace")[-3000:]
            self.kills += 1
            daemon.start()

    def revive(self, armed):
        """Starts again what died, by its fault and by nothing else."""
        for daemon in self.daemons():
            if not daemon.running():
                assert daemon.process.returncode == -signal.SIGKILL, daemon.log.read_text(errors="replace")[-3000:]
                self.kills += 1
                self.start(daemon, armed)

    def strike(self):
        """SIGKILL at whatever it is doing; half of what is started again carries a fault that strikes later."""
        daemon = self.random.choice([self.world.broker, self.lender, self.random.choice(self.bidders)])
        if daemon.running():
            daemon.kill()
        self.revive(self.random.random() < ARMED)

    # ---- living

    def run(self, node, *arguments, stdin=None):
        """One command. It may be refused, in words; and it may be killed itself."""
        self.commands += 1
        armed = self.random.random() < 0.03
        result = node(*arguments, expect=None, env=self.fault(node) if armed else None, stdin=stdin)
        assert result.returncode in (0, 1) or (armed and result.returncode == -signal.SIGKILL), (arguments, result)
        assert result.returncode != 1 or result.stderr.strip(), arguments
        self.kills += result.returncode == -signal.SIGKILL
        return result

    def publish(self, node, offer):
        """Published for certain: after a kill it looks whether the offer was stored."""
        result = self.run(node, "offer", "publish", "-", stdin=json.dumps(offer))
        if result.returncode == -signal.SIGKILL:
            mine = [row["id"] for row in node.json("offer", "list", "--mine")["offers"]]
            return mine[0] if mine else node.publish(offer)
        return result.stdout.strip()

    def weeks(self):
        first = self.random.randrange(WEEKS)
        last = self.random.randrange(first, WEEKS)
        return [(self.monday + datetime.timedelta(weeks=week, days=day)).isoformat() for week, day in ((first, 0), (last, 6))]

    def begin(self):
        self.world.open()
        lent, wanted = offers.load(OUT), offers.load(IN)
        self.monday = max(datetime.date.fromisoformat(offer["period"]["from"]) for offer in (lent, wanted))
        period = {"from": self.monday.isoformat(),
                  "until": (self.monday + datetime.timedelta(weeks=WEEKS + 4)).isoformat()}
        self.lent = self.publish(self.lender, {**lent, "headcount": PEOPLE, "min_headcount": 1, "period": period})
        self.match = {}
        for bidder in self.bidders:
            asked = self.publish(bidder, {**wanted, "headcount": PEOPLE, "min_headcount": 1, "period": period})
            self.match[bidder.name] = deals.match_of(bidder, asked, self.lent)

    def terms(self):
        start, end = self.weeks()
        return ["--headcount", str(self.random.randint(1, PEOPLE)), "--from", start, "--until", end]

    def act_on(self, node, row):
        """What a user may want of a deal in this state; most of it is refused now and then, by races."""
        choose, deal, state = self.random.random(), row["id"], row["state"]
        if row.get("release") == "received":
            return ["deal", "release", deal, self.random.choice(["--sign", "--keep"])]
        if state == "received":
            if choose < 0.6:
                return ["deal", "accept", deal]
            if choose < 0.75 or "amends" in row:
                return ["deal", "decline", deal]
            return ["deal", "counter", deal, *self.terms()]
        if state == "proposed" and choose < 0.3:
            return ["deal", "withdraw", deal] if choose < 0.15 or "amends" in row else ["deal", "counter", deal, *self.terms()]
        if state in deals.DONE and "amended_by" not in row:
            if choose < 0.35:
                return ["deal", "amend", deal, "--headcount", str(self.random.randint(1, PEOPLE))]
            if choose < 0.5:
                until = datetime.date.fromisoformat(row["terms"]["until"]) + datetime.timedelta(weeks=1)
                return ["deal", "amend", deal, "--until", until.isoformat()]
            if choose < 0.58:
                return ["deal", "terminate", deal, "--effective", self.weeks()[1]]
            if choose < 0.64:
                return ["deal", "terminate", deal, "--effective", self.weeks()[1], "--headcount", "1"]
            if choose < 0.68:
                return ["deal", "release", deal]
        return None

    def live(self):
        node = self.random.choice([self.lender, *self.bidders, self.lender])
        choose = self.random.random()
        if choose < 0.08:
            self.run(node, "offer", "publish", "-", stdin=json.dumps(offers.load(OUT if node is self.lender else IN)))
        elif choose < 0.14:
            other = self.random.choice(self.bidders) if node is self.lender else node
            self.run(node, "deal", "talk", self.match[other.name], "--message", f"{self.commands} handen gezocht")
        elif choose < 0.20:
            self.run(self.lender, "offer", self.random.choice(["pause", "resume"]), self.lent)
        else:
            rows = node.deals()
            open_rows = [row for row in rows if row["state"] in ("draft", "proposed", "received", "pending")]
            if choose < 0.45 and node is not self.lender and len(open_rows) < MOST_OPEN:
                self.run(node, "deal", "propose", self.match[node.name], *self.terms())
                return
            self.random.shuffle(rows)
            step = next(filter(None, (self.act_on(node, row) for row in rows)), None)
            if step:
                self.run(node, *step)

    # ---- the end

    def answer(self):
        """Who was asked for RELEASE answers: nobody else can end that."""
        for node in self.world.nodes:
            for row in node.deals():
                if row.get("release") == "received":
                    node("deal", "release", row["id"], self.random.choice(["--sign", "--keep"]), expect=None)

    def wind_up(self):
        """All are back, every accept_by passes, and everything must hold."""
        for daemon in self.daemons():
            daemon.stop()
            self.kills += daemon.process.returncode == -signal.SIGKILL
            daemon.turn_clock(days=10)
            daemon.start()
        self.answer()
        truth.settled(self.world)
        self.answer()
        found = truth.settled(self.world, past=True)
        truth.rebuilt(self.world)
        return found

    def go(self):
        self.begin()
        while self.kills < self.kills_wanted:
            self.live()
            self.revive(self.random.random() < ARMED)
            if self.random.random() < KILL_A_STEP:
                self.strike()
                if self.random.random() < 0.2:
                    truth.check(self.world)
        return self.wind_up()
