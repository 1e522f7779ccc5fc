"""Plans: several lenders for one request, a job carved into part-time pieces, rings over a board; each never more than there
is, explained, and turned into its proposals with one command."""
import json

import pytest

from support import offers
from support.deals import DONE, accept, received
from support.hosting import EMPLOYERS, add, network
from support.world import NOBODYS, WAIT, World, until

OUT, IN = "logistiek-magazijn-uit", "voedsel-orderpickers-in"
FULL = {"per_week_min": 24, "per_week_max": 40}


def out(people, **changes):
    offer = offers.load(OUT)
    offer.pop("min_headcount", None)
    return {**offer, "headcount": people, "hours": FULL, **changes}


def wanted(people, **changes):
    offer = offers.load(IN)
    offer.pop("min_headcount", None)
    return {**offer, "headcount": people, "hours": FULL, **changes}


def seen(node, *ids):
    """Waits until these offers are on the node's board."""
    until(lambda: set(ids) <= {offer["id"] for offer in node.json("offer", "list")["offers"]})


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with World(tmp_path_factory.mktemp("plans"), employers=4) as world:
        yield world


def withdraw_all(world):
    for node in world.nodes:
        for offer in node.json("offer", "list", "--mine")["offers"]:
            if offer["state"] in ("open", "paused"):
                node("offer", "withdraw", offer["id"], "--wait", WAIT)
    for node in world.nodes:
        until(lambda: all(offer["state"] != "open" for offer in node.json("offer", "list")["offers"]))


def test_one_request_is_filled_by_several_lenders_and_proposed_with_one_command(world):
    borrower, *lenders = world.nodes
    lent = [lender.publish(out(people), "--wait", WAIT) for lender, people in zip(lenders, (40, 35, 50))]
    asked = borrower.publish(wanted(100), "--wait", WAIT)
    seen(borrower, *lent)
    plan = borrower.json("plan", "--offer", asked)
    assert (plan["kind"], plan["people"], plan["people_asked"], plan["employers"]) == ("offer", 100, 100, 3)
    assert plan["optimal"] and plan["value"] == plan["bound"]
    people = {loan["supply"]["offer"]: loan["people"] for loan in plan["loans"]}
    assert all(people[offer] <= most for offer, most in zip(lent, (40, 35, 50)))
    # Oracle: with the scores told, the best filled first is the best there is, as no lender has a least.
    scores = {loan["supply"]["offer"]: loan["score"] for loan in plan["loans"]}
    left, best = 100, 0.0
    for offer, most in sorted(zip(lent, (40, 35, 50)), key=lambda pair: -scores[pair[0]]):
        best += min(left, most) * scores[offer]
        left -= min(left, most)
    assert abs(plan["value"] - best) < 0.05
    assert plan["best_single"]["people"] == 50
    told = borrower("plan", "--offer", asked, "--lang", "nl").stdout
    assert "100 van de 100 gevraagde mensen, van 3 werkgevers" in told
    assert "Wie niets doet, komt 100 mensen te kort." in told and "50 mensen" in told and "50 meer" in told
    assert "Beter kan niet" in told and "collega plan propose" in told
    again = borrower.json("plan", "show", plan["id"][:6])
    assert again["loans"] == plan["loans"] and again["sentences"] == plan["sentences"]
    # One deal per lender; two accept, and wait for nobody.
    made = borrower.json("plan", "propose", plan["id"], "--rate", "23,80")
    assert made["refused"] == [] and sorted(deal["people"] for deal in made["deals"]) == sorted(people.values())
    by_lender = {deal["counterparty"]["kvk"]: deal["id"] for deal in made["deals"]}
    for lender in lenders[:2]:
        received(lender, by_lender[lender.kvk])
        accept(lender, borrower, by_lender[lender.kvk])
    slow = borrower.deal(by_lender[lenders[2].kvk])
    assert slow["state"] == "proposed" and slow["terms"]["headcount"] == people[lent[2]]
    # The same command again makes nothing twice; and what is held is not free any more.
    assert "already" in borrower("plan", "propose", plan["id"], "--lang", "en", expect=1).stderr
    assert borrower.json("plan", "--offer", asked)["loans"] == []
    lenders[2]("deal", "decline", slow["id"], "--wait", WAIT)
    until(lambda: borrower.deal(slow["id"])["state"] == "void")
    assert borrower.json("plan", "--offer", asked)["people"] == people[lent[2]]
    withdraw_all(world)


