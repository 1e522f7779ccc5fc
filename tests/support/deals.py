"""Steps of a deal that several flows share."""
from support import offers
from support.world import WAIT

DONE = {"concluded", "active"}


def matched(lender, borrower, out="logistiek-magazijn-uit", wanted="voedsel-orderpickers-in", **changes):
    """Both publish; the borrower's match of the two. changes: members of the borrower's offer."""
    lent = lender.publish(offers.load(out), "--wait", WAIT)
    offer = {**offers.load(wanted), **changes}
    asked = borrower.publish(offer, "--wait", WAIT)
    return lent, asked, match_of(borrower, asked, lent)


def match_of(node, mine, counter):
    """Waits until the node has found this pair."""
    while True:
        for match in node.json("match", "list", "--offer", mine, "--wait", WAIT)["matches"]:
            if match["counter"] == counter:
                return match["id"]


def received(node, deal):
    """Waits until the deal stands in the node's ledger."""
    while True:
        found = [row for row in node.json("deal", "list", "--wait", WAIT)["deals"] if row["id"] == deal]
        if found:
            return found[0]


def propose(node, match, *arguments):
    return node("deal", "propose", match, *arguments, "--wait", WAIT).stdout.strip()


def conclude(proposer, acceptor, match, *arguments):
    """A proposal, accepted; its id, concluded at both."""
    deal = propose(proposer, match, *arguments)
    received(acceptor, deal)
    assert acceptor.json("deal", "accept", deal, "--wait", WAIT)["state"] in DONE
    assert proposer.deal(deal, "--wait", WAIT)["state"] in DONE
    return deal


def prove(node, deal, *arguments):
    from support.world import call
    return call([node.program, "deal", "prove", deal, *arguments, "--home", node.home], text=False).stdout
