"""Who may sign: mandates made, chosen, ended; what is signed with them, and what a proof says of it afterwards."""

import pytest

from support import deals
from support.dates import in_days
from support.world import NOBODYS, WAIT, Node, until
from test_deal_proofs import proof


def mandates(node):
    return {row["signatory"]: row for row in node.json("mandate", "list")["mandates"]}


def add(node, who, *arguments):
    return node.json("mandate", "add", "--signatory", who, "--function", "hoofd planning", *arguments, "--wait", WAIT)["id"]


@pytest.fixture
def pair(world_of):
    world = world_of(2)
    lender, borrower = world.nodes
    _, _, match = deals.matched(lender, borrower)
    return world, lender, borrower, match


def test_a_mandate_is_chosen_and_named_in_the_proof(pair, tmp_path):
    _, lender, borrower, match = pair
    assert mandates(borrower)["J. Verhagen"]["state"] == "in_force" and mandates(borrower)["J. Verhagen"]["receipted"]
    planner = add(borrower, "K. Planner", "--max-headcount", "3", "--until", in_days(400), "--ground", "besluit 2026-12")
    refused = borrower("deal", "propose", match, "--headcount", "2", expect=1).stderr
    assert "--mandate" in refused  # two cover: nobody guesses who signs
    deal = deals.conclude(borrower, lender, match, "--headcount", "2", "--mandate", planner[:10])
    status, found = proof(borrower, deal, tmp_path / "proof.collega")
    assert status == 0 and found["borrower"]["signed_by"] == "K. Planner", found
    large = borrower("deal", "propose", match, "--headcount", "4", "--mandate", planner, expect=1)
    assert "at most 3 people, not for 4" in large.stderr and "mandate add" in large.stderr
    assert deals.propose(borrower, match, "--headcount", "4")  # only the other one covers


def test_what_covers_no_more_signs_no_more(pair):
    _, lender, borrower, match = pair
    first = mandates(borrower)["J. Verhagen"]["id"]
    together = add(borrower, "L. Samen", "--jointly")
    told = borrower("mandate", "add", "--signatory", "M. Samen", "--function", "x", "--jointly", "--lang", "nl").stdout
    assert "alleen samen" in told
    refused = borrower("deal", "propose", match, "--mandate", together, expect=1).stderr
    assert "together" in refused and "mandate add" in refused
    later = add(borrower, "N. Later", "--from", in_days(3))
    assert mandates(borrower)["N. Later"]["state"] == "not_yet"
    assert "holds only from" in borrower("deal", "propose", match, "--mandate", later, expect=1).stderr
    borrower("mandate", "end", first, "--wait", WAIT)
    assert mandates(borrower)["J. Verhagen"]["state"] == "ended"
    refused = borrower("deal", "propose", match, expect=1).stderr
    assert "mandate add" in refused
    assert borrower("mandate", "end", first, expect=1).stderr
    add(borrower, "O. Nieuw")
    assert deals.conclude(borrower, lender, match, "--headcount", "2")


def test_a_draft_is_judged_again_when_it_is_signed(pair):
    _, lender, borrower, match = pair
    borrower.stop()
    draft = borrower("deal", "propose", match, "--headcount", "2").stdout.strip()
    borrower("mandate", "end", mandates(borrower)["J. Verhagen"]["id"])
    borrower.start()
    until(lambda: borrower.deal(draft)["state"] == "void")
    assert "mandate add" in borrower("deal", "show", draft).stdout
    add(borrower, "O. Nieuw")
    deal = deals.propose(borrower, match, "--headcount", "2")
    deals.received(lender, deal)
    lender.stop()
    lender("deal", "accept", deal)
    lender("mandate", "end", mandates(lender)["M. de Wit"]["id"])
    lender.start()
    until(lambda: not lender.json("status")["outbox"]["to_sign"])
    assert lender.deal(deal)["state"] == "received" and "mandate add" in lender("deal", "show", deal).stdout
    add(lender, "P. Anders")
    assert lender.json("deal", "accept", deal, "--wait", WAIT)["state"] in deals.DONE


