"""Short courses that close gaps: a network's table is imported whole or not at all, and matches name them; the weights of a
score are settings."""
import json
import signal

import pytest

from support import offers
from support.deals import match_of
from support.world import WAIT, Node, World, call, until

HEADER = "closes,what,from,length,unit,nl,en\n"
TABLE = (HEADER + "credential,forklift,,1,day,heftruckdag,fork-lift day\n"
         'skill,orderpicken,,3,half-day,"inwerken, orderpicken",order picking induction\n'
         "occupation,5120,43,2,week,van magazijn naar keuken,from store to kitchen\n")


def courses(node, *arguments, expect=0):
    return call([node.program, "courses", *arguments, "--home", node.home], expect)


def listed(node):
    return [(course["closes"], course["what"], course["nl"])
            for course in json.loads(courses(node, "list", "--json").stdout)["courses"]]


def written(tmp_path, text):
    path = tmp_path / "cursussen.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.fixture
def node(tmp_path):
    node = Node(tmp_path / "node", "Snijder BV", "12345678")
    node.init()
    return node


def test_a_networks_own_courses_stand_before_those_built_in(node, tmp_path):
    built_in = listed(node)
    assert ("occupation", "9621", "omscholing van taxichauffeur tot koerier") in built_in
    for _ in range(2):
        assert "3" in courses(node, "import", written(tmp_path, TABLE), "--lang", "en").stdout
        assert listed(node) == [("credential", "forklift", "heftruckdag"), ("skill", "orderpicken", "inwerken, orderpicken"),
                                ("occupation", "5120", "van magazijn naar keuken"), *built_in]
    courses(node, "import", written(tmp_path, HEADER))
    assert listed(node) == built_in


@pytest.mark.parametrize("row, column", [
    ("diploma,vca,,1,day,a,b", "closes"), ("credential,,,1,day,a,b", "what"), ("skill,\x01,,1,day,a,b", "what"),
    ("occupation,51200,43,1,day,a,b", "what"), ("occupation,5120,,1,day,a,b", "from"), ("skill,x,43,1,day,a,b", "from"),
    ("skill,x,,0,day,a,b", "length"), ("skill,x,,1000,day,a,b", "length"), ("skill,x,,een,day,a,b", "length"),
    ("skill,x,,1,year,a,b", "unit"), ("skill,x,,1,day,,b", "nl"), (f"skill,x,,1,day,a,{'b' * 121}", "en"),
    ("skill,x,,1,day,a", None), ("skill,x,,1,day,a,\"b", None), (b"skill,x,,1,day,\xff,b", "nl"),
    (b"skill,x,,1,day,a\x00b,b", "nl"), (f"skill,{'x' * 161},,1,day,a,b", "what"),
])
def test_a_wrong_row_is_told_by_file_row_and_column_and_nothing_changes(node, tmp_path, row, column):
    courses(node, "import", written(tmp_path, TABLE))
    before = listed(node)
    row = row if isinstance(row, bytes) else row.encode()
    said = courses(node, "import", written(tmp_path, TABLE.encode() + row + b"\n"), expect=1).stderr
    assert "cursussen.csv row 5" + (f": {column}" if column else "") in said
    assert listed(node) == before


def test_a_table_without_a_column_is_told(node, tmp_path):
    said = courses(node, "import", written(tmp_path, "closes,what,from,length,nl,en\n"), expect=1).stderr
    assert "cursussen.csv row 1: unit" in said


def shown(node, match, language):
    return node.json("match", "show", match, "--lang", language)


def test_a_match_names_the_courses_that_close_its_gaps_and_goes_by_the_weights_of_the_settings(tmp_path):
    wanted = {"credentials": [{"code": "forklift", "need": "nice"}],
              "skills": [{"label": "orderpicken", "need": "must"}]}
    with World(tmp_path) as world:
        lender, borrower = world.nodes
        lent = lender.publish(offers.load("logistiek-magazijn-uit") | {"credentials": [], "skills": []}, "--wait", WAIT)
        asked = borrower.publish(offers.load("voedsel-orderpickers-in") | wanted, "--wait", WAIT)
        match = match_of(borrower, asked, lent)
        texts = [closer["text"] for closer in shown(borrower, match, "nl")["closers"]]
        assert texts == ["te dichten met heftruckcursus: 2 dagen"]
        courses(borrower, "import", written(tmp_path, TABLE))
        until(lambda: len(shown(borrower, match, "en")["closers"]) == 2)
        assert sorted(closer["text"] for closer in shown(borrower, match, "en")["closers"]) == [
            "to be closed by fork-lift day: one day", "to be closed by order picking induction: 3 half-days"]
        text = borrower("match", "show", match, "--lang", "nl").stdout
        assert "wat dat kan dichten:" in text and "te dichten met heftruckdag: een dag" in text

        names = list(shown(borrower, match, "en")["parts"])
        settings = borrower.home / "settings.ini"
        before = settings.read_text()
        settings.write_text(before + "\n[match]\n" + "".join(f"{name} = {int(name == 'skills')}\n" for name in names))
        borrower.process.send_signal(signal.SIGHUP)
        until(lambda: shown(borrower, match, "en")["score"] == 0)
        borrower.stop()
        settings.write_text(before + "\n[match]\n" + "".join(f"{name} = 0\n" for name in names))
        refused = call([borrower.program, "run", "--home", borrower.home, "--lang", "en"], 1).stderr
        assert "all weights of [match] are 0" in refused and "settings.ini" in refused
        settings.write_text(before)
