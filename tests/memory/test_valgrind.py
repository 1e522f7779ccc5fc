"""A day of the exchange with every daemon under valgrind: nothing read that was not written, nothing lost at the end.

The address sanitizer sees more of what is overrun; valgrind sees what was never initialised, in the libraries too."""
import shutil
import subprocess

import pytest

from support import deals, offers
from support.world import Daemon, World

FOUND = 99  # valgrind's exit status, where it has something to say


def under_valgrind(daemon, suppressions):
    daemon.arguments = [shutil.which("valgrind"), "--quiet", "--leak-check=full", "--num-callers=30",
                        "--errors-for-leak-kinds=definite,possible", f"--error-exitcode={FOUND}",
                        f"--suppressions={suppressions}", *daemon.arguments]
    daemon.env = {**daemon.env, "COLLEGA_MAP_MIB": "256"}


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_daemons_leave_nothing_behind(tmp_path, pytestconfig):
    suppressions = pytestconfig.rootpath / "tests" / "support" / "valgrind.txt"
    with World(tmp_path, 2, start=False) as world:
        for daemon in [world.broker, *world.nodes]:
            under_valgrind(daemon, suppressions)
        world.open()
        lender, borrower = world.nodes
        lent, _, match = deals.matched(lender, borrower)
        deal = deals.conclude(borrower, lender, match, "--headcount", "6", "--hours", "32", "--rate", "23,80")
        lender("offer", "pause", lent)
        second = borrower.publish(offers.load("logistiek-heftruck-in"), "--wait", "60")
        borrower("offer", "withdraw", second)
        lender("ledger", "verify")
        assert lender.deal(deal)["state"] in deals.DONE
        for daemon in [*world.nodes, world.broker]:
            status = daemon.stop()
            assert status == 0, (daemon.arguments[-3:], status, daemon.log.read_text(errors="replace")[-6000:])


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
@pytest.mark.parametrize("fault", ["malloc(7)[0] = 1;", "int *p = malloc(4); if (*p) puts(\"\"); free(p);"])
def test_the_tool_speaks_of_what_is_wrong(tmp_path, pytestconfig, fault):
    source, program = tmp_path / "faulty.c", tmp_path / "faulty"
    source.write_text("#include <stdio.h>\n#include <stdlib.h>\nint main(void) { "
                      + fault.replace("malloc(7)[0]", "((char *)malloc(7))[0]") + " return 0; }\n")
    subprocess.run(["cc", "-O0", "-w", "-o", program, source], check=True)
    daemon = Daemon([program], tmp_path / "log")
    under_valgrind(daemon, pytestconfig.rootpath / "tests" / "support" / "valgrind.txt")
    assert subprocess.run(daemon.arguments, stderr=subprocess.DEVNULL).returncode == FOUND
