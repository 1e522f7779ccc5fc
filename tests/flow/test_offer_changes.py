"""What becomes of an offer, as its author and the others see it."""
import json

import pytest

from support import deals, offers, truth
from support.dates import in_time
from support.world import WAIT, Node, until

OUT, IN = "logistiek-magazijn-uit", "voedsel-orderpickers-in"


def row(node, offer):
    return next((r for r in node.json("offer", "list", "--all")["offers"] if r["id"] == offer), None)


def until_row(node, offer, **wanted):
    """Looks again until the node's row of the offer says all that is wanted."""
    def looked():
        found = row(node, offer)
        return found and all(found[key] == value for key, value in wanted.items()) and found
    return until(looked)


def matches(node, offer):
    return [m["counter"] for m in node.json("match", "list", "--offer", offer)["matches"]]


def revise(node, offer, content, *arguments, expect=0):
    return node("offer", "revise", offer, "-", *arguments, expect=expect, stdin=json.dumps(content))


def test_states_reach_the_others_and_matches_follow(world_of):
    lender, borrower = world_of(2).nodes
    lent, asked, _ = deals.matched(lender, borrower)
    for command, state, found in [("pause", "paused", False), ("resume", "open", True), ("filled", "filled", False),
                                  ("resume", "open", True), ("withdraw", "withdrawn", False)]:
        assert lender.json("offer", command, lent, "--wait", WAIT)["state"] == state
        assert row(lender, lent)["state"] == state
        until_row(borrower, lent, state=state, revision=1)
        for node, mine, counter in [(lender, lent, asked), (borrower, asked, lent)]:
            while (counter in matches(node, mine)) != found:
                node("status")
    result = lender("offer", "resume", lent, expect=1)
    assert "withdrawn" in result.stderr
    other = lender.publish(offers.load("logistiek-heftruck-uit"))
    assert "ingetrokken" in lender("offer", "withdraw", other, "--lang", "nl").stdout


def test_a_revision_while_a_proposal_is_open(world_of):
    world = world_of(2)
    lender, borrower = world.nodes
    lent, _, match = deals.matched(lender, borrower)
    deal = deals.propose(borrower, match, "--headcount", "6")
    deals.received(lender, deal)
    content = offers.load(OUT)
    told = json.loads(revise(lender, lent, {**content, "headcount": 5}, "--json", "--wait", WAIT).stdout)
    assert told == {"id": lent, "revision": 2, "state": "open"}
    assert "revised" in lender("deal", "accept", deal, expect=1).stderr
    revise(lender, lent, {**content, "headcount": 7})
    deals.accept(lender, borrower, deal)
    until_row(borrower, lent, revision=3, state="open")
    result = revise(lender, lent, {**content, "headcount": 5}, expect=1)
    assert "headcount" in result.stderr and "6" in result.stderr and "5" in result.stderr
    assert borrower.deal(deal)["terms"]["headcount"] == 6
    truth.told(world)


def test_an_offer_of_which_all_are_agreed_is_filled_by_itself(world_of):
    lender, borrower = world_of(2).nodes
    wanted = offers.load(IN)
    content = {**offers.load(OUT), "headcount": 3, "min_headcount": 1, "period": wanted["period"]}
    lent = lender.publish(content, "--wait", WAIT)
    asked = borrower.publish(wanted, "--wait", WAIT)
    match = deals.match_of(borrower, asked, lent)
    deals.conclude(borrower, lender, match, "--headcount", "3")
    until_row(lender, lent, state="filled")
    until_row(borrower, lent, state="filled")
    assert row(borrower, asked)["state"] == "open"
    revise(lender, lent, {**content, "headcount": 4})
    until_row(borrower, lent, state="open", revision=2)


def test_an_expired_offer_is_seen_as_such_everywhere(world_of):
    world = world_of(2)
    lender, borrower = world.nodes
    lent = lender.publish({**offers.load(OUT), "expires": in_time(hours=1)}, "--wait", WAIT)
    asked = borrower.publish(offers.load(IN), "--wait", WAIT)
    match = deals.match_of(borrower, asked, lent)
    for daemon in (world.broker, lender, borrower):
        daemon.turn_clock(hours=2)
    until_row(borrower, lent, state="expired")
    assert lent not in [r["id"] for r in borrower.json("offer", "list")["offers"]]
    assert lent not in matches(borrower, asked)
    assert "expired" in borrower("deal", "propose", "--to", lent, "--headcount", "1", expect=1).stderr
    until(lambda: borrower("match", "show", match, expect=None).returncode != 0)  # the matcher comes by
    assert "expired" in lender("offer", "pause", lent, expect=1).stderr