def test_a_lender_who_lends_only_several_at_once_is_never_asked_for_fewer(world):
    borrower, *lenders = world.nodes
    leasts = {}
    for lender, people, least in zip(lenders, (6, 5, 9), (6, 4, 9)):
        leasts[lender.publish(out(people, min_headcount=least), "--wait", WAIT)] = (people, least)
    asked = borrower.publish(wanted(11), "--wait", WAIT)
    seen(borrower, *leasts)
    plan = borrower.json("plan", "--offer", asked)
    people = {loan["supply"]["offer"]: loan["people"] for loan in plan["loans"]}
    assert all(leasts[offer][1] <= number <= leasts[offer][0] for offer, number in people.items())
    assert sum(people.values()) == 11 and plan["optimal"]
    withdraw_all(world)


def test_a_plan_that_was_changed_by_hand_is_told_and_proposes_nothing(world):
    lender, borrower = world.nodes[:2]
    lent = lender.publish(out(3), "--wait", WAIT)
    asked = borrower.publish(wanted(3), "--wait", WAIT)
    seen(borrower, lent)
    plan = borrower.json("plan", "--offer", asked)
    kept = borrower.home / "plans" / plan["id"]
    whole = kept.read_text()
    before = borrower.json("deal", "list")
    changes = {
        "no people": lambda changed: changed["loans"][0].pop("people"),
        "more people than there are numbers": lambda changed: changed["loans"][0].update(people=2**40),
        "no such offer": lambda changed: changed["loans"][0]["supply"].update(offer="zz"),
        "a slot that is none": lambda changed: changed["loans"][0].update(slots=[3]),
        "a figure beyond all boards": lambda changed: changed.update(bound=1e300, optimal=False),
        "a single match without sides": lambda changed: changed.update(best_single={"people": 2**62, "hours": 40}),
        "another file's id": lambda changed: changed.update(id="../identity"),
    }
    for what, change in changes.items():
        changed = json.loads(whole)
        change(changed)
        kept.write_text(json.dumps(changed))
        for command in (("show", plan["id"]), ("propose", plan["id"])):
            error = json.loads(borrower("plan", *command, "--json", expect=1).stderr)["error"]
            assert error["rule"] == "plan_damaged", what
    assert borrower.json("deal", "list") == before
    kept.write_text(whole)
    assert borrower.json("plan", "show", plan["id"])["id"] == plan["id"]
    withdraw_all(world)


def test_people_on_offer_are_placed_with_several_borrowers(world):
    lender, *borrowers = world.nodes
    asked = [borrower.publish(wanted(people), "--wait", WAIT) for borrower, people in zip(borrowers, (4, 9, 3))]
    lent = lender.publish(out(15), "--wait", WAIT)
    seen(lender, *asked)
    plan = lender.json("plan", "--offer", lent)
    assert plan["people"] == 15 and {loan["supply"]["offer"] for loan in plan["loans"]} == {lent}
    assert all(loan["people"] <= most for loan in plan["loans"] for offer, most in zip(asked, (4, 9, 3))
               if loan["demand"]["offer"] == offer)
    told = lender("plan", "--offer", lent, "--lang", "nl").stdout
    assert "15 van de 15 aangeboden mensen aan het werk, bij 3 werkgevers" in told and "houdt 15 mensen zonder werk" in told
    made = lender.json("plan", "propose", plan["id"])
    assert sum(deal["people"] for deal in made["deals"]) == 15
    withdraw_all(world)


