"""Commands work with the daemon down and with the broker down; what waits is told, and goes when it can."""
import json

from support import deals, offers
from support.world import WAIT


def waiting(node):
    return node.json("status")["outbox"]["waiting"]


def test_with_the_daemon_down_the_outbox_waits_and_says_why(world_of):
    world = world_of(2)
    lender, borrower = world.nodes
    lender.sent()
    lender.stop()
    lent = lender.publish(offers.load("logistiek-magazijn-uit"))
    status = lender.json("status")
    assert status["outbox"]["waiting"] == 1 and status["broker"]["why"] == "daemon_down"
    assert "collega run" in lender("status", "--lang", "nl").stdout
    late = lender("offer", "publish", "-", "--wait", "1", expect=3,
                  stdin=json.dumps(offers.load("logistiek-heftruck-uit")))
    assert late.stderr.strip()
    lender.start()
    asked = borrower.publish(offers.load("voedsel-orderpickers-in"), "--wait", WAIT)
    assert deals.match_of(borrower, asked, lent)
    lender.sent()


def test_with_the_broker_down_proposals_wait_unsigned_and_then_go(world_of):
    world = world_of(2)
    lender, borrower = world.nodes
    _, _, match = deals.matched(lender, borrower)
    world.broker.kill()
    deal = borrower("deal", "propose", match, "--headcount", "2").stdout.strip()
    assert borrower.deal(deal)["state"] in ("draft", "proposed")
    offline = lender.publish(offers.load("logistiek-heftruck-uit"))
    assert lender.json("offer", "show", offline)["state"] == "open"
    world.broker.start()
    deals.received(lender, deal)
    deals.accept(lender, borrower, deal)


def test_joining_an_unreachable_broker_keeps_the_token(world_of):
    world = world_of(1, start=False)
    world.broker.init()
    world.broker.start()
    node = world.nodes[0]
    node.init()
    token = world.broker.invite(node.name, node.kvk)
    world.broker.kill()
    refused = node("join", token, "--wait", "1", expect=3)
    assert refused.stderr.strip()
    world.broker.start()
    node.start()
    node("join", token, "--wait", WAIT)
    assert node.json("status")["broker"]["joined"]


def test_an_invitation_serves_one_employer_but_again_and_again(world_of):
    world = world_of(2, start=False)
    world.broker.init()
    world.broker.start()
    first, second = world.nodes
    first.init()
    second.init()
    token = world.broker.invite(first.name, first.kvk)
    first("join", token)
    refused = second("join", token, "--wait", WAIT, expect=1)
    assert refused.stderr.strip()
    assert not second.json("status")["broker"]["joined"]


def test_ten_minutes_of_nothing_is_no_reason_to_forget(world_of):
    """A node that was away catches up from its cursor."""
    world = world_of(2)
    lender, borrower = world.nodes
    borrower.stop()
    names = [name for name in offers.names() if name.endswith("-uit")]
    ids = lender.publish([offers.load(name) for name in names], "--wait", WAIT)
    assert len(ids) == len(names) >= 12
    borrower.start()
    while len(borrower.json("offer", "list")["offers"]) < len(names):
        borrower("status")
    seen = {row["id"] for row in borrower.json("offer", "list")["offers"]}
    assert seen == set(ids)
