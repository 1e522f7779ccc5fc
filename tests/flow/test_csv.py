"""Tables of offers: what is right is published, every wrong row is told by row, column and rule, and nothing half-done
stays behind."""
import csv
import io
import json
import re

import pytest

from support import offers
from support.world import ROOT, WAIT, Node, call

ROW = {"kind": "loan_out", "title": "Koks", "occupation.isco": "5120", "headcount": "2",
       "period.from": offers.moved("2027-01-04"), "period.until": offers.moved("2027-03-26"),
       "hours.per_week_min": "24", "hours.per_week_max": "38", "place.postcode": "4835", "place.region": "AM25"}


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("node"), "Snijder BV", "12345678")
    node.init()
    return node


def table(rows, separator=","):
    """CSV of dicts; the header is every column that occurs in one."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([row.get(name, "") for name in columns] for row in rows)
    return out.getvalue()


def publish(node, data, *arguments, expect=0):
    """The result and, with --json, the rows told."""
    raw = data if isinstance(data, bytes) else data.encode()
    result = call([node.program, "offer", "publish", "--csv", "-", *arguments, "--home", node.home], expect, text=False,
                  stdin=raw)
    rows = json.loads(result.stdout)["rows"] if "--json" in arguments and result.stdout else None
    return result, rows


def entries(node):
    return node.json("status")["ledger"]


BAD = [
    ("kind", "uitlenen", "kind", "form_enum"), ("kind", "", "kind", "required"),
    ("title", "", "title", "required"), ("title", "x" * 121, "title", "too_long"),
    ("title", "bel\x07", "title", "text_line"), ("title", "nul\0nul", "title", "text_nul"),
    ("occupation.isco", "9999", "occupation.isco", "occupation_propose"),
    ("occupation.isco", "kok", "occupation.isco", "occupation_propose"),
    ("headcount", "twee", "headcount", "json_integer"), ("headcount", "1,5", "headcount", "json_fraction"),
    ("headcount", "0", "headcount", "range"), ("headcount", "99999999999999999999", "headcount", "json_integer"),
    ("headcount", "2 ", None, None), ("headcount", "", "headcount", "required"),
    ("min_headcount", "3", "min_headcount", "headcount_min"),
    ("period.from", "4-1-2027", "period.from", "form_date"), ("period.from", "2027-02-30", "period.from", "form_date"),
    ("period.until", "", "period.until", "until_required"), ("period.until", "2020-01-01", "period.until", "order_of_dates"),
    ("hours.per_week_max", "20", "hours.per_week_max", "hours_order"),
    ("hours.slots", "mon-am;maandag", "hours.slots", "form_slot"),
    ("hours.slots", "mon-am;mon-am", "hours.slots", "listed_twice"),
    ("place.postcode", "0123", "place.postcode", "postcode_unknown"),
    ("place.postcode", "4835ab", "place.postcode", "form_postcode"),
    ("place.region", "AM99", "place.region", "region_unknown"),
    ("travel_km", "-1", "travel_km", "range"), ("sector", "handel", "sector", "form_sector"),
    ("reason", "daarom", "reason", "form_enum"), ("terms.vat", "21%", "terms.vat", "form_vat"),
    ("terms.return_guarantee", "misschien", "terms.return_guarantee", "json_flag"),
    ("audience", "iedereen", "audience", "form_audience"), ("audience", "named:99999999", "audience", "audience_unknown"),
    ("expires", "morgen", "expires", "form_time"), ("expires", "2020-01-01T00:00:00Z", "expires", "expires_past"),
    ("skills.must", "x" * 121, "skills.must", "too_long"), ("skills.nice", "a;" + "y" * 121, "skills.nice", "too_long"),
    ("credentials.must", "Heftruck!", "credentials.must", "form_code"),
    ("credentials.must", "vca;vca", "credentials.must", "listed_twice"),
    ("languages.must", "nl:B3", "languages.must", "form_level"), ("languages.nice", "NL", "languages.nice", "form_language"),
    ("languages.nice", "nl:", "languages.nice", "form_level"),
    ("private.contact.email", "niemand", "private.contact.email", "form_email"),
    ("private.hourly_cost_cents", "27,45", "private.hourly_cost_cents", "json_cents"),
    ("private.currency", "euro", "private.currency", "form_currency"),
    ("private.note", "BSN 123456782", "private.note", "bsn_forbidden"), ("description", "BSN 123456782", "description", "bsn_forbidden"),
]


@pytest.mark.parametrize("column,cell,field,rule", BAD, ids=lambda v: str(v)[:20])
def test_a_bad_cell_is_told_by_row_column_and_rule(node, column, cell, field, rule):
    before = entries(node)
    text = table([ROW, {**ROW, column: cell}, ROW])
    if field is None:
        publish(node, text)
        return
    result, rows = publish(node, text, "--json", expect=1)
    assert [(row["row"], row["field"], row["rule"]) for row in rows] == [(3, field, rule)]
    assert json.loads(result.stderr)["error"]["rule"] == "csv_rows_bad"
    dutch = publish(node, text, "--lang", "nl", expect=1)[0]
    assert dutch.stdout == b"" and re.search(rf"^ +3  {re.escape(field)} +\S", dutch.stderr.decode(), re.M)
    assert dutch.stderr != publish(node, text, "--lang", "en", expect=1)[0].stderr
    assert entries(node) == before


GOOD = table([ROW])
HEADER, LINE = GOOD.splitlines()
BAD_FILES = [
    ("", "offers_none"), ("\n", "csv_column_missing"), (HEADER, "offers_none"), (HEADER + "\n\n\n", "offers_none"),
    (GOOD.replace("headcount", "headcout"), "csv_column_suggest"), (GOOD.replace("title", "kleur van de pet"), "csv_column"),
    (GOOD.replace("title", "kind"), "csv_column_twice"), (GOOD.replace(",title", ",place.city"), "csv_column_missing"),
    (GOOD + '"loan_out,Koks\n' + LINE + "\n", "csv_quote_open"), ('"' + GOOD, "csv_quote_open"),
    (GOOD.replace("title", "ti\0tle"), "csv_utf8"), (GOOD.encode("utf-16"), "csv_utf8"),
    (b"\xff" + GOOD.encode(), "csv_utf8"), ("," * 300, "csv_columns_many"), ('{"kind": "loan_out"}', "csv_quote_stray"),
    (HEADER + "\n" + (LINE + "\n") * 100001, "offers_many"), ('ki"nd,title\n', "csv_quote_stray"),
]


@pytest.mark.parametrize("text,rule", BAD_FILES, ids=range(len(BAD_FILES)))
def test_a_file_that_cannot_be_a_table_is_refused_whole(node, text, rule):
    before = entries(node)
    for skip in ((), ("--skip-bad",)):
        result, _ = publish(node, text, "--json", *skip, expect=1)
        error = json.loads(result.stderr)["error"]
        assert error["rule"] == rule and error["message"].strip() and result.stdout == b""
    assert entries(node) == before


BAD_ROWS = [
    (LINE + ",meer", "csv_cells", ""), (LINE.rsplit(",", 1)[0], "csv_cells", ""),
    (LINE.replace("Koks", '"Koks" en'), "csv_quote_stray", "title"), (LINE.replace("Koks", 'Ko"ks'), "csv_quote_stray", "title"),
    (LINE.replace("Koks", "x" * 65537), "csv_cell_long", "title"), (LINE.replace("Koks", "Caf\udce9"), "csv_utf8", "title"),
    (LINE.replace("4835,AM25", ","), "required", "place"), (LINE.replace("4835,AM25", "1118,"), "region_needed", "place.region"),
]


@pytest.mark.parametrize("line,rule,field", BAD_ROWS, ids=range(len(BAD_ROWS)))
def test_a_bad_row_leaves_the_others_readable(node, line, rule, field):
    text = "\n".join([HEADER, LINE, line, "", LINE]).encode("utf-8", "surrogateescape")
    _, rows = publish(node, text, "--json", expect=1)
    assert [(row["row"], row["field"], row["rule"]) for row in rows] == [(3, field, rule)]
    _, rows = publish(node, text, "--json", "--skip-bad")
    assert [row["row"] for row in rows] == [2, 3, 5] and [("id" in row) for row in rows] == [True, False, True]


def test_something_under_a_column_without_a_name_is_told(node):
    publish(node, f"{HEADER},,\n{LINE},,\n")
    _, rows = publish(node, f"{HEADER},,\n{LINE},,\n{LINE},,x\n", "--json", expect=1)
    assert [(row["row"], row["rule"]) for row in rows] == [(3, "csv_unnamed")]


def test_the_nearest_column_is_suggested(node):
    for typed, meant in (("skils.must", "skills.must"), ("private.contact.mail", "private.contact.email"),
                         ("period_from", "period.from"), ("Headcount", "headcount")):
        result, _ = publish(node, f"{typed},title\n", expect=1)
        assert meant in result.stderr.decode() and typed in result.stderr.decode()


def test_skipping_bad_rows_publishes_the_good_and_tells_the_bad(node):
    text = table([ROW, {**ROW, "headcount": "0"}, {**ROW, "title": "Souschefs"}, {**ROW, "kind": "x"}])
    result, _ = publish(node, text, "--skip-bad", "--lang", "en")
    ids = result.stdout.decode().split()
    assert len(ids) == 2 and node.json("offer", "show", ids[1])["offer"]["title"] == "Souschefs"
    told = result.stderr.decode()
    assert re.search(r"^ +3  headcount +\S", told, re.M) and re.search(r"^ +5  kind +\S", told, re.M)
    _, rows = publish(node, text, "--skip-bad", "--json")
    assert [row["row"] for row in rows] == [2, 3, 4, 5]
    assert [row.get("rule") for row in rows] == [None, "range", None, "form_enum"]
    assert node.json("offer", "show", rows[2]["id"])["offer"]["title"] == "Souschefs"


def test_skipping_is_refused_when_nothing_is_left_and_with_json(node, tmp_path):
    before = entries(node)
    result, rows = publish(node, table([{**ROW, "headcount": "0"}]), "--skip-bad", "--json", expect=1)
    assert len(rows) == 1 and json.loads(result.stderr)["error"]["rule"] == "csv_none_good"
    path = tmp_path / "offer.json"
    path.write_text(json.dumps(offers.load("horeca-koks-uit")))
    assert "--skip-bad" in node("offer", "publish", path, "--skip-bad", expect=2).stderr
    assert entries(node) == before


@pytest.mark.parametrize("name", offers.csv_names())
def test_the_tables_of_the_data_publish_and_say_the_same_as_json(node, tmp_path, name):
    path = tmp_path / f"{name}.CSV"
    path.write_bytes(offers.load_csv(name))
    ids = node("offer", "publish", path).stdout.split()
    text = path.read_bytes().decode("utf-8-sig")
    rows = [row for row in csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in text.split("\n")[0] else ",")
            if any(row.values())]
    assert len(ids) == len(rows)
    for identifier, row in zip(ids, rows):
        offer = node.json("offer", "show", identifier)["offer"]
        assert offer["title"] == row["title"] and offer["headcount"] == int(row["headcount"])
        assert offer["period"]["from"] == row["period.from"] and offer["private"]["reference"] == row["private.reference"]
        for name_of, key in (("skills", "label"), ("credentials", "code")):
            for need in ("must", "nice"):
                wanted = [part.strip() for part in row[f"{name_of}.{need}"].split(";") if part.strip()]
                assert [item[key] for item in offer.get(name_of, []) if item["need"] == need] == wanted
        again = json.loads(json.dumps(offer))
        node.publish(again)


def test_ten_thousand_rows_are_one_batch(node):
    before = entries(node)["entries"]
    result, _ = publish(node, table([{**ROW, "title": f"Koks {i}"} for i in range(10000)]))
    ids = result.stdout.split()
    assert len(set(ids)) == 10000
    assert entries(node)["entries"] - before < 100
    assert node.json("offer", "show", ids[9999].decode())["offer"]["title"] == "Koks 9999"


def test_the_document_names_every_column():
    text = (ROOT / "docs" / "csv.md").read_text()
    header = (offers.DIRECTORY / "csv" / "horecagroep-in.csv").read_text(encoding="utf-8-sig").split("\n")[0].strip()
    missing = [name for name in header.split(";") if f"`{name}`" not in text]
    assert len(header.split(";")) == 46 and not missing


def test_a_named_audience_must_be_members_that_are_known(world_of):
    world = world_of(2)
    author, named = world.nodes
    author.publish(offers.load("horeca-koks-uit"), "--wait", WAIT)  # by now the members are known
    rows = [{**ROW, "audience": f"named:{named.kvk}"}, {**ROW, "audience": f"named:{named.kvk},99999999"}]
    _, told = publish(author, table(rows), "--json", "--skip-bad")
    assert "id" in told[0] and (told[1]["field"], told[1]["rule"]) == ("audience", "audience_unknown")
    while told[0]["id"] not in {row["id"] for row in named.json("offer", "list")["offers"]}:
        named("status")