def test_a_job_is_carved_into_part_time_pieces(world):
    borrower, *lenders = world.nodes
    part = {"per_week_min": 8, "per_week_max": 16}
    lent = [lender.publish(out(1, hours=part), "--wait", WAIT) for lender in lenders]
    asked = borrower.publish(wanted(1, carve=True, hours={"per_week_min": 8, "per_week_max": 40}), "--wait", WAIT)
    seen(borrower, *lent)
    plan = borrower.json("plan", "--offer", asked)
    assert (plan["kind"], plan["hours"], plan["hours_asked"]) == ("carved", 40, 40)
    assert sorted(loan["people"] for loan in plan["loans"]) == [1, 1, 1]
    assert all(8 <= loan["hours"] <= 16 for loan in plan["loans"])
    assert "40 of the 40 hours a week, shared by 3 people" in borrower("plan", "--offer", asked, "--lang", "en").stdout
    made = borrower.json("plan", "propose", plan["id"])
    assert len(made["deals"]) == 3 and made["refused"] == []
    hours = [borrower.deal(deal["id"])["terms"]["hours_per_week"] for deal in made["deals"]]
    assert sum(hours) == 40
    for deal in made["deals"]:
        lender = next(node for node in lenders if node.kvk == deal["counterparty"]["kvk"])
        received(lender, deal["id"])
        assert lender.json("deal", "accept", deal["id"], "--wait", WAIT)["state"] in DONE
    withdraw_all(world)


def test_day_parts_are_shared_so_that_nobody_stands_beside_another(world):
    borrower, first, second, _ = world.nodes
    week = [f"{day}-{part}" for day in ("mon", "tue", "wed", "thu", "fri") for part in ("am", "pm")]
    some = {"per_week_min": 8, "per_week_max": 20}
    lent = [first.publish(out(1, hours={**some, "slots": week[:5]}), "--wait", WAIT),
            second.publish(out(1, hours={**some, "slots": week[4:]}), "--wait", WAIT)]
    asked = borrower.publish(wanted(1, carve=True, hours={"per_week_min": 8, "per_week_max": 40, "slots": week}), "--wait", WAIT)
    seen(borrower, *lent)
    plan = borrower.json("plan", "--offer", asked)
    slots = [slot for loan in plan["loans"] for slot in loan["slots"]]
    assert len(slots) == len(set(slots)) == 10 and set(slots) == set(week) and plan["hours"] == 40
    for loan in plan["loans"]:
        assert set(loan["slots"]) <= set(week[:5] if loan["supply"]["offer"] == lent[0] else week[4:])
        assert loan["hours"] == 4 * len(loan["slots"]) <= 20
    withdraw_all(world)


MON_WED, THU_FRI = ([f"{day}-{part}" for day in days for part in ("am", "pm")] for days in (("mon", "tue", "wed"), ("thu", "fri")))


