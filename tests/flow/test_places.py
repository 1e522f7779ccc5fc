"""Importing postcodes: whole or not at all, with file, line and field of what is wrong; and what changes by it - distances,
regions, offers with a postcode that does not exist."""
import json

import pytest

from support import offers
from support.deals import match_of
from support.world import WAIT, Node, World, call, until


def line(postcode, town, latitude, longitude, municipality="", country="NL"):
    return "\t".join([country, postcode, town, "", "", "", municipality, "", "", str(latitude), str(longitude), "6"]) + "\n"


LINES = (line("4811", "Breda", 51.5891, 4.7747, "0758") + line("4835", "Breda", 51.5772, 4.7894, "0758") +
         line("4903", "Oosterhout", 51.6461, 4.8597, "0826") + line("2511", "'s-Gravenhage", 52.077, 4.314, "0518") +
         line("1000", "Bruxelles", 50.85, 4.35, country="BE"))
REGIONS = "gm_code,gemeente,am_code\nGM0758,Breda,AM25\nGM0826,Oosterhout,AM25\nGM0518,'s-Gravenhage,AM21\n"


def written(directory, lines=LINES, regions=REGIONS):
    directory.mkdir(exist_ok=True)
    (directory / "NL.txt").write_bytes(lines if isinstance(lines, bytes) else lines.encode())
    (directory / "gemeenten.csv").write_text(regions)
    return directory / "NL.txt", directory / "gemeenten.csv"


def places(node, *arguments, expect=0):
    return call([node.program, "places", *arguments, "--home", node.home], expect)


@pytest.fixture
def node(tmp_path):
    node = Node(tmp_path / "node", "Snijder BV", "12345678")
    node.init()
    return node


def test_imports_postcodes_towns_and_regions_and_can_be_repeated(node, tmp_path):
    files = written(tmp_path / "geo")
    report = json.loads(places(node, "import", *files, "--json").stdout)
    assert report == {"rows": 4, "postcodes": 4, "towns": 3, "without_region": 0, "other_countries": 1}
    first = (node.home / "places").read_bytes()
    told = places(node, "import", *files, "--lang", "nl")
    assert "4 postcodes in 3 plaatsen" in told.stdout and "1 regels van andere landen" in told.stderr
    assert (node.home / "places").read_bytes() == first
    found = json.loads(places(node, "show", "4811AB", "--json").stdout)
    assert (found["postcode"], found["town"], found["region"]) == ("4811", "Breda", "AM25")
    assert json.loads(places(node, "show", "s", "gravenhage", "--json").stdout)["region"] == "AM21"
    assert "Breda" in places(node, "show", "breda").stdout
    assert "not found" in places(node, "show", "4812", "--lang", "en", expect=1).stderr


def test_without_regions_the_rest_is_as_good(node, tmp_path):
    report = json.loads(places(node, "import", written(tmp_path / "geo")[0], "--json").stdout)
    assert report["without_region"] == 4
    assert "region" not in json.loads(places(node, "show", "4811", "--json").stdout)


