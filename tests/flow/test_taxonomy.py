"""Importing a taxonomy of CSV files and zips, searching it, and putting a list of titles to it: whole or not at all, with
file, row and column of what is wrong."""
import csv
import io
import json
import zipfile

import pytest

from support import offers
from support.deals import match_of
from support.world import WAIT, Node, World, call, until

OCCUPATIONS = ("conceptType,conceptUri,iscoGroup,preferredLabel,altLabels\n"
               'Occupation,http://e/o/taxi,8322,taxi driver,"cab driver\ntaxicab driver"\n'
               "Occupation,http://e/o/cook,5120,cook,kitchen chef\n"
               "Occupation,http://e/o/courier,8321,motorcycle courier,\n")
DUTCH = ("conceptType,conceptUri,iscoGroup,preferredLabel,altLabels\n"
         "Occupation,http://e/o/taxi,8322,taxichauffeur,\n"
         "Occupation,http://e/o/cook,5120,kok,\n"
         "Occupation,http://e/o/courier,8321,motorkoerier,bezorger per motor\n")
SKILLS = ("conceptType,conceptUri,skillType,preferredLabel,altLabels\n"
          "KnowledgeSkillCompetence,http://e/s/drive,skill/competence,drive vehicles,\n"
          "KnowledgeSkillCompetence,http://e/s/cook,skill/competence,prepare meals,\n")
RELATIONS = ("occupationUri,relationType,skillType,skillUri\n"
             "http://e/o/taxi,essential,skill/competence,http://e/s/drive\n"
             "http://e/o/courier,essential,skill/competence,http://e/s/drive\n"
             "http://e/o/gone,optional,skill/competence,http://e/s/drive\n"
             "http://e/o/cook,essential,skill/competence,http://e/s/cook\n")
BROADER = ("conceptType,conceptUri,broaderType,broaderUri\n"
           "Occupation,http://e/o/taxi,ISCOGroup,http://e/isco/C8322\n")
FILES = {"occupations_en.csv": OCCUPATIONS, "occupations_nl.csv": DUTCH, "skills_en.csv": SKILLS,
         "occupationSkillRelations.csv": RELATIONS, "broaderRelationsSkillPillar.csv": BROADER}


@pytest.fixture
def node(tmp_path):
    node = Node(tmp_path / "node", "Snijder BV", "12345678")
    node.init()
    return node


