"""Keys that were lost or stolen are replaced with the recovery key: what they signed before, and was anchored, stays valid."""
import pytest

from support import deals, offers
from support.dates import in_days
from support.world import WAIT, Node, call, until
from test_deal_proofs import proof
from test_keys import cards, connected, pair, stolen  # noqa: F401 (pair is a fixture)
from test_revocation import others_offers


def recovery(node, directory):
    path = directory / "recovery"
    path.write_text(node.recovery)
    return path


def restored(world, node, backup, directory):
    """The home of a backup, in place of the one that is lost; not started."""
    node.kill()
    fresh = Node(directory, node.name, node.kvk, node.signatory, node.function)
    call([fresh.program, "ledger", "restore", backup, "--home", fresh.home])
    fresh.recovery = node.recovery
    world.nodes.append(fresh)
    return fresh


def recovered(world, node, directory):
    """With its recovery key and an invitation: the link keys that the broker knew are lost."""
    node("key", "recover", "--recovery-key", recovery(node, directory), "--invitation",
         world.broker.invite(node.name, node.kvk))
    node.start()
    until(lambda: connected(node) and not node.json("status")["broker"]["behind"])
    return node


def valid(node, deal, directory):
    status, found = proof(node, deal, directory / "proof.collega")
    return status == 0 and found["valid"], found


def whole(node):
    """Verifies, and made anew it is the same."""
    node.stop()
    node("ledger", "verify")
    lists = (["deal", "list"], ["offer", "list", "--all"], ["mandate", "list"], ["status"])
    before = [node.json(*arguments) for arguments in lists]
    node("ledger", "rebuild")
    assert [node.json(*arguments) for arguments in lists] == before


@pytest.mark.parametrize("accepts", [True, False], ids=["accepted", "proposed"])
def test_a_backup_older_than_a_rotation_and_then_the_recovery_key(pair, tmp_path, accepts):  # noqa: F811
    world, lost, other = pair
    _, _, match = deals.matched(lost, other)
    first = deals.conclude(other, lost, match, "--headcount", "2")
    lost("ledger", "backup", tmp_path / "backup")
    lost("key", "rotate", "--wait", WAIT)
    until(lambda: connected(lost))
    later = lost.publish(offers.load("logistiek-heftruck-uit"), "--wait", WAIT)
    offers.listed(other, later)  # with the card that signed it: what the other seals from now on is sealed to that
    second = deals.conclude(*((other, lost) if accepts else (lost, other)), match, "--headcount", "2")
    mandate = lost("mandate", "add", "--signatory", "A. Later", "--function", "planner", "--wait", WAIT)
    assert mandate.stdout
    open_one = deals.propose(lost, match, "--headcount", "2", "--mandate", mandate_of(lost, "A. Later"))
    deals.received(other, open_one)
    assert valid(other, second, tmp_path)[0]

    back = recovered(world, restored(world, lost, tmp_path / "backup", tmp_path), tmp_path)
    assert [number for number, _ in cards(back)] == [0, 1]
    until(lambda: {row["signatory"]: row["state"] for row in other_mandates(back)}.get("A. Later") == "ended")
    # Whoever has the agreements can prove them: the first by both, the second by the one that has it.
    for node, deal in ((other, first), (back, first), (other, second)):
        ok, found = valid(node, deal, tmp_path)
        assert ok, found
    # It knows that there is one more than it has, and what to do about that.
    until(lambda: back.json("status").get("lost_agreements") == 1)
    assert "lost_agreements" not in other.json("status")
    assert "lost keys" in back("status").stdout and "verloren sleutels" in back("status", "--lang", "nl").stdout
    # What was published with the lost card is its author's again, and can be withdrawn.
    until(lambda: later in {row["id"] for row in back.json("offer", "list", "--mine")["offers"]})
    until(lambda: later in others_offers(other))
    back("offer", "withdraw", later, "--wait", WAIT)
    until(lambda: later not in others_offers(other))
    # What was only proposed with it is concluded no more, and ends.
    refused = other("deal", "accept", open_one, "--wait", WAIT, expect=1).stderr
    assert "recovery key" in refused, refused
    third = deals.conclude(back, other, deals.match_of(back, *pair_of(back, match)), "--headcount", "2")
    fourth = deals.conclude(other, back, match, "--headcount", "2")
    for node in (other, back):
        for deal in (third, fourth):
            ok, found = valid(node, deal, tmp_path)
            assert ok, found
    assert back.json("status")["lost_agreements"] == 1
    last_day = offers.moved("2027-02-01")
    other("deal", "terminate", second, "--effective", last_day, "--wait", WAIT)
    until(lambda: other.deal(second)["state"] == "terminated")
    ok, found = valid(other, second, tmp_path)
    assert ok and found["terminated_on"] == last_day, found
    for daemon in (other, world.broker):
        daemon.stop()
        daemon.turn_clock(days=10)
    world.broker.start()
    other.start()
    until(lambda: other.deal(open_one)["state"] == "void")
    whole(other)
    back.stop()
    back.turn_clock(days=3)
    back("ledger", "erase", "--before", in_days(2), "--yes")
    whole(back)


def mandate_of(node, signatory):
    return next(row["id"] for row in node.json("mandate", "list")["mandates"] if row["signatory"] == signatory)


def other_mandates(node):
    return node.json("mandate", "list")["mandates"]


def pair_of(node, match):
    found = node.json("match", "show", match)
    return found["offer"], found["counter"]


def test_what_a_thief_had_decided_stands_and_what_he_has_not_does_not(pair, tmp_path):  # noqa: F811
    world, robbed, other = pair
    _, _, match = deals.matched(robbed, other)
    robbed.stop()
    thief = stolen(robbed, tmp_path)
    world.nodes.append(thief)
    thief.start()
    thief("key", "rotate", "--wait", WAIT)
    until(lambda: connected(thief))
    decided = deals.conclude(other, thief, match, "--headcount", "2")
    waits = deals.propose(thief, match, "--headcount", "3")
    deals.received(other, waits)
    recovered(world, robbed, tmp_path)
    until(lambda: thief.json("status")["broker"].get("why") in ("link_handshake", "link_lost", "link_key_unknown"))
    thief.stop()
    # The other side concluded in good faith, and keeps its proof.
    ok, found = valid(other, decided, tmp_path)
    assert ok, found
    assert "recovery key" in other("deal", "accept", waits, "--wait", WAIT, expect=1).stderr
    whole(other)
    whole(robbed)


def test_a_proposal_signed_before_a_recovery_that_replaced_nothing_is_concluded(pair, tmp_path):  # noqa: F811
    world, robbed, other = pair
    _, _, match = deals.matched(robbed, other)
    waits = deals.propose(robbed, match, "--headcount", "3")
    deals.received(other, waits)
    robbed("key", "rotate", "--wait", WAIT)
    until(lambda: connected(robbed))
    assert robbed.json("key", "recover", "--recovery-key", recovery(robbed, tmp_path), "--wait", WAIT)["card"] == 2
    until(lambda: connected(robbed))
    # Signed with card 0, which nobody replaced: still good.
    assert other.json("deal", "accept", waits, "--wait", WAIT)["state"] in deals.DONE
    ok, found = valid(other, waits, tmp_path)
    assert ok, found
