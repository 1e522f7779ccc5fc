"""Keys that rotate and are recovered, certificates that are renewed: deals go on, and what was signed stays verifiable."""
import shutil

import pytest

from support import deals, offers
from support.world import WAIT, Node, until
from test_deal_proofs import proof


def connected(node):
    node_status = node.json("status")
    return node_status["broker"]["connected"] and not node_status["outbox"]["waiting"]


def identity(node):
    return next(node.home.glob("parties/*/identity"))


def cards(node):
    """Of each card: its number, and whether its secret is still there."""
    lines = [line.split() for line in identity(node).read_text().splitlines() if line.startswith("card ")]
    return [(int(line[1]), line[2] != "-") for line in lines]


def stolen(node, directory):
    """A copy of the home, in other hands."""
    thief = Node(directory, "Dief", node.kvk)
    shutil.copytree(node.home, thief.home)
    return thief


@pytest.fixture
def pair(world_of):
    world = world_of(2, start=False)
    world.broker.init()
    world.broker.start()
    for node in world.nodes:
        node.recovery = node("init", "--name", node.name, "--kvk", node.kvk, "--signatory", node.signatory,
                             "--function", node.function, "--lang", "en").stdout.split("):\n", 1)[1].splitlines()[0].strip()
        (node.home / "settings.ini").write_text("[link]\nreconnect_spread_ms = 100\n")
        node("join", world.broker.invite(node.name, node.kvk))
        node.start()
    return world, *world.nodes


def test_keys_rotate_while_a_deal_is_open(pair, tmp_path):
    world, lender, borrower = pair
    _, _, match = deals.matched(lender, borrower)
    agreed = deals.conclude(borrower, lender, match, "--headcount", "2")
    proposed = deals.propose(borrower, match, "--headcount", "3")
    deals.received(lender, proposed)
    assert borrower.json("key", "rotate", "--wait", WAIT)["card"] == 1  # the daemon is up
    lender.stop()
    assert lender.json("key", "rotate")["card"] == 1  # the daemon is down
    assert lender.json("key", "rotate")["card"] == 2
    lender.start()
    deals.accept(lender, borrower, proposed)
    third = deals.conclude(lender, borrower, deals.match_of(lender, *deals_of(lender, match)), "--headcount", "2")
    for node in (lender, borrower):
        for deal in (agreed, proposed, third):
            status, found = proof(node, deal, tmp_path / "proof.collega")
            assert status == 0 and found["valid"], found
    assert [number for number, _ in cards(lender)] == [0, 1, 2]
    for node in (lender, borrower):
        node.stop()
        node("ledger", "verify")
        before = node.deals()
        node("ledger", "rebuild")
        assert node.deals() == before


def deals_of(node, match):
    found = node.json("match", "show", match)
    return found["offer"], found["counter"]


def test_the_old_link_key_is_let_in_until_the_new_one_is_used(pair, tmp_path):
    world, lender, borrower = pair
    until(lambda: connected(lender))
    thief = stolen(lender, tmp_path)
    lender("key", "rotate", "--wait", WAIT)
    until(lambda: connected(lender))
    lender.publish(offers.load("logistiek-magazijn-uit"), "--wait", WAIT)  # goes out under the new keys
    until(lambda: len(cards(lender)) == 2 and connected(lender))
    lender.stop()
    thief.start()
    try:
        until(lambda: thief.json("status")["broker"].get("why") == "link_handshake")
    finally:
        thief.stop()
    lender.start()
    until(lambda: connected(lender))


def test_stolen_keys_are_beaten_by_the_recovery_key(pair, tmp_path):
    world, lender, borrower = pair
    _, _, match = deals.matched(lender, borrower)
    agreed = deals.conclude(borrower, lender, match, "--headcount", "2")
    lender.stop()
    thief = stolen(lender, tmp_path)
    thief.start()
    thief("key", "rotate", "--wait", WAIT)
    until(lambda: connected(thief))
    thief("mandate", "add", "--signatory", "D. Dief", "--function", "directeur", "--wait", WAIT)
    # The owner: no link any more; the recovery key and a new invitation bring the party back.
    key = tmp_path / "recovery"
    key.write_text(lender.recovery)
    assert lender.json("key", "recover", "--recovery-key", key)["card"] == 1
    lender("join", world.broker.invite(lender.name, lender.kvk))
    until(lambda: thief.json("status")["broker"].get("why") in ("link_handshake", "link_lost", "link_key_unknown"))
    lender.start()
    until(lambda: connected(lender))
    thief.stop()
    until(lambda: {row["signatory"]: row["state"] for row in lender.json("mandate", "list")["mandates"]}.get("D. Dief") == "ended")
    second = deals.conclude(borrower, lender, match, "--headcount", "2")
    for node in (lender, borrower):
        for deal in (agreed, second):
            status, found = proof(node, deal, tmp_path / "proof.collega")
            assert status == 0 and found["valid"], found
        node.stop()
        node("ledger", "rebuild")
        node("ledger", "verify")