def test_named_audiences_get_it_by_mail_and_others_lose_it(world_of):
    world = world_of(3)
    author, second, third = world.nodes
    content = offers.load(OUT)
    offers.listed(author, second.publish(offers.load(IN), "--wait", WAIT))  # so that it knows the one whom it names
    named = author.publish({**content, "audience": f"named:{second.kvk}"}, "--wait", WAIT)
    until_row(second, named, state="open")
    public = author.publish(content, "--wait", WAIT)
    until_row(third, public, state="open")
    assert row(third, named) is None
    author("offer", "pause", named)
    until_row(second, named, state="paused")
    revise(author, public, {**content, "audience": f"named:{second.kvk}"})
    until_row(second, public, state="open", revision=2)
    until_row(third, public, state="withdrawn", revision=1)
    revise(author, named, {**content, "audience": "network"})
    until_row(third, named, state="paused", revision=2)
    until_row(second, named, state="paused", revision=2)
    before = author.sent()
    bad = author("offer", "publish", "-", expect=1,
                 stdin=json.dumps({**content, "audience": f"named:{second.kvk},99999999"}))
    assert "audience" in bad.stderr and "99999999" in bad.stderr
    assert "99999999" in revise(author, named, {**content, "audience": "named:99999999"}, expect=1).stderr
    assert author.json("status")["ledger"] == before


def test_a_node_follows_what_its_settings_ask(world_of):
    world = world_of(2)
    author, reader = world.nodes
    warehouse = author.publish(offers.load(OUT), "--wait", WAIT)
    other = author.publish(offers.load("logistiek-heftruck-uit"), "--wait", WAIT)
    isco = {name: offers.load(name)["occupation"]["isco"] for name in (OUT, "logistiek-heftruck-uit")}
    assert isco[OUT] != isco["logistiek-heftruck-uit"]
    until_row(reader, other, state="open")
    follow(reader, f"kinds = loan_out\noccupations = {isco[OUT]}")
    until(lambda: not row(reader, other))
    until_row(reader, warehouse, state="open")
    revise(author, warehouse, {**offers.load(OUT), "occupation": offers.load("logistiek-heftruck-uit")["occupation"]})
    until(lambda: not row(reader, warehouse))
    revise(author, warehouse, offers.load(OUT))
    until_row(reader, warehouse, state="open", revision=3)
    follow(reader, "")
    until_row(reader, other, state="open")


def follow(node, settings):
    node.stop()
    (node.home / "settings.ini").write_text(f"[link]\nreconnect_spread_ms = 100\n[follow]\n{settings}\n")
    node.start()


@pytest.mark.parametrize("setting", ["kinds = lend_out", "occupations = 43210", "regions = Brabant", "sectors = x"])
def test_a_wrong_filter_is_named_at_start(tmp_path, setting):
    node = Node(tmp_path, "Snijder BV", "12345678")
    node.init()
    (node.home / "settings.ini").write_text(f"[follow]\n{setting}\n")
    result = node("run", expect=1)
    assert f"follow.{setting.split()[0]}" in result.stderr


def test_the_author_is_warned_where_one_person_would_be_pointed_at(tmp_path):
    node = Node(tmp_path, "Snijder BV", "12345678")
    node.init()
    content = {**offers.load(OUT), "headcount": 1, "min_headcount": 1, "establishment": "000012345678",
               "place": {"country": "NL", "postcode": "4811AB", "city": "Breda", "region": "AM25"}}
    result = node("offer", "publish", "-", "--lang", "en", stdin=json.dumps(content))
    assert "one person" in result.stderr and len(result.stdout.split()) == 1
    offer = result.stdout.strip()
    assert "one person" not in revise(node, offer, {**content, "headcount": 2}, "--lang", "en").stderr
    assert "één persoon" in revise(node, offer, content, "--lang", "nl").stderr


BAD = [{"headcount": 0}, {"title": ""}, {"kind": "loan_in"}, {"audience": "everyone"}, {"colour": "blue"},
       {"expires": "2020-01-01T00:00:00Z"}]


@pytest.mark.parametrize("change", BAD, ids=lambda c: next(iter(c)))
def test_a_bad_revision_is_refused_by_field_and_leaves_no_trace(tmp_path, change):
    node = Node(tmp_path, "Snijder BV", "12345678")
    node.init()
    offer = node.publish(offers.load(OUT))
    before = node.json("status")["ledger"]
    result = revise(node, offer, {**offers.load(OUT), **change}, expect=1)
    assert next(iter(change)) in result.stderr
    assert node.json("status")["ledger"] == before
    assert row(node, offer)["revision"] == 1


def test_what_is_no_revision_is_refused(tmp_path):
    node = Node(tmp_path, "Snijder BV", "12345678")
    node.init()
    offer = node.publish(offers.load(OUT))
    assert "ff" in node("offer", "revise", "ff" * 16, "-", expect=1, stdin="{}").stderr
    assert node("offer", "revise", offer, "-", expect=1, stdin="[1]").stderr.strip()
    assert "none.json" in node("offer", "revise", offer, "/nonexistent/none.json", expect=1).stderr
    assert "open" in node("offer", "resume", offer, expect=1).stderr
    for command in ("pause", "resume", "filled", "withdraw"):
        assert node("offer", command, "ff" * 16, expect=1).stderr.strip()
        assert node("offer", command, expect=2).stderr.strip()
    assert node("offer", "revise", offer, expect=2).stderr.strip()
