"""The manual of libcollega is made from its header: nothing public is missing, and its example is a program that works."""
import re
import subprocess
from pathlib import Path

import pytest

from support import offers
from support.world import Node, binaries, call

SOURCE = Path(__file__).resolve().parents[2]
HEADER = SOURCE / "include/collega/collega.h"
PAGES = binaries() / "share/man/man3"


def exported():
    return re.findall(r"^\s+(collega_\w+);", (SOURCE / "client/library/libcollega.map").read_text(), re.M)


def page():
    return (PAGES / "collega.3").read_text().replace("\\-", "-")


def test_every_public_function_is_in_it_and_has_a_page_that_leads_there():
    text, functions = page(), exported()
    assert len(functions) > 40
    for name in functions:
        assert f"\\fB{name}\\fR(" in text, name
        assert (PAGES / f"{name}.3").read_text() == ".so man3/collega.3\n"
    assert {path.stem for path in PAGES.glob("*.3")} == {"collega", *functions}


def test_every_type_and_value_of_the_header_is_in_it():
    declared = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.S)
    names = set(re.findall(r"\b(COLLEGA_[A-Z_0-9]+|(?:struct|enum) collega_\w+)\b", declared)) - {"COLLEGA_COLLEGA_H"}
    assert len(names) > 40
    assert not [name for name in names if name not in page()]


def test_all_that_the_header_says_is_in_it():
    """Every word of its comments, in their order within each."""
    said = " ".join(re.sub(r"\\e", r"\\", re.sub(r"^\.\S+.*$|\\f[BR]|\\&", "", page(), flags=re.M)).split())
    for comment in re.findall(r"^/\*(?! ----)(.*?)\*/$", HEADER.read_text(), re.M | re.S):
        for paragraph in re.split(r"\n \*\n", comment):
            for item in re.split(r"\n \*   - ", paragraph):
                text = " ".join(re.sub(r"^\s*\* ?", "", item, flags=re.M).split())
                if not text.startswith("libcollega: the public C interface"):
                    assert text in said, text


def test_it_has_a_section_for_each_group_and_is_a_manual():
    text = page()
    groups = [name.upper() for name in re.findall(r"^/\* ---- ([^:.;*]+?)(?= \*/|[:.;])", HEADER.read_text(), re.M)]
    headings = re.findall(r"^\.SH (.*)$", text, re.M)
    assert headings == ["NAME", "SYNOPSIS", "DESCRIPTION", "GENERAL", *groups, "EXAMPLE", "SEE ALSO"]
    try:
        shown = subprocess.run(["groff", "-man", "-Tutf8", "-ww"], input=text, capture_output=True, text=True)
    except FileNotFoundError:
        return  # its structure has been looked at
    assert shown.returncode == 0 and not shown.stderr.strip(), shown.stderr


@pytest.mark.skipif("asan" in str(binaries()) or "tsan" in str(binaries()), reason="a plain compiler makes it")
def test_its_example_works(tmp_path):
    shown = page().split(".SH EXAMPLE\n.nf\n")[1].split("\n.fi")[0]
    source = tmp_path / "events.c"
    source.write_text(shown.replace("\\fB", "").replace("\\fR", "").replace("\\e", "\\").replace("\\&", ""))
    call(["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{SOURCE / 'include'}", source, "-o", tmp_path / "events",
          binaries() / "libcollega.so", f"-Wl,-rpath,{binaries().resolve()}"])
    assert call([tmp_path / "events", tmp_path / "gone"], expect=1).stderr.strip()
    node = Node(tmp_path, "Snijder BV", "12345678")
    node.init()
    offer = node.publish(offers.load("logistiek-magazijn-uit"))
    program = subprocess.Popen([tmp_path / "events", node.home], stdout=subprocess.PIPE, text=True)
    try:
        said = ""
        while f'"{offer}"' not in said:
            line = program.stdout.readline()
            assert line, said
            said += line
    finally:
        program.kill()
        program.wait()
