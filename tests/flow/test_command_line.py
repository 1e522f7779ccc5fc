"""What a person asks for at the command line: lists that are narrowed, a deal with its next step, how things stand."""
import re

import pytest

from support import deals, offers
from support.world import WAIT, Node


def words(node, *arguments, language="en", expect=0):
    return node(*arguments, "--lang", language, expect=expect).stdout


def ids(node, *arguments):
    document = node.json(*arguments)
    return {row["id"] for row in next(iter(document.values()))}


@pytest.fixture
def matched(world_of):
    world = world_of(2)
    lender, borrower = world.nodes
    lent, asked, match = deals.matched(lender, borrower)
    return lender, borrower, lent, asked, match


def test_lists_are_narrowed_by_kind_state_and_whose(matched):
    lender, borrower, lent, asked, match = matched
    paused = lender.publish(offers.load("logistiek-heftruck-uit"), "--wait", WAIT)
    lender("offer", "pause", paused)
    assert ids(lender, "offer", "list", "--kind", "loan_in") == {asked}
    assert ids(lender, "offer", "list", "--kind", "loan_out") == {lent, paused}
    assert ids(lender, "offer", "list", "--state", "paused") == {paused}
    assert ids(lender, "offer", "list", "--state", "open", "--mine") == {lent}
    assert ids(lender, "offer", "list", "--state", "staat stil", "--lang", "nl") == {paused}  # as the list itself says it
    assert ids(lender, "offer", "list", "--state", "filled") == set()
    assert "nothing is like that" in words(lender, "offer", "list", "--state", "filled")

    assert match in ids(borrower, "match", "list", "--kind", "loan_in")
    assert ids(borrower, "match", "list", "--kind", "loan_out") == set()
    assert ids(borrower, "match", "list", "--mine") == set()
    borrower("match", "interest", match, "--wait", WAIT)
    assert ids(borrower, "match", "list", "--mine") == {match} == ids(borrower, "match", "list", "--state", "interested")
    assert match not in ids(borrower, "match", "list", "--state", "suggested")

    deal = deals.propose(borrower, match, "--headcount", "2")
    deals.received(lender, deal)
    assert ids(lender, "deal", "list", "--state", "received") == {deal} == ids(lender, "deal", "list", "--awaits", "us")
    assert ids(borrower, "deal", "list", "--mine", "--kind", "loan_in", "--awaits", "other") == {deal}
    for arguments in (("--mine",), ("--kind", "loan_in"), ("--state", "void"), ("--awaits", "other")):
        assert ids(lender, "deal", "list", *arguments) == set(), arguments


def test_a_match_is_shown_in_the_readers_language(matched):
    _, borrower, *_, match = matched
    english, dutch = (words(borrower, "match", "show", match, language=language) for language in ("en", "nl"))
    parts = borrower.json("match", "show", match)["parts"]
    assert all(re.search(rf"^{part} ", english, re.M) for part in parts)
    assert not [part for part in parts if re.search(rf"^{part} ", dutch, re.M)]  # each has a Dutch name
    assert f"collega deal propose {match[:8]}" in dutch


def test_an_amended_agreement_names_what_took_its_place(matched):
    lender, borrower, *_, match = matched
    deal = deals.conclude(borrower, lender, match, "--headcount", "4")
    change = borrower("deal", "amend", deal, "--headcount", "3").stdout.strip()
    deals.received(lender, change)
    deals.accept(lender, borrower, change)
    assert re.search(rf"^{deal[:8]} .*now {change[:8]}", words(borrower, "deal", "list"), re.M)
    assert re.search(rf"^changed by +{change[:8]}$", words(borrower, "deal", "show", deal), re.M)
    assert "answer by" not in words(borrower, "deal", "show", deal)
    last = borrower.deal(change)["terms"]["from"]
    borrower("deal", "terminate", change, "--effective", last, "--wait", WAIT)
    assert re.search(rf"^{change[:8]} +terminated .* {last}  {last} ", words(borrower, "deal", "list"), re.M)


def test_a_list_can_be_waited_for_as_it_is_narrowed(matched):
    lender, borrower, *_, match = matched
    deal = deals.propose(borrower, match)
    assert ids(lender, "deal", "list", "--awaits", "us", "--wait", WAIT) == {deal}
    result = lender("deal", "list", "--state", "released", "--wait", "0", expect=3)
    assert "stays queued" in result.stderr or "wachtrij" in result.stderr


