"""A home is lost with all its backups: the recovery key and an invitation bring the party back, with what others still have."""
import pytest

from support import deals, hosting, offers
from support.world import WAIT, Node, until
from test_key_recovery import recovery, valid, whole
from test_keys import cards, connected, pair  # noqa: F401 (pair is a fixture)
from test_revocation import others_offers


def fresh(world, node, directory):
    """The same employer on a new machine: nothing but its recovery key."""
    node.kill()
    again = Node(directory / "again", node.name, node.kvk, node.signatory, node.function)
    again.home.parent.mkdir(exist_ok=True)
    again.recovery = node.recovery
    world.nodes.append(again)
    return again


def bring_back(world, node):
    return world.broker("invite", "--recover", node.kvk).stdout.strip()


def started(node):
    (node.home / "settings.ini").write_text("[link]\nreconnect_spread_ms = 100\n")
    node.start()
    until(lambda: connected(node) and not node.json("status")["broker"]["behind"])
    return node


@pytest.mark.parametrize("rotated", [0, 2])
@pytest.mark.parametrize("up", [True, False], ids=["broker_up", "broker_down"])
def test_the_recovery_key_brings_a_lost_home_back(pair, tmp_path, rotated, up):  # noqa: F811
    world, lost, other = pair
    lent, asked, match = deals.matched(lost, other)
    for _ in range(rotated):
        lost("key", "rotate", "--wait", WAIT)
        until(lambda: connected(lost))
    agreed = deals.conclude(other, lost, match, "--headcount", "2")
    member = next(row for row in world.broker.json("members")["members"] if row["kvk"] == lost.kvk)
    again = fresh(world, lost, tmp_path)
    if not up:
        world.broker.stop()
        endpoint = (world.broker.home / "settings.ini").read_text().split("listen = ")[1].split()[0]
        (world.broker.home / "settings.ini").write_text(
            f"[link]\nlisten = {endpoint}\nadvertise = {endpoint}\n[http]\nlisten = 127.0.0.1:0\n")
    token = bring_back(world, lost)
    world.broker.start() if not up else None
    made = again.json("key", "recover", "--recovery-key", recovery(again, tmp_path), "--invitation", token)
    assert made["joined"] and made["valid_until"]
    assert [kept for _, kept in cards(again)] == [False] * (rotated + 1) + [True]
    assert again.json("status")["node"]["id"] == member["id"]
    started(again)
    # Its offers are its own again, without what was private; its mandates; and it knows of the agreement.
    until(lambda: lent in {row["id"] for row in again.json("offer", "list", "--mine")["offers"]})
    assert "private" not in again.json("offer", "show", lent)["offer"]
    until(lambda: again.json("mandate", "list")["mandates"])
    until(lambda: again.json("status").get("lost_agreements") == 1)
    assert not again.deals()
    ok, found = valid(other, agreed, tmp_path)
    assert ok, found
    # It goes on as the member that it was.
    until(lambda: again.json("match", "list")["matches"])
    second = deals.conclude(again, other, deals.match_of(again, lent, asked), "--headcount", "2")
    third = deals.conclude(other, again, match, "--headcount", "2")
    for deal in (second, third):
        for node in (again, other):
            ok, found = valid(node, deal, tmp_path)
            assert ok, found
    again("offer", "withdraw", lent, "--wait", WAIT)
    until(lambda: lent not in others_offers(other))
    again("key", "rotate", "--wait", WAIT)
    until(lambda: connected(again))
    again.publish(offers.load("logistiek-heftruck-uit"), "--wait", WAIT)
    whole(again)
    whole(other)


def test_the_lost_home_that_was_not_lost_is_put_out(pair, tmp_path):  # noqa: F811
    world, lost, other = pair
    until(lambda: connected(lost))
    token = bring_back(world, lost)
    again = Node(tmp_path / "again", lost.name, lost.kvk)
    again.home.parent.mkdir()
    again.recovery = lost.recovery
    world.nodes.append(again)
    again("key", "recover", "--recovery-key", recovery(again, tmp_path), "--invitation", token)
    until(lambda: lost.json("status")["broker"].get("why") in ("link_handshake", "link_lost", "link_key_unknown"))
    lost.stop()
    started(again)
    assert again.publish(offers.load("logistiek-heftruck-uit"), "--wait", WAIT)


def test_bad_input_makes_no_home_and_no_invitation(pair, tmp_path):  # noqa: F811
    world, lost, other = pair
    broker = world.broker
    host, (hosted,) = hosting.network(world, 0)[0], (None,)
    hosted = hosting.add(broker, host, hosting.EMPLOYERS[2], "--wait", WAIT)
    for arguments, status in ((["--recover", "nobody"], 1), (["--recover", ""], 2), (["--recover", hosted.kvk], 1),
                              (["--recover", lost.kvk, "--name", "X BV"], 2), (["--recover", lost.kvk, "--host", host.kvk], 2),
                              (["--recover", lost.kvk, "--days", "0"], 1), (["--recover"], 2)):
        for language in ("en", "nl"):
            refused = broker("invite", *arguments, "--lang", language, expect=status)
            assert refused.stderr.strip() and not refused.stdout, arguments
    token = bring_back(world, lost)
    again = fresh(world, lost, tmp_path)
    key = recovery(again, tmp_path)
    (tmp_path / "wrong").write_text("ab" * 32)
    (tmp_path / "short").write_text("ab")
    cases = [(["--recovery-key", key], 1),  # no home, and nothing to make one of
             (["--invitation", token], 2),
             (["--recovery-key", tmp_path / "none", "--invitation", token], 1),
             (["--recovery-key", tmp_path / "wrong", "--invitation", token], 1),
             (["--recovery-key", tmp_path / "short", "--invitation", token], 1),
             (["--recovery-key", key, "--invitation", "collega1.onzin"], 1),
             (["--recovery-key", key, "--invitation", ""], 2),
             (["--recovery-key", key, "--invitation", token[:-40]], 1),
             (["--recovery-key", key, "--invitation", broker.invite(lost.name, lost.kvk)], 1),
             (["--recovery-key", key, "--invitation", broker.invite(other.name, other.kvk)], 1),
             (["--recovery-key", key, "--invitation", broker("invite", "--recover", other.kvk).stdout.strip()], 1)]
    for arguments, status in cases:
        english = again("key", "recover", *arguments, expect=status)
        dutch = again("key", "recover", *arguments, "--lang", "nl", expect=status)
        assert english.stderr.strip() and not english.stdout and dutch.stderr.strip(), arguments
        assert not again.home.exists(), arguments
    # Without the broker the home is made, the token kept, and it comes in later.
    broker.stop()
    late = again("key", "recover", "--recovery-key", key, "--invitation", token, "--wait", "1", expect=3)
    assert late.stderr.strip()
    assert again("key", "recover", "--recovery-key", tmp_path / "wrong", expect=1).stderr.strip()
    broker.start()
    started(again)
    assert again.publish(offers.load("logistiek-heftruck-uit"), "--wait", WAIT)
    # A revoked party is not brought back.
    broker("revoke", other.kvk)
    assert broker("invite", "--recover", other.kvk, expect=1).stderr.strip()
