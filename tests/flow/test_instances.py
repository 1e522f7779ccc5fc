"""Two instances of one home: the one that connects last goes on, the other is told so and stays away."""
import json

from support import deals, offers
from support.world import WAIT, Node, until


def test_the_older_of_two_instances_is_told_and_the_newer_knows_all(world_of, tmp_path):
    world = world_of(2)
    lender, borrower = world.nodes
    _, _, match = deals.matched(lender, borrower)
    lender("ledger", "backup", tmp_path / "copy")
    deal = deals.conclude(borrower, lender, match, "--headcount", "2")

    second = Node(tmp_path, "Tweede machine", lender.kvk)
    second("ledger", "restore", tmp_path / "copy")
    second.start()
    try:
        published = second.publish(offers.load("logistiek-heftruck-uit"), "--wait", WAIT)
        assert second.deal(deal)["state"] in deals.DONE
        until(lambda: lender.json("status")["broker"].get("why") == "home_elsewhere")
        assert not lender.json("status")["broker"]["connected"]
        assert "exemplaar" in lender("status", "--lang", "nl").stdout
        late = lender("offer", "publish", "-", "--wait", "1", expect=3,
                      stdin=json.dumps(offers.load("voedsel-orderpickers-in")))
        assert late.stderr
    finally:
        second.stop()
    # Started anew, the first fetches what the second did, and what it had queued goes out under numbers of its own.
    lender.stop()
    lender.start()
    offer = lender.publish(offers.load("logistiek-magazijn-uit"), "--wait", WAIT)
    assert offer and lender.json("offer", "show", published)["state"] == "open"
    lender.sent()


def test_the_ledger_is_exported_line_by_line(world_of):
    world = world_of(1)
    node = world.nodes[0]
    node.publish(offers.load("logistiek-magazijn-uit"), "--wait", WAIT)
    node.stop()
    lines = [json.loads(line) for line in node("ledger", "export").stdout.splitlines()]
    assert [line["number"] for line in lines] == list(range(1, len(lines) + 1))
    assert lines[0]["kind"] == "genesis" and lines[-1]["hash"] == node.json("status")["ledger"]["head"]
    assert all("payload" not in line and "salt" not in line for line in lines)  # for others: contents stay here
    assert any(line["kind"] == "own_records" and line["bytes"] > 100 for line in lines)


def test_a_backup_cannot_be_started_and_is_private(world_of, tmp_path):
    world = world_of(1)
    node = world.nodes[0]
    copy = tmp_path / "copy"
    node("ledger", "backup", copy)
    assert copy.stat().st_mode & 0o777 == 0o700
    keys = list(copy.glob("parties/*/identity"))
    assert keys and all(key.stat().st_mode & 0o777 == 0o600 for key in keys)
    started = Node(tmp_path, "Kopie", node.kvk)
    started.home = copy
    refused = started("status", expect=1)
    assert "node-backup" in refused.stderr
    node("ledger", "backup", copy, expect=1)
    node("ledger", "restore", tmp_path / "nowhere", expect=1)
    node("ledger", "restore", copy, expect=1)  # its own home is in use
