"""Erasing personal data: gone from the commands, from the tables and from the bytes on the disk; the chain, the
agreement and its proof stay."""
import json

import pytest

from support import deals, offers
from support.dates import in_days
from support.world import NOBODYS, WAIT, call

PERSON, PHONE, NOTE = "Wilhelmina Quackelstein", "0612345987", "Fietst vanaf station Xanadu"
SAID = "Quirinus Zandvoorter belt u morgen"
CONTACT = "Xaviera Ypenburgh"
OUT, IN = "logistiek-magazijn-uit", "voedsel-orderpickers-in"


def terms_file(directory):
    path = directory / "terms.json"
    path.write_text(json.dumps({
        "persons": {"persons": [{"reference": PERSON}]},
        "contact": {"borrower": {"name": CONTACT, "phone": PHONE}},
        "note": {"text": NOTE}}))
    return path


@pytest.fixture
def agreed(world_of, tmp_path):
    """An agreement with names in it, and a talk about it."""
    world = world_of(2)
    lender, borrower = world.nodes
    _, _, match = deals.matched(lender, borrower)
    deal = deals.conclude(borrower, lender, match, "--headcount", "4", "--terms", terms_file(tmp_path))
    borrower("deal", "talk", deal, "--message", SAID, "--wait", WAIT)
    while SAID not in lender("deal", "talk", deal, expect=None).stdout:
        lender("status")
    return world, lender, borrower, deal


def on_disk(node, *texts):
    """Which of the texts stand in the files of the home, in clear."""
    found = set()
    for path in node.home.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            found |= {text for text in texts if text.encode() in content}
    return found


def test_a_negotiation_is_erased_down_to_the_disk(agreed):
    world, lender, borrower, deal = agreed
    everything = PERSON, PHONE, NOTE, SAID, CONTACT
    for node in (lender, borrower):
        shown = node.deal(deal)
        assert PERSON in json.dumps(shown) and "erased" not in shown
        assert on_disk(node, *everything) == set(everything)
        size = (node.home / "ledger" / "data.mdb").stat().st_size
        told = node.json("ledger", "erase", "--deal", deal[:12], "--yes")
        assert told["entries"] >= 2 and told["remains"]  # the daemon runs
        after = node.deal(deal)
        assert set(after["erased"]) == {"persons", "contact", "note"}
        assert after["terms"]["headcount"] == 4 and after["terms"]["until"] == shown["terms"]["until"]
        assert after["terms"]["rates"] == shown["terms"]["rates"] and after["state"] == shown["state"]
        assert node("deal", "show", deal, "--lang", "nl").stdout.count("(gewist)") == 3
        said = node.json("deal", "talk", deal)["messages"]
        assert len(said) == 1 and said[0]["erased"] and "text" not in said[0]
        assert "(erased)" in node("deal", "talk", deal, "--lang", "en").stdout
        node.stop()
        assert node.json("ledger", "erase", "--deal", deal, "--yes") == {"entries": 0, "remains": False}
        assert on_disk(node, *everything) == set()
        assert (node.home / "ledger" / "data.mdb").stat().st_size < 4 * size
        assert node("ledger", "verify").returncode == 0
        node("ledger", "rebuild")
        assert node.deal(deal) == after
        assert node.json("ledger", "erase", "--deal", deal, "--yes")["entries"] == 0
        node.start()
    # They go on: the next deal of the same pair, and its names, are untouched.
    match = deals.match_of(borrower, *[next(o["id"] for o in node.json("offer", "list", "--mine")["offers"])
                                       for node in (borrower, lender)])
    deals.conclude(borrower, lender, match, "--headcount", "2")


def test_the_proof_of_an_erased_agreement_hides_what_is_gone(agreed, tmp_path):
    _, lender, _, deal = agreed
    whole = json.loads(prove(lender, deal, tmp_path / "before.collega"))
    lender("ledger", "erase", "--deal", deal, "--yes")
    proof = tmp_path / "after.collega"
    judged = json.loads(prove(lender, deal, proof))
    assert judged["valid"] and whole["valid"]
    assert PERSON.encode() not in proof.read_bytes() and PERSON.encode() in (tmp_path / "before.collega").read_bytes()


def prove(node, deal, path):
    path.write_bytes(deals.prove(node, deal))
    return call([node.program, "verify", "--json", path], env={"COLLEGA_HOME": ""}).stdout


def test_what_is_old_and_over_goes_by_age(world_of, tmp_path):
    lender, borrower = world_of(2).nodes
    offer = offers.load(OUT)
    offer["private"] = {"contact": {"name": CONTACT, "email": "x@example.nl"}}
    old = lender.publish(offer, "--wait", WAIT)
    _, _, match = deals.matched(lender, borrower)
    running = deals.conclude(borrower, lender, match, "--headcount", "2", "--terms", terms_file(tmp_path))
    assert lender.json("ledger", "erase", "--before", in_days(0), "--yes")["entries"] == 0
    assert PERSON in json.dumps(lender.deal(running)) and on_disk(lender, CONTACT)
    lender("offer", "withdraw", old, "--wait", WAIT)
    # Three days later, by the clock of the node alone: the agreement runs on, the offer is over. Midnight may have passed.
    clock = tmp_path / "clock"
    clock.write_text(str(72 * 3600 * 1000))
    told = lender.json("ledger", "erase", "--before", in_days(2), "--yes", env={"COLLEGA_CLOCK_FILE": str(clock)})
    assert told["entries"] == 1
    assert PERSON in json.dumps(lender.deal(running))
    assert "private" not in lender.json("offer", "show", old)["offer"]


def test_what_is_still_needed_is_not_erased(world_of):
    lender, borrower = world_of(2).nodes
    _, _, match = deals.matched(lender, borrower)
    deal = deals.propose(borrower, match, "--headcount", "2")
    deals.received(lender, deal)
    for node in (lender, borrower):
        refused = node("ledger", "erase", "--deal", deal, "--yes", expect=1)
        assert "undecided" in refused.stderr or "beslist" in refused.stderr
    lender("deal", "accept", deal, "--wait", WAIT)


@pytest.mark.parametrize("arguments,status,names", [
    ([], 2, "deal"),
    (["--deal", NOBODYS, "--before", "2026-01-01"], 2, "deal"),
    (["--deal", "zz", "--yes"], 1, "zz"),
    (["--deal", "0123456789", "--yes"], 1, "0123456789"),
    (["--before", "gisteren", "--yes"], 2, "before"),
    (["--before", "2159-01-01", "--yes"], 1, "before"),
    (["--before", "2020-01-01"], 2, "yes"),
])
def test_bad_input_to_erase_names_what_is_wrong(world_of, arguments, status, names):
    node = world_of(1).nodes[0]
    node.stop()
    entries = node.json("status")["ledger"]["entries"]
    refused = node("ledger", "erase", *arguments, expect=None, stdin="")
    assert refused.returncode == status and names in refused.stderr
    assert node.json("status")["ledger"]["entries"] == entries


def test_what_a_commit_that_never_was_left_behind_goes_too(agreed):
    """Power went, or the daemon was killed, when the pages of a commit were on disk and its end was not: they stand behind
    the last page that counts."""
    _, lender, _, deal = agreed
    lender.stop()
    with open(lender.home / "ledger" / "data.mdb", "ab") as file:
        file.write(NOTE.encode().ljust(4096, b"\0") * 1000)  # as of a rebuild
    assert lender.json("ledger", "erase", "--deal", deal, "--yes")["remains"] is False
    assert not on_disk(lender, PERSON, PHONE, NOTE, SAID, CONTACT)
    lender("ledger", "verify")
    lender.start()
