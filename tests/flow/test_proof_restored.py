"""A home that was restored gets its agreements back piece by piece, and the same goes for what a proof of them needs. At
every step a proof that is written verifies; before that it is said, in words and by the exit status, what to do."""
import json

import pytest

from support import deals
from support.world import WAIT, call, until
from test_deal_proofs import verify
from test_keys import connected

TAKES_MOST = 30  # frames that such a home takes in, and more


def prove(node, deal, path, *arguments):
    """The exit status; whatever was written verifies, and nothing is written beside words."""
    result = call([node.program, "deal", "prove", deal, *arguments, "--home", node.home], expect=None, env=node.env, text=False)
    if result.returncode == 0:
        path.write_bytes(result.stdout)
        status, found = verify(node.program, path)
        assert status == 0 and found["valid"], found
    else:
        assert result.returncode in (1, 3) and result.stderr.strip() and not result.stdout, result
    return result.returncode


def restored(world, victim, directory):
    """An agreement that was signed after the backup with a mandate and a key that came after it; who was restored to
    before all that, and the deal."""
    lender, borrower = world.nodes
    _, _, match = deals.matched(lender, borrower)
    victim("ledger", "backup", directory / "backup")
    other = lender if victim is borrower else borrower
    other("key", "rotate", "--wait", WAIT)
    until(lambda: connected(other))
    mandate = lender.json("mandate", "add", "--signatory", "P. Bakker", "--function", "planner", "--wait", WAIT)["id"]
    deal = deals.propose(borrower, match, "--headcount", "4")
    deals.received(lender, deal)
    lender("deal", "accept", deal, "--mandate", mandate, "--wait", WAIT)
    victim.kill()
    victim.home.rename(directory / "gone")
    victim("ledger", "restore", directory / "backup")
    return deal


@pytest.mark.parametrize("which", [0, 1], ids=["acceptor", "proposer"])
def test_whatever_has_come_back_a_proof_that_is_written_verifies(world_of, tmp_path, which):
    world = world_of(2)
    victim = world.nodes[which]
    deal = restored(world, victim, tmp_path)
    path, seen = tmp_path / "proof.collega", []
    for steps in range(1, TAKES_MOST):  # killed after one thing, after two, after three
        seen.append(prove(victim, deal, path))
        if seen[-1] == 0:
            break
        victim.start(wait=False, env={"COLLEGA_FAULT": f"node_intake_after_commit:{steps}"})
        while victim.running() and seen[-1] != 0:
            seen.append(prove(victim, deal, path))
        victim.kill()
    assert seen[-1] == 0 and seen[0] == 1  # at first there is no such deal


def test_what_is_still_on_its_way_is_said_and_waited_for(world_of, tmp_path):
    """The acceptor, restored: what it signed itself comes back before the letter that it answered."""
    world = world_of(2)
    lender, borrower = world.nodes
    deal = restored(world, lender, tmp_path)
    for steps in range(1, TAKES_MOST):
        lender.start(wait=False, env={"COLLEGA_FAULT": f"node_intake_after_commit:{steps}"})
        lender.wait()
        if prove(lender, deal, tmp_path / "proof.collega") == 3:
            break
    for language, next_step in (("nl", "laat collega run lopen"), ("en", "let collega run go on")):
        said = lender("deal", "prove", deal, "--lang", language, expect=3)
        assert next_step in said.stderr and "--wait" in said.stderr and not said.stdout
        said = lender("deal", "prove", deal, "--wait", "0", "--lang", language, expect=3)
        assert next_step in said.stderr and not said.stdout
    failed = json.loads(lender("deal", "prove", deal, "--json", expect=3).stderr)["error"]
    assert failed["status"] == "unreachable"
    lender.start()
    assert prove(lender, deal, tmp_path / "proof.collega", "--wait", WAIT) == 0
