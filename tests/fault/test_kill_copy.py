"""Kill -9 while a home is copied: what is there of the copy is no home and no backup, and is refused in words."""
import re
import shutil
import signal

import pytest

from support.world import ROOT, World, elsewhere

POINTS = [point for point, side in re.findall(r"^FAULT\((\w+), (\w+)\)", (ROOT / "base" / "fault.def").read_text(), re.M)
          if side == "copy"]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with World(tmp_path_factory.mktemp("copy"), 1) as world:
        yield world


def killed(program, point, *arguments):
    dies = elsewhere(program, program.home)
    dies.env["COLLEGA_FAULT"] = f"{point}:1"
    died = dies(*arguments, expect=None)
    assert died.returncode == -signal.SIGKILL, died


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("what", ["broker", "node"])
def test_a_copy_that_dies_is_taken_for_nothing(world, tmp_path, what, point):
    program, group = (world.broker, []) if what == "broker" else (world.nodes[0], ["ledger"])
    half, whole = tmp_path / "half", tmp_path / "whole"
    killed(program, point, *group, "backup", half)
    restored = elsewhere(program, tmp_path / "restored")
    for refused in (restored(*group, "restore", half, expect=1), elsewhere(program, half)("status", expect=1)):
        assert f"{what}-unfinished" in refused.stderr
    assert not restored.home.exists()
    program(*group, "backup", half, expect=1)
    shutil.rmtree(half)
    program(*group, "backup", whole)
    killed(restored, point, *group, "restore", whole)
    refused = restored("status", expect=1)
    assert re.search(f"{what}-(unfinished|restoring)", refused.stderr)
    shutil.rmtree(restored.home)
    restored(*group, "restore", whole)
    restored("status")
