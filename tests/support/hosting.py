"""A network's node and the employers that live there, each driven with --as as if it were a node of its own."""
from support.world import WAIT, Node

NETWORK = ("ACE West-Brabant", "90000001", "B. Maas", "directeur")
EMPLOYERS = [("Snijder Logistiek BV", "12345678", "M. de Wit", "directeur"),
             ("Versgoed Bakkerijen BV", "23456789", "J. Verhagen", "hoofd personeel"),
             ("Havendok 13 BV", "34567890", "I. Brouwers", "bedrijfsleider")]


class Hosted:
    """An employer that lives at `host`: the steps of support.deals take it for a node."""

    def __init__(self, host, name, kvk, *_):
        self.host, self.name, self.kvk = host, name, kvk
        self.program = host.program

    @property
    def home(self):
        return self.host.home

    def __call__(self, *arguments, expect=0, env=None, stdin=None):
        return self.host(*arguments, "--as", self.kvk, expect=expect, env=env, stdin=stdin)

    def json(self, *arguments, expect=0, env=None):
        return self.host.json(*arguments, "--as", self.kvk, expect=expect, env=env)

    publish, deal, deals = Node.publish, Node.deal, Node.deals


def add(broker, host, employer, *arguments, expect=0):
    """Invites the employer to live at the host, and adds it there."""
    name, kvk, signatory, function = employer
    token = broker.invite(name, kvk, "--host", host.kvk)
    host("party", "add", "--name", name, "--kvk", kvk, "--signatory", signatory, "--function", function,
         "--invitation", token, *arguments, expect=expect)
    return Hosted(host, name, kvk)


def network(world, employers=2, host=None):
    """A network's node, joined and running, and the employers that it hosts."""
    host = host or Node(world.directory, *NETWORK)
    host.init()
    host("join", world.broker.invite(host.name, host.kvk, "--role", "network"))
    host.start()
    world.nodes.append(host)  # it ends with the world
    return host, [add(world.broker, host, employer, "--wait", WAIT) for employer in EMPLOYERS[:employers]]