def written(directory, **changed):
    directory.mkdir(exist_ok=True)
    for name, text in {**FILES, **{f"{name}.csv": text for name, text in changed.items()}}.items():
        (directory / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return directory


def taxonomy(node, *arguments, expect=0, **more):
    return call([node.program, "taxonomy", *arguments, "--home", node.home], expect, **more)


def found(node, *arguments):
    return json.loads(taxonomy(node, "search", "--json", "--lang", "nl", *arguments).stdout)["found"]


def test_imports_a_directory_and_tells_what_it_left_out(node, tmp_path):
    result = taxonomy(node, "import", "esco", "--json", "--lang", "en", written(tmp_path / "esco"))
    report = json.loads(result.stdout)
    assert (report["occupations"], report["skills"], report["skill_relations"]) == (3, 2, 3)
    assert report["skipped"] == [{
        "file": "occupationSkillRelations.csv", "row": 4, "field": "occupationUri", "about": "http://e/o/gone",
        "rule": "taxonomy_occupation_missing", "message": "relation of an occupation that is not there"}]
    told = taxonomy(node, "import", "esco", "--lang", "nl", tmp_path / "esco")
    assert "3 beroepen" in told.stdout and "http://e/o/gone" in told.stderr and "occupations_nl.csv: 3 rijen" in told.stderr


def test_a_zip_is_as_good_as_its_files(node, tmp_path):
    written(tmp_path / "esco")
    taxonomy(node, "import", "esco", *sorted((tmp_path / "esco").iterdir()))
    loose = (node.home / "taxonomy").read_bytes()
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((tmp_path / "esco").iterdir()):
            archive.write(path, f"v1/{path.name}")
    taxonomy(node, "import", "esco", tmp_path / "all.zip")
    assert (node.home / "taxonomy").read_bytes() == loose


def test_a_zip_may_name_its_files_as_strangely_as_it_likes(node, tmp_path):
    """What is told of them is text, and short: it goes to terminals and into JSON."""
    written(tmp_path / "esco")
    long = "é" * 60 + "\x1b[31m"
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in sorted((tmp_path / "esco").iterdir()):
            archive.write(path, f"{long}/{long}{path.name}")
    node("taxonomy", "import", "esco", tmp_path / "all.zip")
    report = taxonomy(node, "import", "esco", "--json", tmp_path / "all.zip")
    names = [file["file"] for file in json.loads(report.stdout)["files"]]
    assert len(names) == len(list((tmp_path / "esco").iterdir()))
    assert all(len(name.encode()) < 64 and "\x1b" not in name and name.startswith("éé") for name in names)


@pytest.mark.parametrize("typed, uri", [("taxichauffeur", "taxi"), ("taxi chauffeur", "taxi"), ("taxichaufeur", "taxi"),
                                        ("TAXI DRIVER", "taxi"), ("cab", "taxi"), ("chef kitchen", "cook"),
                                        ("bezorger motor", "courier")])
def test_search_finds_what_people_type(node, tmp_path, typed, uri):
    taxonomy(node, "import", "esco", written(tmp_path / "esco"))
    first = found(node, *typed.split())[0]
    assert first["esco"] == f"http://e/o/{uri}" and 0 < first["score"] <= 1


def test_search_can_be_kept_to_skills_and_to_a_number(node, tmp_path):
    taxonomy(node, "import", "esco", written(tmp_path / "esco"))
    assert {hit["kind"] for hit in found(node, "--skills", "drive")} == {"skill"}
    assert {hit["kind"] for hit in found(node, "--occupations", "drive")} == {"occupation"}
    assert len(found(node, "--limit", "1", "driver")) == 1


def test_codes_a_list_of_titles(node, tmp_path):
    taxonomy(node, "import", "esco", written(tmp_path / "esco"))
    titles = tmp_path / "titles.csv"
    titles.write_text('nr;titel\n1;Taxichauffeur\n2;"kok; zelfstandig"\n')
    rows = list(csv.DictReader(io.StringIO(taxonomy(node, "code", "--limit", "1", "--lang", "nl", titles).stdout)))
    assert [(row["title"], row["isco"], row["label"]) for row in rows] == [
        ("Taxichauffeur", "8322", "taxichauffeur"), ("kok; zelfstandig", "5120", "kok")]
    assert float(rows[0]["score"]) == 1.0


BAD = {
    "a wrong code": ({"occupations_nl": DUTCH.replace("5120", "5999")}, "isco_unknown", "occupations_nl.csv row 3: iscoGroup"),
    "no code": ({"occupations_nl": DUTCH.replace("5120", "")}, "isco_unknown", "occupations_nl.csv row 3: iscoGroup"),
    "another group": ({"occupations_nl": DUTCH.replace("5120", "5131")}, "taxonomy_two_meanings",
                      "occupations_nl.csv row 3: conceptUri"),
    "a row cut short": ({"skills_en": SKILLS + "KnowledgeSkillCompetence,http://e/s/x\n"}, "taxonomy_cells",
                        "skills_en.csv row 4"),
    "an open quotation mark": ({"skills_en": SKILLS + 'KnowledgeSkillCompetence,http://e/s/x,,"x\n'}, "csv_quote_open",
                               "skills_en.csv row 4"),
    "no UTF-8": ({"skills_en": SKILLS.encode().replace(b"meals", b"me\xffls")}, "taxonomy_label",
                 "skills_en.csv row 3: preferredLabel"),
    "a strange relation": ({"occupationSkillRelations": RELATIONS.replace("optional", "maybe")}, "taxonomy_relation",
                           "occupationSkillRelations.csv row 4: relationType"),
    "a circle": ({"broaderRelationsSkillPillar": BROADER +
                  "KnowledgeSkillCompetence,http://e/s/drive,KnowledgeSkillCompetence,http://e/s/cook\n"
                  "KnowledgeSkillCompetence,http://e/s/cook,KnowledgeSkillCompetence,http://e/s/drive\n"}, "taxonomy_cycle",
                 "broaderRelationsSkillPillar.csv row"),
    "no language": ({"occupations": DUTCH}, "taxonomy_language", ""),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_told_by_file_row_and_column_and_changes_nothing(node, tmp_path, what):
    changed, rule, field = BAD[what]
    taxonomy(node, "import", "esco", written(tmp_path / "esco"))
    before = (node.home / "taxonomy").read_bytes()
    result = taxonomy(node, "import", "esco", "--json", written(tmp_path / "bad", **changed), expect=1)
    error = json.loads(result.stderr)["error"]
    assert error["rule"] == rule and error.get("field", "").startswith(field)
    assert (node.home / "taxonomy").read_bytes() == before
    assert [path.name for path in node.home.iterdir() if path.name.startswith("taxonomy")] == ["taxonomy"]


def test_what_is_no_taxonomy_is_refused_in_words(node, tmp_path):
    assert "collega taxonomy import" in taxonomy(node, "search", "--lang", "en", "cook", expect=1).stderr
    (tmp_path / "torn.zip").write_bytes(b"PK\x03\x04 not a zip")
    assert "torn.zip" in taxonomy(node, "import", "esco", tmp_path / "torn.zip", expect=1).stderr
    (tmp_path / "none").mkdir()
    taxonomy(node, "import", "esco", tmp_path / "none", expect=1)
    taxonomy(node, "import", "onet", tmp_path / "none", expect=2)
    (node.home / "taxonomy").write_bytes(b"collega taxonomy" + bytes(400))
    assert "import the taxonomy again" in taxonomy(node, "search", "--lang", "en", "cook", expect=1).stderr


def test_a_title_that_is_none_is_told_by_its_row(node, tmp_path):
    taxonomy(node, "import", "esco", written(tmp_path / "esco"))
    titles = tmp_path / "titles.csv"
    titles.write_bytes(b"title\ncook\nbad\x07bell\n")
    assert "row 3" in taxonomy(node, "code", "--lang", "en", titles, expect=1).stderr


def matched(node, match):
    """The match's parts by name, and all its sentences."""
    shown = node.json("match", "show", match, "--lang", "en")
    return shown["parts"], str(shown["reasons"]) + str(shown["gaps"])


def test_matches_are_judged_by_the_taxonomy_once_it_is_there_and_again_when_it_changes(tmp_path):
    files = written(tmp_path / "esco")
    dish = {"label": "gerechten bereiden", "esco": "http://e/s/cook", "need": "must"}
    related = ("originalSkillUri,originalSkillType,relationType,relatedSkillType,relatedSkillUri\n"
               "http://e/s/drive,skill/competence,optional,skill/competence,http://e/s/cook\n")
    with World(tmp_path) as world:
        lender, borrower = world.nodes
        lent = lender.publish(offers.load("logistiek-magazijn-uit") | {
            "occupation": {"isco": "8322", "esco": "http://e/o/taxi"},
            "skills": [{"label": "rijden", "esco": "http://e/s/drive"}]}, "--wait", WAIT)
        asked = borrower.publish(offers.load("voedsel-orderpickers-in") | {
            "occupation": {"isco": "8321", "esco": "http://e/o/courier"}, "skills": [dish]}, "--wait", WAIT)
        match = match_of(borrower, asked, lent)
        parts, _ = matched(borrower, match)
        assert (parts["occupation"], parts["skills"]) == (0.7, 0)
        taxonomy(borrower, "import", "esco", files)
        # All they do they share: 0.6 of skills, and 0.4 of the tree's 0.7.
        until(lambda: matched(borrower, match)[0]["occupation"] == pytest.approx(0.88, abs=0.003))
        assert "motorcycle courier" in matched(borrower, match)[1]
        taxonomy(borrower, "import", "esco", written(tmp_path / "esco", skillSkillRelations=related))
        until(lambda: matched(borrower, match)[0]["skills"] == 0.6)
        assert "rijden" in matched(borrower, match)[1]
