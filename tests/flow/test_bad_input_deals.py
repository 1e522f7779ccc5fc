"""Bad input to the commands that change deals and talk about them: refused by field, nothing half-done in the ledger."""
import json

import pytest

from support import deals
from support.world import NOBODYS, World


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A lender and a borrower, with an agreement, an open proposal of the borrower, and their match."""
    with World(tmp_path_factory.mktemp("world"), 2) as world:
        lender, borrower = world.nodes
        _, _, match = deals.matched(lender, borrower)
        agreement = deals.conclude(borrower, lender, match, "--headcount", "2")
        proposal = deals.propose(borrower, match, "--headcount", "2")
        deals.received(lender, proposal)
        for node in world.nodes:
            node.sent()
        yield lender, borrower, {"AGREEMENT": agreement, "PROPOSAL": proposal, "MATCH": match}


def refused(node, names, arguments, word):
    before = node.deals(), node.json("deal", "talk", names["MATCH"])
    typed = [names.get(argument, argument) for argument in arguments]
    english = node(*typed, expect=1).stderr
    assert word in english.lower() and english.strip(), english
    assert node(*typed, "--lang", "nl", expect=1).stderr != english
    assert (node.deals(), node.json("deal", "talk", names["MATCH"])) == before


@pytest.mark.parametrize("arguments,word", [
    (["deal", "counter", "PROPOSAL", "--headcount", "1000"], "headcount"),
    (["deal", "counter", "PROPOSAL", "--hours", "60"], "hours"),
    (["deal", "counter", "PROPOSAL", "--from", "2020-01-01"], "from"),
    (["deal", "counter", "PROPOSAL", "--until", "2035-01-01"], "until"),
    (["deal", "counter", "PROPOSAL", "--accept-by", "2020-01-01T00:00:00Z"], "accept"),
    (["deal", "counter", "PROPOSAL", "--mandate", NOBODYS], "mandate"),
    (["deal", "counter", "AGREEMENT", "--headcount", "3"], "open"),
    (["deal", "counter", "MATCH"], "no"),
    (["deal", "amend", "PROPOSAL", "--headcount", "3"], "agreement"),
    (["deal", "amend", "AGREEMENT", "--headcount", "1000"], "room"),
    (["deal", "amend", "AGREEMENT", "--headcount", "2"], "what changes"),
    (["deal", "amend", "AGREEMENT", "--until", "2020-01-01"], "until"),
    (["deal", "amend", "AGREEMENT", "--headcount", "3", "--accept-by", "2099-01-01T00:00:00Z"], "accept"),
    (["deal", "terminate", "PROPOSAL", "--effective", "2027-01-20"], "agreement"),
    (["deal", "terminate", "AGREEMENT", "--effective", "2020-01-01"], "effective"),
    (["deal", "terminate", "AGREEMENT", "--effective", "2035-01-01"], "effective"),
    (["deal", "terminate", "AGREEMENT", "--effective", "2027-01-20", "--headcount", "10000"], "headcount"),
    (["deal", "terminate", "AGREEMENT", "--effective", "2035-01-01", "--headcount", "1"], "effective"),
    (["deal", "release", "AGREEMENT", "--sign"], "release"),
    (["deal", "release", "AGREEMENT", "--keep"], "release"),
    (["deal", "talk", "PROPOSAL", "--message", "BSN 123456782"], "text"),
    (["deal", "talk", "PROPOSAL", "--message", "x" * 4097], "text"),
    (["deal", "talk", "PROPOSAL", "--message", "a\u0007b"], "text"),
    (["deal", "talk", "PROPOSAL", "--terms", "/nonexistent/terms.json"], "terms.json"),
    (["match", "interest", "MATCH", "--message", "BSN 123456782"], "text"),
    (["match", "interest", "MATCH", "--message", "x" * 4097], "text"),
], ids=range(26))
def test_bad_input_is_refused_and_leaves_no_trace(pair, arguments, word):
    lender, _, names = pair
    refused(lender, names, arguments, word)


@pytest.mark.parametrize("terms,word", [
    ({"work": {"headcount": 0}}, "headcount"), ({"rates": {"hourly_cents": -1}}, "hourly_cents"), ({"wages": {}}, "wages"),
    ([], ""), ({"note": {"text": "BSN 123456782"}}, "note"), ({"ending": {"notice_days": 400}}, "notice_days"),
], ids=range(6))
def test_bad_terms_are_refused_by_field(pair, tmp_path, terms, word):
    lender, _, names = pair
    path = tmp_path / "terms.json"
    path.write_text(json.dumps(terms))
    for command in (["deal", "counter", "PROPOSAL"], ["deal", "amend", "AGREEMENT"], ["deal", "talk", "PROPOSAL"]):
        refused(lender, names, [*command, "--terms", str(path)], word)