BAD = {
    "a postcode that cannot exist": (line("0811", "Breda", 51.5, 4.7), None, "places_postcode", "NL.txt row 1: postal code"),
    "letters for digits": (LINES + line("48A1", "Breda", 51.5, 4.7), None, "places_postcode", "NL.txt row 6: postal code"),
    "three letters": (line("4811ABC", "Breda", 51.5, 4.7), None, "places_postcode", "NL.txt row 1: postal code"),
    "a broken row": (LINES + "NL\t4812\tBreda\n", None, "places_fields", "NL.txt row 6"),
    "a place at sea": (line("4811", "Breda", 61.5, 4.7), None, "places_latitude", "NL.txt row 1: latitude"),
    "no number": (line("4811", "Breda", 51.5, "4,7"), None, "places_longitude", "NL.txt row 1: longitude"),
    "infinite": (line("4811", "Breda", "nan", 4.7), None, "places_latitude", "NL.txt row 1: latitude"),
    "no name": (line("4811", "", 51.5, 4.7), None, "places_name", "NL.txt row 1: place name"),
    "no UTF-8": (LINES.encode().replace(b"Oosterhout", b"Oosterh\xfft"), None, "places_name", "NL.txt row 3: place name"),
    "nothing Dutch": (line("1000", "Bruxelles", 50.85, 4.35, country="BE"), None, "places_none", "NL.txt"),
    "nothing": ("", None, "places_none", "NL.txt"),
    "a region that is none": (LINES, REGIONS.replace("AM21", "AM99"), "region_unknown", "gemeenten.csv row 4: am_code"),
    "a municipality that is none": (LINES, REGIONS.replace("GM0826", "Oost"), "places_municipality",
                                    "gemeenten.csv row 3: gm_code"),
    "no columns": (LINES, "a,b\n1,2\n", "places_columns", "gemeenten.csv row 1"),
    "a row cut short": (LINES, REGIONS + "GM0001\n", "taxonomy_cells", "gemeenten.csv row 5"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_told_by_file_line_and_field_and_changes_nothing(node, tmp_path, what):
    lines, regions, rule, field = BAD[what]
    places(node, "import", *written(tmp_path / "good"))
    before = (node.home / "places").read_bytes()
    error = json.loads(places(node, "import", *written(tmp_path / "bad", lines, regions or REGIONS), "--json",
                              expect=1).stderr)["error"]
    assert error["rule"] == rule and error.get("field", "").startswith(field)
    assert (node.home / "places").read_bytes() == before
    assert [path.name for path in node.home.iterdir() if path.name.startswith("places")] == ["places"]


def test_what_is_no_file_of_places_is_refused_in_words(node, tmp_path):
    assert "places import" in places(node, "show", "4811", "--lang", "en", expect=1).stderr
    places(node, "import", tmp_path / "gone.txt", expect=1)
    places(node, "import", expect=2)
    (node.home / "places").write_bytes(b"collega places 1" + bytes(200))
    assert "import the postcodes again" in places(node, "show", "4811", "--lang", "en", expect=1).stderr


def test_a_postcode_that_does_not_exist_is_told_by_its_field_and_nothing_is_published(node, tmp_path):
    places(node, "import", *written(tmp_path / "geo"))
    offer = offers.load("logistiek-magazijn-uit")
    wrong = {**offer, "place": {"postcode": "4899", "city": "Breda", "region": "AM25"}}
    told = node("offer", "publish", "-", "--json", expect=1, stdin=json.dumps([offer | {"place": {"postcode": "4811"}}, wrong]))
    error = json.loads(told.stderr)["error"]
    assert (error["rule"], error["field"]) == ("postcode_not_imported", "[1].place.postcode")
    assert node.json("offer", "list", "--mine")["offers"] == []
    # Two digits are an area; and where the postcode tells the region, nobody is asked for it.
    for place, region in [({"postcode": "48", "region": "AM25"}, "AM25"), ({"postcode": "4903"}, "AM25"), ({"postcode": "2511"}, "AM21")]:
        published = node.publish({**offer, "place": place})
        assert node.json("offer", "show", published)["offer"]["place"]["region"] == region


def test_matches_are_judged_anew_with_what_was_imported(tmp_path):
    with World(tmp_path) as world:
        lender, borrower = world.nodes
        lent = lender.publish(offers.load("logistiek-magazijn-uit") | {"place": {"postcode": "4811", "region": "AM25"}}, "--wait", WAIT)
        asked = borrower.publish(offers.load("voedsel-orderpickers-in") | {"place": {"postcode": "4835", "region": "AM25"}}, "--wait", WAIT)
        match = match_of(borrower, asked, lent)
        assert any("postcode area" in str(reason) for reason in
                   borrower.json("match", "show", match, "--lang", "en")["reasons"])
        places(borrower, "import", *written(tmp_path / "geo"))
        until(lambda: any("about 2 km" in str(reason) for reason in
                                    borrower.json("match", "show", match, "--lang", "en")["reasons"]))