@pytest.mark.parametrize("named", [MON_WED + THU_FRI, None], ids=["days named", "no days named"])
def test_two_lenders_share_one_place_on_different_days(world, named):
    """Whether or not the job says which days it is: Monday to Wednesday from one, Thursday and Friday from the other; who offers
    days that are taken gets no part. Proposed with those days, and what is agreed leaves the other days to be had."""
    borrower, first, second, third = world.nodes
    some = {"per_week_min": 8, "per_week_max": 24}
    lent = [first.publish(out(1, hours={**some, "slots": MON_WED}), "--wait", WAIT),
            second.publish(out(1, hours={"per_week_min": 8, "per_week_max": 16, "slots": THU_FRI}), "--wait", WAIT),
            third.publish(out(1, hours={**some, "slots": MON_WED}, occupation={"isco": "9333"}), "--wait", WAIT)]
    hours = {"per_week_min": 8, "per_week_max": 40, **({"slots": named} if named else {})}
    asked = borrower.publish(wanted(1, carve=True, hours=hours), "--wait", WAIT)
    seen(borrower, *lent)
    plan = borrower.json("plan", "--offer", asked)
    days = {loan["supply"]["offer"]: (loan["people"], loan["hours"], loan["slots"]) for loan in plan["loans"]}
    assert days == {lent[0]: (1, 24, MON_WED), lent[1]: (1, 16, THU_FRI)} and plan["optimal"]
    assert (plan["hours"], plan["hours_asked"]) == (40, 40)
    # The best single match is that of the most hours times score, which is not all of it.
    single = plan["best_single"]
    assert single["people"] * single["hours"] in (16, 24) and single["value"] < plan["value"]
    one, two = (next(loan["supply"]["party"]["name"] for loan in plan["loans"] if loan["supply"]["offer"] == offer) for offer in lent[:2])
    told = borrower("plan", "show", plan["id"], "--lang", "nl").stdout
    assert f"Zo delen zij het werk. Maandag tot en met woensdag: {one} (24 uur); donderdag en vrijdag: {two} (16 uur)." in told
    assert f"Monday to Wednesday: {one} (24 hours); Thursday and Friday: {two}" in borrower("plan", "show", plan["id"], "--lang", "en").stdout
    # The terms of each deal have the days of its part.
    made = borrower.json("plan", "propose", plan["id"])
    assert made["refused"] == []
    terms = {deal["counterparty"]["name"]: borrower.deal(deal["id"])["terms"] for deal in made["deals"]}
    assert terms[one]["slots"] == MON_WED and terms[two]["slots"] == THU_FRI
    # One is agreed, the other declines: Thursday and Friday alone are still open, and the third has no part in them.
    by_name = {deal["counterparty"]["name"]: deal["id"] for deal in made["deals"]}
    received(first, by_name[one])
    assert first.json("deal", "accept", by_name[one], "--wait", WAIT)["state"] in DONE
    received(second, by_name[two])
    second("deal", "decline", by_name[two], "--wait", WAIT)
    until(lambda: borrower.deal(by_name[two])["state"] == "void")
    until(lambda: borrower.deal(by_name[one])["state"] in DONE)
    rest = borrower.json("plan", "--offer", asked)
    assert [(loan["supply"]["offer"], loan["hours"], loan["slots"]) for loan in rest["loans"]] == [(lent[1], 16, THU_FRI)]
    assert rest["hours_asked"] == 16
    withdraw_all(world)


def test_on_a_board_a_shared_job_takes_two_lenders_for_one_place(world):
    """The board's plan: two half weeks in one place, and who offers the same days as another goes to another employer."""
    borrower, first, second, other = world.nodes
    early = {"per_week_min": 8, "per_week_max": 24, "slots": MON_WED}
    lent = [first.publish(out(2, hours=early), "--wait", WAIT),
            second.publish(out(1, hours={"per_week_min": 8, "per_week_max": 16, "slots": THU_FRI}), "--wait", WAIT)]
    asked = [borrower.publish(wanted(1, carve=True, hours={"per_week_min": 8, "per_week_max": 40, "slots": MON_WED + THU_FRI}), "--wait", WAIT),
             other.publish(wanted(1, hours={"per_week_min": 8, "per_week_max": 24}), "--wait", WAIT)]
    seen(borrower, *lent, asked[1])
    plan = borrower.json("plan", "--board")
    loans = {(loan["supply"]["offer"], loan["demand"]["offer"]): loan for loan in plan["loans"]}
    assert set(loans) == {(lent[0], asked[0]), (lent[1], asked[0]), (lent[0], asked[1])} and plan["optimal"]
    one, two, apart = loans[lent[0], asked[0]], loans[lent[1], asked[0]], loans[lent[0], asked[1]]
    assert (one["people"], one["hours"], one["slots"], one["shared"]) == (1, 24, MON_WED, True)
    assert (two["people"], two["hours"], two["slots"], two["shared"]) == (1, 16, THU_FRI, True)
    assert apart["people"] == 1 and "shared" not in apart
    assert abs(plan["value"] - (24 * one["score"] + 16 * two["score"]) / 40 - apart["score"]) < 0.001
    names = [loan["supply"]["party"]["name"] for loan in (one, two)]
    told = borrower("plan", "--board", "--lang", "nl").stdout
    assert (f"Bij {one['demand']['party']['name']} delen zij het werk. Maandag tot en met woensdag: {names[0]} (24 uur); "
            f"donderdag en vrijdag: {names[1]} (16 uur).") in told
    made = borrower.json("plan", "propose", plan["id"])
    assert made["refused"] == []
    assert sorted(borrower.deal(deal["id"])["terms"]["hours_per_week"] for deal in made["deals"]) == [16, 24]
    withdraw_all(world)


