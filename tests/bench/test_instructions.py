"""The hot paths take no more instructions than tests/bench/instructions.json says they did. No clock is asked."""
import shutil
import subprocess
from pathlib import Path

import pytest

PLACE = Path(__file__).resolve().parent


@pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind counts, and is not installed")
def test_hot_paths_take_no_more_instructions_than_before():
    result = subprocess.run([PLACE / "instructions.py"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            timeout=900)
    assert result.returncode == 0, result.stdout + "\nif it must be so: tests/bench/instructions.py --keep"
