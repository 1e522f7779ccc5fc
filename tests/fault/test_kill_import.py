"""Kill -9 while a ledger is imported: the home is as it was, or has its ledger; repeated, the import goes through."""
import re
import shutil
import signal

import pytest

from support import deals
from support.ledger_file import files_of
from support.world import ROOT, Node, World

POINTS = [point for point, side in re.findall(r"^FAULT\((\w+), (\w+)\)", (ROOT / "base" / "fault.def").read_text(), re.M)
          if side == "import"]
# Of the rows an early one and a later one.
DEATHS = [f"{point}:{passage}" for point in POINTS for passage in ((1, 7) if point == "import_row" else (1,))]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    directory = tmp_path_factory.mktemp("import")
    with World(directory, 2) as world:
        lender, borrower = world.nodes
        _, _, match = deals.matched(lender, borrower)
        deal = deals.conclude(borrower, lender, match, "--headcount", "2")
        lender.stop()
        lender("ledger", "export", "--complete", directory / "file")
        yield lender, deal, directory / "file"


@pytest.mark.parametrize("death", DEATHS)
def test_an_import_that_dies_leaves_the_home_as_it_was_or_whole(exported, tmp_path, death):
    lender, deal, file = exported
    home = Node(tmp_path, "Ergens Anders", lender.kvk)
    shutil.copytree(lender.home, home.home)
    shutil.rmtree(home.home / "ledger")
    before = files_of(home.home)
    died = home("ledger", "import", file, expect=None, env={"COLLEGA_FAULT": death})
    assert died.returncode == -signal.SIGKILL
    moved = death.startswith("import_moved")
    after = files_of(home.home)
    assert (home.home / "ledger").exists() == moved
    if not moved:
        assert {name: hash for name, hash in after.items() if not name.startswith("ledger.importing/")} == before
    told = home.json("ledger", "import", file)
    assert told["already"] == moved
    assert not (home.home / "ledger.importing").exists()
    home("ledger", "verify")
    assert home.deal(deal) == lender.deal(deal)


@pytest.mark.parametrize("death", DEATHS)
def test_a_new_home_that_is_not_whole_is_none(exported, tmp_path, death):
    lender, deal, file = exported
    home = Node(tmp_path, "Nieuw", lender.kvk)
    keys = "--keys", lender.home
    assert home("ledger", "import", file, *keys, expect=None, env={"COLLEGA_FAULT": death}).returncode == -signal.SIGKILL
    assert "node-restoring" in home("status", expect=1).stderr
    home("ledger", "import", file, *keys, expect=1)
    shutil.rmtree(home.home)
    home("ledger", "import", file, *keys)
    assert home.deal(deal) == lender.deal(deal)