def test_a_ring_is_found_among_a_board_and_swaps_lend_only_in_return(world):
    a, b, c, d = world.nodes
    kinds = {"a": ("4321", "Magazijn"), "b": ("5120", "Koks"), "c": ("9112", "Schoonmaak")}

    def lend(node, kind, people, **changes):
        isco, title = kinds[kind]
        return node.publish(out(people, occupation={"isco": isco}, title=f"{title} uit", skills=[], credentials=[], languages=[],
                                **changes), "--wait", WAIT)

    def ask(node, kind, people, **changes):
        isco, title = kinds[kind]
        return node.publish(wanted(people, occupation={"isco": isco}, title=f"{title} in", skills=[], credentials=[], languages=[],
                                   **changes), "--wait", WAIT)

    ids = [lend(a, "a", 5, reason="swap"), ask(b, "a", 4), lend(b, "b", 3), ask(c, "b", 6), lend(c, "c", 7), ask(a, "c", 5)]
    alone = lend(d, "a", 2, reason="rotation")
    seen(a, *ids, alone)
    plan = a.json("plan", "--board", "--rings")
    assert plan["kind"] == "rings" and plan["optimal"]
    assert [(loan["people"], loan["ring"]) for loan in plan["loans"]] == [(3, 1)] * 3
    for loan, after in zip(plan["loans"], plan["loans"][1:] + plan["loans"][:1]):
        assert loan["demand"]["party"]["kvk"] == after["supply"]["party"]["kvk"]
    told = a("plan", "--board", "--rings", "--lang", "en").stdout
    names = [loan["supply"]["party"]["name"] for loan in plan["loans"]]
    assert f"Ring 1: {names[0]} lends 3 people to {names[1]}, {names[1]} to {names[2]}, {names[2]} to {names[0]}." in told and "all lend and borrow" in told
    # The board: the ring for the swap, and loans for what remains; who wants somebody back and gets nobody lends nobody.
    board = a.json("plan", "--board")
    used = {}
    for loan in board["loans"]:
        for side in ("supply", "demand"):
            used[loan[side]["offer"]] = used.get(loan[side]["offer"], 0) + loan["people"]
    most = dict(zip([*ids, alone], (5, 4, 3, 6, 7, 5, 2)))
    assert all(number <= most[offer] for offer, number in used.items()) and alone not in used
    assert all(loan.get("ring") for loan in board["loans"] if loan["supply"]["offer"] == ids[0])
    assert board["value"] >= plan["value"] and board["bound"] >= board["value"]
    # Proposing: only what we are a side of.
    made = a.json("plan", "propose", plan["id"])
    assert sorted(deal["counterparty"]["kvk"] for deal in made["deals"]) == sorted([b.kvk, c.kvk])
    assert "nobody of this node" in d("plan", "propose", d.json("plan", "--board", "--rings")["id"], "--lang", "en", expect=1).stderr
    withdraw_all(world)


