"""Market figures against a plain count in Python of the same board, and that nothing is told of fewer than three employers:
not by itself, and not as what a total and its parts leave."""
import csv
import io
import json
import random
import re

import pytest

from support import offers
from support.world import WAIT, Node, World, until

LEAST = 3
REGIONS = {"AM25": "4811", "AM22": "3011", "AM18": "1011", "AM01": "9711"}
SKILLS = ["orderpicken", "lassen", "koken", "laden en lossen", "=1+1"]


def made(generator, number):
    lends = generator.random() < 0.5
    offer = offers.load("logistiek-magazijn-uit" if lends else "voedsel-orderpickers-in")
    offer.pop("min_headcount", None)
    region = generator.choice(list(REGIONS))
    offer["place"] = {"postcode": REGIONS[region], "region": region}
    offer["occupation"] = {"isco": generator.choice(["4321", "4321", "4321", "9333", "8322", "5120"])}
    offer["headcount"] = generator.randint(1, 30)
    offer["title"] = f"Aanbod {number}"
    offer["skills"] = [{"label": label} for label in generator.sample(SKILLS, 2)]
    if generator.random() < 0.2:
        offer.pop("sector", None)
    else:
        offer["sector"] = generator.choice(["52.10", "46.30", "10.71"])
    return offer


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    generator = random.Random(5)
    with World(tmp_path_factory.mktemp("market"), employers=5) as world:
        every = []
        for node in world.nodes:
            every += node.publish([made(generator, number) for number in range(9)], "--wait", WAIT)
        reader = world.nodes[0]
        until(lambda: set(every) <= {offer["id"] for offer in reader.json("offer", "list")["offers"]})
        # Some are filled, some withdrawn: closed ones no longer count as open.
        for node, end in zip(world.nodes, ("filled", "withdraw", "filled", "withdraw", "filled")):
            closed = node.json("offer", "list", "--mine")["offers"][0]["id"]
            node("offer", end, closed, "--wait", WAIT)
        until(lambda: sum(offer["state"] != "open" for offer in reader.json("offer", "list", "--all")["offers"]) == 5)
        yield world


def board(node):
    return node.json("offer", "list", "--all")["offers"]


def side_of(row):
    return "out" if row["offer"]["kind"] in ("loan_out", "transfer_out") else "in"


def figure(rows):
    employers = {row["author"]["kvk"] for row in rows}
    if rows and len(employers) < LEAST:
        return None
    return {"people": sum(row["offer"]["headcount"] for row in rows), "offers": len(rows), "employers": len(employers)}


def plain_table(rows, key_of):
    """Each group's figures; what too few stand behind goes to the others, with the smallest until enough do."""
    groups = {}
    for row in rows:
        groups.setdefault(key_of(row), {"out": [], "in": []})[side_of(row)].append(row)
    told = {key: {} for key in groups}
    others = {}
    for side in ("out", "in"):
        hidden = {key for key, group in groups.items() if group[side] and figure(group[side]) is None}

        def together():
            return [row for key in hidden for row in groups[key][side]]
        while together() and figure(together()) is None:
            left = sorted((sum(row["offer"]["headcount"] for row in group[side]), key) for key, group in groups.items()
                          if key not in hidden and group[side])
            if not left:
                break
            hidden.add(left[0][1])
        for key, group in groups.items():
            told[key][side] = None if key in hidden else figure(group[side])
        others[side] = together()
    if others["out"] or others["in"]:
        told["others"] = {side: figure(rows) for side, rows in others.items()}
    return told


def open_rows(node):
    return [row for row in board(node) if row["state"] == "open"]


TABLES = {"regions": lambda row: row["offer"]["place"]["region"], "sectors": lambda row: row["offer"].get("sector", "unknown")[:7]
          if "sector" not in row["offer"] else row["offer"]["sector"][:2], "occupations": lambda row: row["offer"]["occupation"]["isco"]}


@pytest.mark.parametrize("table", TABLES)
def test_each_table_is_as_a_plain_count_has_it(world, table):
    node = world.nodes[0]
    found = {row["key"]: {"out": row["out"], "in": row["in"]} for row in node.json("market")[table]}
    assert found == plain_table(open_rows(node), TABLES[table])


