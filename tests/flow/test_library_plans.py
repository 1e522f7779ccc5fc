"""Plans and market figures through the C interface alone: as documents, and as values from a program in C."""
import ctypes

import pytest

from support import offers
from support.deals import DONE, received
from support.library import NOT_FOUND, REFUSED, USAGE, Library, Refusal, build_example
from support.world import NOBODYS, WAIT, World, binaries, call, until

sanitized = pytest.mark.skipif(any(name in str(binaries()) for name in ("asan", "tsan")),
                               reason="an interpreter without the sanitizer cannot load the library")
OFFER, BOARD, RINGS = range(3)
EXISTS = 5


def days(*names):
    return [f"{day}-{part}" for day in names for part in ("am", "pm")]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A job of five days for one person, shared by two lenders; and what all of them see."""
    with World(tmp_path_factory.mktemp("library_plans"), employers=4) as world:
        borrower, first, second, third = world.nodes
        lent = offers.load("logistiek-magazijn-uit")
        lent.pop("min_headcount", None)
        ids = [node.publish({**lent, "headcount": 1, "hours": {"per_week_min": 8, "per_week_max": most, "slots": slots}}, "--wait", WAIT)
               for node, most, slots in ((first, 24, days("mon", "tue", "wed")), (second, 16, days("thu", "fri")),
                                         (third, 16, days("mon", "tue")))]
        wanted = offers.load("voedsel-orderpickers-in")
        wanted.pop("min_headcount", None)
        world.asked = borrower.publish({**wanted, "headcount": 1, "carve": True,
                                        "hours": {"per_week_min": 8, "per_week_max": 40, "slots": days("mon", "tue", "wed", "thu", "fri")}},
                                       "--wait", WAIT)
        world.lent = ids
        until(lambda: set(ids) <= {offer["id"] for offer in borrower.json("offer", "list")["offers"]})
        yield world


def test_a_program_in_c_shows_the_loans_of_a_plan_and_the_market(world, tmp_path):
    borrower = world.nodes[0]
    program, environment = build_example(tmp_path, "plan")
    told = call([program, borrower.home, world.asked], env=environment).stdout
    plan = borrower.json("plan", "--offer", world.asked)
    assert [loan["supply"]["offer"] for loan in plan["loans"]] == world.lent[:2]
    for loan, when in zip(plan["loans"], ("Monday to Wednesday", "Thursday and Friday")):
        line = (f"{loan['supply']['party']['name']} lends 1 to {loan['demand']['party']['name']}, {loan['hours']} hours a week each, "
                f"{when} ({loan['score'] + 1e-9:.2f})")
        assert line in told
        assert loan["reasons"] and all(f"  + {reason['text']}" in told for reason in loan["reasons"])
        assert all(f"  - {gap['text']}" in told for gap in loan["gaps"])
    assert all(sentence in told for sentence in plan["sentences"])
    # The same figures as `collega market` has; what fewer than three employers stand behind is not there.
    market = borrower.json("market")
    assert f"open  offered: {market['open']['out']['people']} people by 3 employers" in told
    assert market["open"]["in"] is None and "open  asked" not in told
    rows = [line for line in told.split("\n") if line.startswith("regions ")]
    shown = [row for row in market["regions"] for side in ("out", "in") if row[side]]
    assert len(rows) == len(shown)
    # What is wrong is said, and nothing is shown.
    missing = call([program, borrower.home, NOBODYS], env=environment, expect=None)
    assert missing.returncode == 1 and NOBODYS in missing.stderr and not missing.stdout


@sanitized
def test_plans_are_made_shown_and_proposed(world):
    borrower, first, second, third = world.nodes
    library = Library(borrower.home)
    made = library("plan_make", OFFER, world.asked, 5, None)
    assert made["kind"] == "carved" and made["hours"] == made["hours_asked"] == 40 and len(made["sentences"]) > 2
    shown = library("plan_show", made["id"][:8])
    assert shown == made == borrower.json("plan", "show", made["id"])
    board = library("plan_make", BOARD, None, 0, None)
    assert board["kind"] == "board" and board["people"] >= 1
    assert library("plan_make", RINGS, None, 1, None)["loans"] == []
    figures = library("market_show")
    assert figures == {**borrower.json("market"), "made": figures["made"]} and figures["open"]["out"]["employers"] == 3
    # Proposed once, each with its days; those of another hand are refused and say why.
    given = library.text({"rate_cents": 2380})
    answer = library("plan_propose", made["id"], *given)
    assert answer["plan"] == made["id"] and answer["refused"] == [] and len(answer["deals"]) == 2
    deals = {deal["counterparty"]["kvk"]: library("deal_show", deal["id"]) for deal in answer["deals"]}
    assert deals[first.kvk]["terms"]["slots"] == days("mon", "tue", "wed") and deals[first.kvk]["terms"]["hours_per_week"] == 24
    assert deals[second.kvk]["terms"]["slots"] == days("thu", "fri")
    assert all(deal["terms"]["rates"]["hourly_cents"] == 2380 for deal in deals.values())
    with pytest.raises(Refusal) as refusal:
        library("plan_propose", made["id"], None, ctypes.c_size_t(0))
    assert (refusal.value.code, refusal.value.rule) == (EXISTS, "plan_proposed_already")
    assert {loan["deal"] for loan in library("plan_show", made["id"])["loans"]} == {deal["id"] for deal in answer["deals"]}
    received(first, deals[first.kvk]["id"])
    assert first.json("deal", "accept", deals[first.kvk]["id"], "--wait", WAIT)["state"] in DONE
    library.close()


@sanitized
@pytest.mark.parametrize("name, arguments, code, rule", [
    ("plan_make", (7, None, 0, None), USAGE, "argument_unknown"), ("plan_make", (BOARD, "ab", 0, None), USAGE, "plan_offer_or_board"),
    ("plan_make", (OFFER, None, 0, None), USAGE, "plan_offer_or_board"), ("plan_make", (BOARD, None, 601, None), USAGE, "range"),
    ("plan_make", (OFFER, NOBODYS, 0, None), NOT_FOUND, "id_unknown"), ("plan_show", (NOBODYS,), NOT_FOUND, "plan_unknown"),
    ("plan_show", (None,), USAGE, "argument_null"), ("plan_propose", (NOBODYS, None, ctypes.c_size_t(0)), NOT_FOUND, "plan_unknown")])
def test_what_is_called_wrongly_is_told(world, name, arguments, code, rule):
    library = Library(world.nodes[3].home)
    with pytest.raises(Refusal) as refusal:
        library(name, *arguments)
    assert (refusal.value.code, refusal.value.rule) == (code, rule)
    library.close()


@sanitized
def test_a_plan_of_others_is_not_ours_to_propose_and_takes_no_headcount(world):
    other = Library(world.nodes[3].home)
    with pytest.raises(Refusal) as refusal:
        other("plan_make", OFFER, world.lent[0], 0, None)
    assert (refusal.value.code, refusal.value.rule) == (REFUSED, "plan_not_ours")
    board = other("plan_make", BOARD, None, 0, None)
    for text in ({"headcount": 3}, {"hours_per_week": 8}, {"match": "ab"}):
        with pytest.raises(Refusal) as refusal:
            other("plan_propose", board["id"], *other.text(text))
        assert refusal.value.rule in ("json_unknown", "json_unknown_plain")
    other.close()