def test_a_desk_plans_for_those_who_live_at_its_node(tmp_path):
    with World(tmp_path, employers=1) as world:
        outside = world.nodes[0]
        # The employer outside has the first name of the list; the two at the node have the others.
        host, _ = network(world, employers=0)
        inside = [add(world.broker, host, employer, "--wait", WAIT) for employer in EMPLOYERS[1:3]]
        ids = [outside.publish(out(3), "--wait", WAIT), inside[0].publish(out(4), "--wait", WAIT),
               inside[1].publish(wanted(6), "--wait", WAIT)]
        seen(host, *ids)
        plan = host.json("plan", "--board")
        assert plan["people"] == 6 and {loan["demand"]["offer"] for loan in plan["loans"]} == {ids[2]}
        made = host.json("plan", "propose", plan["id"])
        assert made["refused"] == [] and sum(deal["people"] for deal in made["deals"]) == 6
        assert "not ours" in host("plan", "--offer", ids[0], "--lang", "en", expect=1).stderr


def test_a_large_board_is_planned_by_the_best_of_each_request(tmp_path):
    with World(tmp_path, employers=3) as world:
        reader, lender, borrower = world.nodes
        kinds = ["4321", "9333", "8322", "5120", "9112"]
        people = {}
        for node, make in ((lender, out), (borrower, wanted)):
            batch = [make(1 + number % 4, occupation={"isco": kinds[number % 5]}, skills=[], title=f"{number}") for number in range(650)]
            people.update(zip(node.publish(batch, "--wait", WAIT), (offer["headcount"] for offer in batch)))
        seen(reader, *people)
        plan = reader.json("plan", "--board", "--time", "5")
        assert plan["pairs_cut"] and plan["bound"] >= plan["value"] > 0
        used = {}
        for loan in plan["loans"]:
            for side in ("supply", "demand"):
                used[loan[side]["offer"]] = used.get(loan[side]["offer"], 0) + loan["people"]
        assert all(number <= people[offer] for offer, number in used.items())
        assert plan["people"] == sum(loan["people"] for loan in plan["loans"]) > 500
        # That not all was looked at is told, and how much better the whole board could be: nobody is lent above the best score.
        assert plan["board_bound"] >= plan["bound"]
        assert plan["board_bound"] <= sum(people.values()) / 2 + 1e-6
        told = reader("plan", "show", plan["id"], "--lang", "nl").stdout
        more = -(-(plan["board_bound"] - plan["value"]) * 100 // plan["value"])
        assert "van elke aanvraag zijn de 20 beste matches bekeken" in told and f"Met het hele prikbord kan het hoogstens {more:.0f}% beter" in told


BAD = [([], "plan_of_what", 2), (["--board", "--offer", "ab"], "plan_of_what", 2), (["--rings", "--offer", "ab"], "plan_of_what", 2),
       (["--offer", NOBODYS], "id_unknown", 1), (["--offer", "nothex!"], "id_malformed", 1),
       (["--board", "--time", "0"], None, 2), (["--board", "--time", "x"], None, 2), (["show", NOBODYS], "plan_unknown", 1),
       (["show", "zz"], "id_malformed", 1), (["propose", NOBODYS], "plan_unknown", 1), (["propose"], None, 2),
       (["propose", NOBODYS, "--rate", "x"], None, 2)]


@pytest.mark.parametrize("arguments, rule, status", BAD)
def test_bad_usage_is_told(world, arguments, rule, status):
    error = json.loads(world.nodes[0]("plan", *arguments, "--json", expect=status).stderr)["error"]
    assert rule is None or error["rule"] == rule


def test_an_empty_board_has_no_plan_and_a_damaged_one_is_told(world):
    node = world.nodes[3]
    withdraw_all(world)
    plan = node.json("plan", "--board")
    assert plan["loans"] == [] and len(plan["sentences"]) == 1 and plan["best_single"] is None
    assert "niets dat past" in node("plan", "--board", "--lang", "nl").stdout
    (node.home / "plans" / plan["id"]).write_text("{")
    assert json.loads(node("plan", "show", plan["id"], "--json", expect=1).stderr)["error"]["rule"] == "plan_damaged"
    (node.home / "plans" / plan["id"]).write_text('{"loans": [{"supply": 3}, 4]}')
    node("plan", "propose", plan["id"], expect=1)