def test_an_ended_mandate_concludes_nothing_and_takes_nothing_back(pair, tmp_path):
    _, lender, borrower, match = pair
    first = mandates(borrower)["J. Verhagen"]["id"]
    agreed = deals.conclude(borrower, lender, match, "--headcount", "2")
    proposed = deals.propose(borrower, match, "--headcount", "3")
    deals.received(lender, proposed)
    borrower("mandate", "end", first, "--wait", WAIT)
    # The lender's node knows of the end by its board, and says so; were it faster, the decider would.
    refused = lender("deal", "accept", proposed, "--wait", WAIT, expect=1).stderr
    assert "mandate" in refused, refused
    assert borrower.deal(proposed)["state"] == "proposed" and lender.deal(proposed)["state"] == "received"
    borrower("deal", "withdraw", proposed, "--wait", WAIT)
    until(lambda: lender.deal(proposed)["state"] == "void")
    for node in (lender, borrower):
        status, found = proof(node, agreed, tmp_path / "proof.collega")
        assert status == 0 and found["valid"] and found["borrower"]["signed_by"] == "J. Verhagen", found


def test_an_agreement_is_ended_with_a_mandate_that_covers_when_it_is_signed(pair, tmp_path):
    _, lender, borrower, match = pair
    agreed = deals.conclude(borrower, lender, match, "--headcount", "2")
    borrower.stop()
    borrower("deal", "terminate", agreed, "--effective", in_days(60))
    borrower("mandate", "end", mandates(borrower)["J. Verhagen"]["id"])
    new = borrower.json("mandate", "add", "--signatory", "O. Nieuw", "--function", "directeur")["id"]
    borrower("deal", "terminate", agreed, "--effective", in_days(60), "--mandate", new)
    borrower.start()
    until(lambda: lender.deal(agreed)["state"] == "terminated" and borrower.deal(agreed)["state"] == "terminated")
    status, found = proof(borrower, agreed, tmp_path / "proof.collega")
    assert status == 0 and found["terminated_on"] == in_days(60), found


def test_mandates_survive_a_rebuild(pair):
    _, _, borrower, _ = pair
    add(borrower, "K. Planner")
    borrower("mandate", "end", mandates(borrower)["J. Verhagen"]["id"], "--wait", WAIT)
    borrower.stop()
    before = mandates(borrower)
    borrower("ledger", "rebuild")
    assert mandates(borrower) == before


@pytest.mark.parametrize("arguments,status,word", [
    (["mandate", "add"], 2, "--signatory"),
    (["mandate", "add", "--signatory", "A"], 2, "--function"),
    (["mandate", "add", "--signatory", "", "--function", "b"], 2, "signatory"),
    (["mandate", "add", "--signatory", "x" * 121, "--function", "b"], 1, "signatory"),
    (["mandate", "add", "--signatory", "a\u0007b", "--function", "b"], 1, "signatory"),
    (["mandate", "add", "--signatory", "A", "--function", "y" * 121], 1, "function"),
    (["mandate", "add", "--signatory", "BSN 123456782", "--function", "b"], 1, "signatory"),
    (["mandate", "add", "--signatory", "A", "--function", "b", "--max-headcount", "0"], 2, "max-headcount"),
    (["mandate", "add", "--signatory", "A", "--function", "b", "--max-headcount", "100001"], 2, "max-headcount"),
    (["mandate", "add", "--signatory", "A", "--function", "b", "--max-headcount", "veel"], 2, "max-headcount"),
    (["mandate", "add", "--signatory", "A", "--function", "b", "--from", "morgen"], 2, "from"),
    (["mandate", "add", "--signatory", "A", "--function", "b", "--until", "2020-01-01"], 1, "until"),
    (["mandate", "add", "--signatory", "A", "--function", "b", "--until", "2020-13-01"], 2, "until"),
    (["mandate", "add", "--signatory", "A", "--function", "b", "--from", "2035-01-02", "--until", "2034-01-02"], 1, "until"),
    (["mandate", "add", "--signatory", "A", "--function", "b", "--ground", "z" * 241], 1, "ground"),
    (["mandate", "add", "--signatory", "A", "--function", "b", "extra"], 2, ""),
    (["mandate", "end"], 2, ""),
    (["mandate", "end", "zz"], 2, "mandate"),
    (["mandate", "end", NOBODYS], 1, "mandate"),
    (["mandate", "list", "--onbekend"], 2, "onbekend"),
], ids=range(20))
def test_bad_input_is_refused_by_field(lone, arguments, status, word):
    before = mandates(lone)
    english = lone(*arguments, expect=status).stderr
    assert word in english and english.strip(), english
    assert lone(*arguments, "--lang", "nl", expect=status).stderr.strip()
    assert mandates(lone) == before


@pytest.fixture(scope="module")
def lone(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("lone"), "Snijder Logistiek BV", "12345678", "M. de Wit", "directeur")
    node.init()
    return node