def test_recovery_with_the_link_alive_needs_no_invitation(pair):
    _, lender, borrower = pair
    until(lambda: connected(lender))
    assert lender("key", "recover", "--recovery-key", "-", "--wait", WAIT, stdin=lender.recovery.upper()).stdout
    until(lambda: connected(lender))
    _, _, match = deals.matched(lender, borrower)
    assert deals.conclude(borrower, lender, match, "--headcount", "2")


def test_old_unsealing_keys_live_as_long_as_mail(pair, tmp_path):
    world, lender, _ = pair
    lender("key", "rotate", "--wait", WAIT)
    for days, kept in ((99, True), (101, False)):
        for daemon in (lender, world.broker):
            daemon.stop()
        for daemon in (world.broker, lender):
            daemon.turn_clock(days=days)
            daemon.start()
        until(lambda: cards(lender)[0][1] == kept)
        until(lambda: connected(lender))
    assert cards(lender)[1] == (1, True)


def valid_until(node):
    return node.json("join", node.token, "--wait", WAIT)["valid_until"]


def test_a_certificate_is_renewed_with_the_daemon_up_and_down(pair):
    world, lender, borrower = pair
    ends = {}
    for node in (lender, borrower):
        node.token = world.broker.invite(node.name, node.kvk)
        ends[node.name] = valid_until(node)
    for daemon in (lender, borrower, world.broker):
        daemon.stop()
        daemon.turn_clock(days=700)
    world.broker.start()
    borrower.start()
    for node in (lender, borrower):  # down, and up
        node.token = world.broker.invite(node.name, node.kvk)
        renewed = valid_until(node)
        assert renewed > ends[node.name]
        assert valid_until(node) == renewed  # the same token again changes nothing
    lender.start()
    until(lambda: connected(lender) and connected(borrower))
    for node in (lender, borrower):
        node.turn_clock(days=800)  # beyond the first certificate
    world.broker.turn_clock(days=800)
    assert borrower.publish(offers.load("voedsel-orderpickers-in", ahead=800), "--wait", WAIT)
    refused = borrower("join", world.broker.invite("Een ander BV", "45678901"), "--wait", WAIT, expect=1).stderr
    assert "45678901" in refused
    until(lambda: connected(borrower))


def test_an_invitation_that_is_over_leaves_a_member_as_it_was(pair):
    world, lender, borrower = pair
    token = world.broker("invite", "--name", borrower.name, "--kvk", borrower.kvk, "--days", "1").stdout.strip()
    world.broker.stop()
    for daemon in (world.broker, borrower):
        daemon.turn_clock(days=2)
    world.broker.start()
    assert borrower("join", token, "--wait", WAIT, expect=1).stderr.strip()
    until(lambda: connected(borrower))


@pytest.mark.parametrize("arguments,stdin,status,word", [
    (["key", "rotate", "extra"], None, 2, ""),
    (["key", "recover"], None, 2, "recovery-key"),
    (["key", "recover", "--recovery-key", "/nonexistent/key"], None, 1, "nonexistent"),
    (["key", "recover", "--recovery-key", "-"], "", 1, "eight groups"),
    (["key", "recover", "--recovery-key", "-"], "0123", 1, "eight groups"),
    (["key", "recover", "--recovery-key", "-"], "x" * 5000, 1, "eight groups"),
    (["key", "recover", "--recovery-key", "-"], "ab" * 32, 1, "another identity"),
    (["key", "recover", "--recovery-key", "-"], "ab" * 33, 1, "eight groups"),
], ids=range(8))
def test_bad_input_changes_no_key(lone, arguments, stdin, status, word):
    before = identity(lone).read_text(), lone.json("status")["ledger"]
    english = lone(*arguments, expect=status, stdin=stdin).stderr
    assert word in english and english.strip(), english
    assert lone(*arguments, "--lang", "nl", expect=status, stdin=stdin).stderr.strip()
    assert (identity(lone).read_text(), lone.json("status")["ledger"]) == before


@pytest.fixture(scope="module")
def lone(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("lone"), "Snijder Logistiek BV", "12345678", "M. de Wit", "directeur")
    node.init()
    return node
