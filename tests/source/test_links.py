"""Links between the documents lead somewhere, and the page of commands is what the programs say."""
import re
import subprocess
import sys

import pytest

from support.world import ROOT, binaries

DOCUMENTS = sorted(ROOT / name for name in subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True,
                                                          check=True).stdout.split())
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def prose(path):
    """Without code: what looks like a link there is none."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", path.read_text(), flags=re.M | re.S))


def anchors(path):
    """As GitHub makes them of headings."""
    found = set()
    for heading in re.findall(r"^#+ +(.*?) *#*$", re.sub(r"^```.*?^```", "", path.read_text(), flags=re.M | re.S), re.M):
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        number = 0
        while (anchor if number == 0 else f"{anchor}-{number}") in found:
            number += 1
        found.add(anchor if number == 0 else f"{anchor}-{number}")
    return found


def broken(path, text):
    """The links of this text that lead nowhere."""
    wrong = []
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or ROOT not in [target, *target.parents]:
            wrong.append(link)
        elif anchor and anchor not in anchors(target):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path):
    assert broken(path, prose(path)) == []


def test_a_link_that_leads_nowhere_is_found():
    readme = ROOT / "README.md"
    assert broken(readme, "[a](docs/nowhere.md) [b](#no-such-heading) [c](docs/design.md#nor-this) [d](/etc/passwd)") == [
        "docs/nowhere.md", "#no-such-heading", "docs/design.md#nor-this", "/etc/passwd"]
    assert broken(readme, "[a](docs/design.md) [b](#building-and-testing) [c](https://example.org/)") == []


def test_every_page_of_docs_is_reached_from_the_readme():
    seen, open_pages = set(), [ROOT / "README.md"]
    while open_pages:
        page = open_pages.pop()
        for link in LINK.findall(prose(page)):
            target = (page.parent / link.partition("#")[0]).resolve()
            if target.is_dir():
                target = target / "README.md"
            if target.suffix == ".md" and target.exists() and target not in seen:
                seen.add(target)
                open_pages.append(target)
    assert [page for page in DOCUMENTS if page.is_relative_to(ROOT / "docs") and page not in seen] == []


def test_the_page_of_commands_is_what_the_programs_say(tmp_path):
    """Made anew with: ninja -C build/debug commands_doc"""
    made = tmp_path / "commands.md"
    subprocess.run([sys.executable, ROOT / "cmake" / "commands_doc.py", binaries(), made], check=True)
    text = made.read_text()
    for name in ("### collega offer publish", "`--once`", "### collega-broker revoke", "`log.level = info`"):
        assert name in text
    assert (ROOT / "docs" / "commands.md").read_text() == text