def test_the_whole_board_is_counted(world):
    node = world.nodes[0]
    market = node.json("market")
    assert market["least_employers"] == LEAST
    for side in ("out", "in"):
        assert market["open"][side] == figure([row for row in open_rows(node) if side_of(row) == side])
        # What is told sums to the total: nothing is lost, and the others leave no remainder to find somebody by.
        told = [row[side]["people"] for row in market["regions"] if row[side]]
        assert sum(told) == market["open"][side]["people"]


def test_skills_and_shortages(world):
    node = world.nodes[0]
    market = node.json("market")
    wanted = {}
    for row in open_rows(node):
        if side_of(row) == "in":
            for skill in row["offer"]["skills"]:
                wanted.setdefault(skill["label"], []).append(row)
    assert {skill["key"]: skill["people"] for skill in market["skills"]} == {
        label: figure(rows)["people"] for label, rows in wanted.items() if figure(rows)}
    assert [skill["people"] for skill in market["skills"]] == sorted((skill["people"] for skill in market["skills"]), reverse=True)
    both = {}
    for row in open_rows(node):
        key = (row["offer"]["place"]["region"], row["offer"]["occupation"]["isco"])
        both.setdefault(key, {"out": [], "in": []})[side_of(row)].append(row)
    short = {}
    for key, group in both.items():
        asked, offered = figure(group["in"]), figure(group["out"])
        if asked and offered and asked["people"] > offered["people"]:
            short[key] = (asked["people"], offered["people"])
    assert {(row["region"], row["occupation"]): (row["asked"], row["offered"]) for row in market["short"]} == short


def test_fill_rate_and_time_to_match(world):
    node = world.nodes[0]
    market = node.json("market")
    for side in ("out", "in"):
        rows = [row for row in board(node) if side_of(row) == side]
        closed = [row for row in rows if row["state"] in ("filled", "withdrawn", "expired")]
        if closed and figure(closed) is None:
            assert market["filled"][side] is None
        else:
            filled = sum(row["state"] == "filled" for row in closed)
            assert (market["filled"][side]["closed"], market["filled"][side]["filled"]) == (len(closed), filled)
        matching = market["matching"][side]
        assert matching["offers"] == len(rows) and 0 < matching["matched"] <= len(rows)
        assert 0 <= matching["median_hours"] < 1


def test_csv_tells_the_same(world):
    node = world.nodes[0]
    market = node.json("market")
    rows = list(csv.DictReader(io.StringIO(node("market", "--csv").stdout)))
    regions = {(row["key"], row["side"]): row["people"] for row in rows if row["table"] == "regions"}
    assert regions == {(row["key"], side): str(row[side]["people"]) if row[side] else "" for row in market["regions"]
                       for side in ("out", "in")}
    names = [row["name"] for row in rows if row["table"] == "skills"]
    assert len(names) == len(market["skills"])
    assert all(not name.startswith("=") for name in names)  # no cell is a formula
    assert json.loads(node("market", "--csv", "--json", expect=2).stderr)["error"]["rule"] == "market_one_form"


def test_people_read_it(world):
    told = world.nodes[0]("market", "--lang", "nl").stdout
    assert "Geboden:" in told and "West-Brabant" in told and "Meest gevraagde vaardigheden" in told


def test_two_employers_are_told_nothing_of_each_other(tmp_path):
    with World(tmp_path, employers=2) as world:
        one, other = world.nodes
        ids = [one.publish(offers.load("logistiek-magazijn-uit"), "--wait", WAIT),
               other.publish(offers.load("logistiek-magazijn-uit"), "--wait", WAIT)]
        until(lambda: set(ids) <= {offer["id"] for offer in one.json("offer", "list")["offers"]})
        market = one.json("market")
        assert market["open"] == {"out": None, "in": {"people": 0, "offers": 0, "employers": 0}}
        assert all(row["out"] is None for table in TABLES for row in market[table])
        assert market["matching"]["out"] is None


def test_what_names_no_region_or_sector_is_told_in_words(tmp_path):
    node = Node(tmp_path, "Grens BV", "45678901")
    node.init()
    offer = {**offers.load("logistiek-magazijn-uit"), "place": {"country": "DE", "city": "Kleve"}}
    node.publish({name: value for name, value in offer.items() if name != "sector"})
    for language, word, other in (("nl", "onbekend", "unknown"), ("en", "unknown", "onbekend")):
        shown = node("market", "--lang", language).stdout
        assert len(re.findall(rf"^ *{word} +<3", shown, re.M)) == 2 and other not in shown, shown
    assert [row["key"] for row in node.json("market")["sectors"]] == ["unknown", "others"]
