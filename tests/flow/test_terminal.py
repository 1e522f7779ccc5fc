"""What is shown on a terminal, and what is not when there is none."""
import json
import re

import pytest

from support import offers
from support.terminal import show
from support.world import NOBODYS, Node, call

ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("node"), "Snijder BV", "12345678")
    node.init()
    node.publish({**offers.load("logistiek-magazijn-uit"), "title": "Magazijnmedewerkers met ruime ervaring in \u7269\u6d41 en koeling"})
    return node


def shown(node, *arguments, columns=80, env=None):
    text, status = show([node.program, *arguments, "--home", node.home], columns, env)
    assert status == 0, text
    return text


def wide(text):
    """Terminal columns: the two characters of the title that are wide count double."""
    return len(text) + sum(ord(c) > 0x2E80 for c in text)


def test_a_table_is_cut_to_the_terminal_and_stays_aligned(node):
    for columns in (160, 120, 110):
        lines = ESCAPE.sub("", shown(node, "offer", "list", "--lang", "en", columns=columns)).splitlines()
        assert len(lines) == 2 and all(wide(line) <= columns for line in lines), (columns, lines)
        for heading, cell in (("from", "20"), ("state", "open")):
            place = lines[0].index(heading)
            before = [end for end in range(len(lines[1])) if wide(lines[1][:end]) == place]
            assert before and lines[1][before[0]:].startswith(cell), (columns, heading, lines)
    assert "\u2026" in lines[1]


def test_a_narrow_terminal_gets_blocks(node):
    text = ESCAPE.sub("", shown(node, "offer", "list", "--lang", "nl", columns=50))
    assert re.search(r"^titel +Magazijnmedewerkers", text, re.M) and re.search(r"^staat +open$", text, re.M)
    assert "koeling" in text  # nothing is cut there


def test_without_a_terminal_nothing_is_cut_or_coloured(node):
    text = node("offer", "list", "--lang", "en").stdout
    assert len(text.splitlines()) == 2 and "koeling" in text and "\u2026" not in text and "\x1b" not in text


def test_colour_only_on_a_terminal_and_not_against_the_wish(node):
    assert "\x1b[1m" in shown(node, "offer", "list", columns=200)
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in shown(node, "offer", "list", columns=200, env=env)
    assert "\x1b[1m" in shown(node, "offer", "list", columns=200, env={"NO_COLOR": ""})


def test_help_is_wrapped_to_the_terminal(node):
    for columns in (60, 100):
        text = shown(node, "help", "--lang", "nl", columns=columns)
        prose = [line for line in text.splitlines() if line.startswith("      ")]
        assert prose and all(len(line) <= columns for line in prose)


def test_sentences_break_between_words_and_a_key_stands_on_one_line(node, tmp_path):
    """What a new user reads first, on a terminal of 80 columns and a narrower one."""
    for program, home, language in (("collega", "een", "nl"), ("collega", "one", "en"), ("collega-broker", "ace", "nl")):
        path = node.program.parent / program
        more = ["--kvk", "12345678"] if program == "collega" else []
        shown_text, status = show([path, "init", "--home", tmp_path / home, "--name", "Snijder BV", *more, "--lang", language])
        assert status == 0
        lines = shown_text.splitlines()
        assert any(re.fullmatch(r"  ([0-9a-f]{8} ){7}[0-9a-f]{8}", line) for line in lines), shown_text
        assert all(len(line) <= 80 or " " not in line.strip() for line in lines), lines
    for columns in (80, 50):
        whole = node("status", "--lang", "nl").stdout.split()
        text = shown(node, "status", "--lang", "nl", columns=columns)
        assert text.split() == whole and all(len(line) <= columns for line in text.splitlines()), text
    wrong, status = show([node.program, "offer", "publish", tmp_path / "gone", "--home", node.home, "--wait", "0.5", "--lang", "nl"], 60, None)
    assert status == 2 and all(len(line) <= 60 for line in wrong.splitlines()) and len(wrong.splitlines()) > 1, wrong


def test_a_block_goes_on_under_its_value(node):
    text = ESCAPE.sub("", shown(node, "offer", "list", "--lang", "nl", columns=50))
    title = text[text.index("titel"):].splitlines()
    column = title[0].index("Magazijn")
    assert title[1][:column].isspace() and all(wide(line) <= 50 for line in title[:3]), title


def test_long_work_shows_progress_on_a_terminal_only(node, tmp_path):
    table = tmp_path / "veel.csv"
    offer = offers.load("logistiek-magazijn-uit")
    head = "kind,title,occupation.isco,headcount,period.from,period.until,hours.per_week_min,hours.per_week_max,place.postcode,place.region"
    row = f"loan_out,Koks,5120,2,{offer['period']['from']},{offer['period']['until']},24,32,4811,AM25"
    table.write_text("\n".join([head] + [row] * 500) + "\n")
    text = shown(node, "offer", "publish", table, "--lang", "en")
    assert "rows read: 50%" in text and text.count("\x1b[K") > 2
    assert len(re.findall(r"^[0-9a-f]{32}$", ESCAPE.sub("", text).replace("\r", "\n"), re.M)) == 500
    piped = node("offer", "publish", table, "--lang", "en")
    assert piped.stderr == "" and len(piped.stdout.split()) == 500
    for arguments, words in ((["ledger", "verify"], "entries checked"), (["ledger", "rebuild"], "entries replayed")):
        assert f"{words}: 100%" in shown(node, *arguments, "--lang", "en"), arguments
        assert node(*arguments, "--lang", "en").stderr == ""
    with open(tmp_path / "export", "wb") as out:
        text, status = show([node.program, "ledger", "export", "--lang", "en", "--home", node.home], stdout=out)
    assert status == 0 and "entries written: 100%" in text
    assert "copying ..." in shown(node, "ledger", "backup", tmp_path / "backup", "--lang", "en")


def test_json_is_one_document_on_a_terminal_too(node):
    text = shown(node, "offer", "list", "--json", columns=50)
    assert json.loads(text)["offers"] and "\x1b" not in text


def test_the_language_comes_from_the_locale(node):
    for env, words in (({"LC_ALL": "nl_NL.UTF-8"}, "niet verbonden"), ({"LC_ALL": "", "LC_MESSAGES": "", "LANG": "nl"}, "niet verbonden"),
                       ({"LC_ALL": "C"}, "not connected"), ({"LC_ALL": "de_DE"}, "not connected")):
        assert words in node("status", env=env).stdout
    assert "not connected" in node("status", "--lang", "en", env={"LC_ALL": "nl_NL"}).stdout


def test_an_error_is_a_document_too(node):
    for arguments, status, exit_status in ((["deal", "show", NOBODYS], "not_found", 1), (["deal", "shwo"], "usage", 2),
                                           (["offer", "publish", "-"], "invalid", 1)):
        result = node(*arguments, "--json", "--lang", "nl", expect=exit_status, stdin="{}")
        error = json.loads(result.stderr)["error"]
        assert result.stdout == "" and set(error) == {"status", "rule", "field", "message", "arguments"}
        assert error["status"] == status and error["rule"] and error["message"]


def test_an_installed_program_needs_no_home_for_help():
    for program in ("collega", "collega-broker"):
        from support.world import binaries
        assert call([binaries() / program, "help"], env={"HOME": "/nonexistent"}).stdout
