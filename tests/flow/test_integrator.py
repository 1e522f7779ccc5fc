"""docs/integrator.md tells the truth: what it shows going in is taken, what it shows coming out is what comes out."""
import json
import re
from pathlib import Path

import pytest

from support import deals
from support.library import START_BEGINNING, Library
from support.world import WAIT, binaries

PAGE = Path(__file__).resolve().parents[2] / "docs" / "integrator.md"
EXAMPLES = {name: json.loads(text) for name, text in re.findall(r"```json ([a-z-]+)\n(.*?)```", PAGE.read_text(), re.S)}


def same_shape(shown, actual, path=""):
    """Each name that is shown is there, with a value of its kind."""
    assert type(shown) is type(actual) or {type(shown), type(actual)} <= {int, float}, (path, shown, actual)
    if isinstance(shown, dict):
        for name, value in shown.items():
            assert name in actual, (path, name, sorted(actual))
            if path != ".parts":
                same_shape(value, actual[name], f"{path}.{name}")
    elif isinstance(shown, list) and shown and actual:
        same_shape(shown[0], actual[0], f"{path}[0]")


def told_whole(name, actual, optional=()):
    same_shape(EXAMPLES[name], actual)
    assert set(actual) - set(optional) <= set(EXAMPLES[name]), (name, sorted(actual))


@pytest.mark.skipif(any(name in str(binaries()) for name in ("asan", "tsan")),
                    reason="an interpreter without the sanitizer cannot load the library")
def test_what_the_page_shows_is_what_there_is(world_of):
    world = world_of(2)
    lender, borrower = world.nodes
    lender.publish(EXAMPLES["offer-in"], "--wait", WAIT)
    shown = lender.json("offer", "list", "--mine")["offers"][0]
    told_whole("offer", shown)

    wanted = {**EXAMPLES["offer-in"], "kind": "loan_in", "title": "Orderpickers gezocht", "private": {"reference": "V-1"}}
    asked = borrower.publish(wanted, "--wait", WAIT)
    match = deals.match_of(borrower, asked, shown["id"])
    told_whole("match", borrower.json("match", "show", match))
    borrower("match", "interest", match, "--message", "Wij zoeken er acht.", "--wait", WAIT)

    library = Library(borrower.home)
    told_whole("talk", library("talk_show", match))
    proposal = {**EXAMPLES["proposal-in"], "match": match}
    deal = library("deal_propose", *library.text(proposal))["id"]
    deals.received(lender, deal)
    lender("deal", "accept", deal, "--wait", WAIT)
    concluded = borrower.deal(deal, "--wait", WAIT)
    told_whole("deal", concluded)
    for name, term in (("headcount", "headcount"), ("hours_per_week", "hours_per_week"), ("from", "from"), ("until", "until")):
        assert concluded["terms"][term] == proposal[name]

    library.follow("page", START_BEGINNING)
    for kind in ("offer", "talk", "deal", "match"):
        event = library.wait_for(lambda e: e["event"] == kind)
        told_whole(f"event-{kind}", event)
        library.follow("page-" + kind, START_BEGINNING)
    library.close()


def test_the_page_names_every_function_and_every_example_is_used():
    header = re.sub(r"/\*.*?\*/", "", (PAGE.parents[1] / "include/collega/collega.h").read_text(), flags=re.S)
    for name in set(re.findall(r"\b(collega_[a-z_]+)\(", header)):
        assert name in PAGE.read_text() or name.startswith("collega_judgement_"), name
    assert set(EXAMPLES) == {"offer-in", "offer", "match", "proposal-in", "deal", "talk", "event-offer", "event-match",
                             "event-talk", "event-deal"}