def test_a_deal_tells_what_is_held_what_is_awaited_and_what_to_type(matched):
    lender, borrower, lent, asked, match = matched
    deal = deals.propose(borrower, match, "--headcount", "3", "--rate", "23,80")
    deals.received(lender, deal)
    theirs, ours = words(borrower, "deal", "show", deal), words(lender, "deal", "show", deal)
    assert re.search(r"^state +proposed$", theirs, re.M) and re.search(r"^state +received$", ours, re.M)
    assert re.search(r"^held +3 people, .* until it is decided$", theirs, re.M) and not re.search(r"^held", ours, re.M)
    assert "waits for an answer of Snijder Logistiek BV" in theirs and "waits for our answer" in ours
    assert f"collega deal withdraw {deal[:8]}" in theirs and f"collega deal accept {deal[:8]}" in ours
    assert re.search(r"^rate +EUR 23\.80 an hour$", ours, re.M)
    by = borrower.deal(deal)["accept_by"]
    assert by.endswith(("T23:00:00Z", "T22:00:00Z")) and re.search(r"^answer by +\d{4}-\d\d-\d\d 00:00$", ours, re.M)  # Amsterdam
    assert borrower.deal(deal)["hold"]["people"] == 3 and borrower.deal(deal)["awaits"] == "other"
    assert lender.deal(deal)["next"][0] == "accept"
    dutch = words(lender, "deal", "show", deal, language="nl")
    assert "wacht op ons antwoord" in dutch and re.search(r"^staat +ontvangen$", dutch, re.M)

    deals.accept(lender, borrower, deal)
    for node in (lender, borrower):
        text = words(node, "deal", "show", deal)
        assert re.search(r"^held +3 people, .*, agreed$", text, re.M) and f"collega deal prove {deal[:8]}" in text
        assert node.deal(deal)["awaits"] == "nobody" and node.deal(deal)["hold"]["agreed"]


def test_every_next_step_that_is_told_can_be_typed(matched):
    lender, borrower, *_, match = matched
    deal = deals.propose(borrower, match, "--headcount", "3")
    deals.received(lender, deal)
    for node in (lender, borrower):
        for line in re.findall(r"^  collega (.+)$", words(node, "deal", "show", deal), re.M):
            command = " ".join(line.split(" ")[:2])
            assert f"collega {command}" in node("help", *command.split(" "), "--lang", "en").stdout


def test_a_draft_says_that_our_own_node_is_to_sign_and_why_it_does_not(matched):
    lender, borrower, *_, match = matched
    borrower.stop()
    deal = borrower("deal", "propose", match).stdout.strip()
    text = words(borrower, "deal", "show", deal)
    assert "waits for our own node" in text and "the node daemon is not running: collega run" in text
    late = borrower("deal", "show", deal, "--wait", "0", "--lang", "en", expect=3)
    assert "collega run" in late.stderr
    status = words(borrower, "status")
    assert "collega run" in status and "1 proposals or answers wait to be signed" in status


def test_a_capacity_entry_is_shown_where_an_offer_would_be(matched):
    lender, borrower, lent, *_ = matched
    deal = borrower("deal", "propose", "--to", lent, "--headcount", "2", "--wait", WAIT).stdout.strip()
    text = words(borrower, "deal", "show", deal)
    assert re.search(r"^our offer +none; for this proposal stands in: 2 people", text, re.M)
    assert re.search(rf"^their offer +{lent[:8]} ", text, re.M)
    assert borrower.deal(deal)["capacity"]["headcount"] == 2 and borrower.deal(deal)["hold"]["people"] == 2


def test_status_tells_what_waits_for_whom(matched):
    lender, borrower, *_, match = matched
    deal = deals.propose(borrower, match)
    deals.received(lender, deal)
    assert "wait for our answer: 1" in words(lender, "status") and "wait for the other side: 1" in words(borrower, "status")
    assert lender.json("status")["deals_awaiting"] == {"us": 1, "other": 0, "decider": 0}
    assert borrower.json("status")["deals_awaiting"] == {"us": 0, "other": 1, "decider": 0}
    lender.stop()
    lender.publish(offers.load("logistiek-heftruck-uit"))
    assert "1 for the board" in words(lender, "status") and lender.json("status")["outbox"]["records"] == 1


def test_an_offer_is_shown_to_read(matched):
    lender, borrower, lent, *_ = matched
    ours, theirs = words(lender, "offer", "show", lent), words(borrower, "offer", "show", lent)
    for text in (ours, theirs):
        assert re.search(r"^Title +Magazijnmedewerkers", text, re.M) and re.search(r"^Kind +loan out$", text, re.M)
        assert re.search(r"^Occupation +4321 \w", text, re.M) and re.search(r"^Number of people +12$", text, re.M)
    assert "23.80" in ours and "23.80" not in theirs and "Marit" not in theirs  # what is private stays private
    assert re.search(r"^Aantal mensen +12$", words(borrower, "offer", "show", lent, language="nl"), re.M)


def test_an_ambiguous_id_lists_the_candidates(tmp_path):
    node = Node(tmp_path, "Snijder BV", "12345678")
    node.init()
    published = node.publish([{**offers.load("logistiek-magazijn-uit"), "title": f"Nummer {i}"} for i in range(40)])
    first = next(c for c in "0123456789abcdef" if sum(i.startswith(c) for i in published) > 1)
    told = node("offer", "show", first, "--lang", "en", expect=1).stderr
    listed = re.findall(r"\b[0-9a-f]{8}\b", told)
    assert len(listed) >= 2 and all(any(i.startswith(c) for i in published) for c in listed)
    for candidate in listed:
        assert node("offer", "show", candidate).stdout
    assert node("offer", "show", first.upper(), expect=1).stderr


def test_a_wait_that_is_typed_wrongly_is_found_before_anything_is_done(matched):
    lender, borrower, *_, match = matched
    before = borrower.sent()
    for arguments in (["deal", "propose", match], ["match", "interest", match], ["deal", "talk", match, "--message", "x"]):
        assert "--wait" in borrower(*arguments, "--wait", "soon", expect=2).stderr
    assert borrower.json("status")["ledger"] == before and borrower.deals() == []
