"""Steps of a deal that several flows share."""
from support import offers
from support.world import WAIT, call, within

DONE = {"concluded", "active"}


def matched(lender, borrower, out="logistiek-magazijn-uit", wanted="voedsel-orderpickers-in", **changes):
    """Both publish, and both have found the match of the two, so that either may propose on it. changes: members of the
    borrower's offer."""
    lent = lender.publish(offers.load(out), "--wait", WAIT)
    offer = {**offers.load(wanted), **changes}
    asked = borrower.publish(offer, "--wait", WAIT)
    match = match_of(borrower, asked, lent)
    assert match_of(lender, lent, asked) == match
    return lent, asked, match


def match_of(node, mine, counter):
    """Waits until the node has found this pair."""
    for _ in within():
        for match in node.json("match", "list", "--offer", mine, "--wait", WAIT)["matches"]:
            if match["counter"] == counter:
                return match["id"]


def received(node, deal):
    """Waits until the deal stands in the node's ledger."""
    for _ in within():
        found = [row for row in node.json("deal", "list", "--wait", WAIT)["deals"] if row["id"] == deal]
        if found:
            return found[0]


def row_of(node, deal):
    return next((row for row in node.deals() if row["id"] == deal), {"state": "none"})


def look_again(node):
    """After something has come in, or a second."""
    node("deal", "list", "--wait", "1", expect=None)


def until(nodes, deal, *states):
    """Until the deal is in one of the states at each of the nodes."""
    for node in nodes:
        for _ in within():
            if row_of(node, deal)["state"] in states:
                break
            look_again(node)


def propose(node, match, *arguments):
    return node("deal", "propose", match, *arguments, "--wait", WAIT).stdout.strip()


def accept(acceptor, proposer, deal):
    """Accepted by one, and concluded at both: the proposer may hear of it later."""
    assert acceptor.json("deal", "accept", deal, "--wait", WAIT)["state"] in DONE
    assert proposer.deal(deal, "--wait", WAIT)["state"] in DONE


def conclude(proposer, acceptor, match, *arguments):
    """A proposal, accepted; its id, concluded at both."""
    deal = propose(proposer, match, *arguments)
    received(acceptor, deal)
    accept(acceptor, proposer, deal)
    return deal


def prove(node, deal, *arguments):
    return call([node.program, "deal", "prove", deal, *arguments, "--wait", WAIT, "--home", node.home], text=False).stdout
