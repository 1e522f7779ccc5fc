"""The public library with a broker and a counterpart: the example program from an installed tree, and both sides of a
deal through the C interface alone."""
import ctypes
import json
import os
import subprocess
from pathlib import Path

import pytest

from support import deals, offers
from support.library import ONCE, REFUSED, START_BEGINNING, Library, Refusal, build_example
from support.world import DEADLINE, WAIT, binaries, call, die_with_parent

sanitized = pytest.mark.skipif(any(name in str(binaries()) for name in ("asan", "tsan")),
                               reason="an interpreter without the sanitizer cannot load the library")


def test_the_example_comes_from_an_offer_to_a_proof(world_of, tmp_path):
    world = world_of(2)
    lender, borrower = world.nodes
    program, environment = build_example(tmp_path, "hr_system")
    wanted, proof = tmp_path / "offer.json", tmp_path / "proof.collega"
    wanted.write_text(json.dumps(offers.load("voedsel-orderpickers-in")))
    arguments = [program, borrower.home, wanted, proof]
    running = subprocess.Popen(list(map(str, arguments)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, **environment}, preexec_fn=die_with_parent)
    try:
        lender.publish(offers.load("logistiek-magazijn-uit"), "--wait", WAIT)
        received = lender.json("deal", "list", "--wait", WAIT)["deals"]
        assert len(received) == 1 and not received[0]["mine"]
        lender("deal", "accept", received[0]["id"], "--wait", WAIT)
        out, err = running.communicate(timeout=DEADLINE)
    finally:
        running.kill()
    assert running.returncode == 0, (out, err)
    assert f"\nproposed {received[0]['id']}" in out and out.count("\nproposed ") == 1
    assert call([borrower.program, "verify", proof, "--json"]).returncode == 0

    # Started again, it publishes nothing, proposes nothing, and finds what was concluded.
    before = proof.read_bytes()
    proof.unlink()
    again = call(arguments, env=environment)
    assert "published before" in again.stdout and "\nproposed " not in again.stdout
    assert proof.exists() and len(proof.read_bytes()) == len(before)
    assert len(borrower.json("offer", "list", "--mine")["offers"]) == 1


def test_the_example_says_what_is_wrong(world_of, tmp_path):
    world = world_of(1)
    program, environment = build_example(tmp_path, "hr_system")
    bad = tmp_path / "bad.json"
    bad.write_text('{"kind":"loan_in","headcount":0}')
    result = call([program, world.nodes[0].home, bad, tmp_path / "proof"], expect=1, env=environment)
    assert "bad.json" in result.stderr and "(" in result.stderr
    result = call([program, tmp_path / "nowhere", bad, tmp_path / "proof"], expect=1, env=environment)
    assert "nowhere" in result.stderr
    call([program], expect=2, env=environment)


@sanitized
def test_both_sides_of_a_deal_through_the_library(world_of):
    world = world_of(2)
    lender, borrower = Library(world.nodes[0].home), Library(world.nodes[1].home)
    lender.follow("hr")
    borrower.follow("hr")

    lent = lender.publish(offers.load("logistiek-magazijn-uit"), ONCE)
    receipt = lender.wait_for(lambda e: e["event"] == "offer" and e["what"] == "receipted")
    assert receipt["offer"]["id"] == lent and receipt["offer"]["receipt"]["seq"] > 0
    asked = borrower.publish(offers.load("voedsel-orderpickers-in"))
    match = borrower.wait_for(lambda e: e["event"] == "match" and e["match"]["offer"] == asked)["match"]
    assert match["counter"] == lent
    assert any(e["event"] == "offer" and e["offer"]["id"] == lent and not e["offer"]["mine"] for e in borrower.seen)
    assert borrower("matches_list", asked)["matches"][0]["id"] == match["id"]
    assert borrower("match_show", match["id"])["score"] == match["score"]

    # Interest and talk.
    lender.wait_for(lambda e: e["event"] == "match" and e["match"]["id"] == match["id"])
    assert borrower("match_interest", match["id"], "Wij zoeken er acht.")["state"] == "interested"
    said = lender.wait_for(lambda e: e["event"] == "talk")
    assert said["message"]["text"] == "Wij zoeken er acht." and said["thread"] == match["id"]
    assert said["counterparty"]["kvk"] == world.nodes[1].kvk and not said["message"]["mine"]
    lender("match_interest", match["id"], None)
    borrower.wait_for(lambda e: e["event"] == "talk" and not e["message"]["mine"])
    terms = {"work": {"headcount": 4}}
    with pytest.raises(Refusal):
        lender("talk_send", match["id"], None, *lender.text({"works": terms}))
    talk = lender("talk_send", match["id"], "Wij kunnen er vier missen.", None, ctypes.c_size_t(0))
    assert [line["kind"] for line in talk["messages"]] == ["interest", "interest", "talk"]
    borrower.wait_for(lambda e: e["event"] == "talk" and e["message"].get("text", "").endswith("vier missen."))

    # A proposal, a counter-proposal, and the agreement.
    deal = borrower("deal_propose", *borrower.text({"match": match["id"], "headcount": 8, "rate_cents": 2380}))
    assert deal["state"] == "draft" and deal["mine"]
    lender.wait_for(lambda e: e["event"] == "deal" and e["deal"]["id"] == deal["id"] and e["deal"]["state"] == "received")
    counter = lender("deal_counter", deal["id"], *lender.text({"headcount": 4}))
    borrower.wait_for(lambda e: e["event"] == "deal" and e["deal"]["id"] == counter["id"]
                      and e["deal"]["state"] == "received")
    borrower("deal_accept", counter["id"], None)
    for side in (lender, borrower):
        side.wait_for(lambda e: e["event"] == "deal" and e["deal"]["id"] == counter["id"]
                      and e["deal"]["state"] in deals.DONE)
        shown = side("deal_show", counter["id"])
        assert shown["terms"]["headcount"] == 4 and shown["replaces"] == deal["id"]
    assert borrower("deal_show", deal["id"])["state"] == "void"

    # The same documents as the command line gives.
    assert world.nodes[1].deal(counter["id"]) == borrower("deal_show", counter["id"])
    assert world.nodes[1].json("deal", "list") == borrower("deals_list")
    assert world.nodes[1].json("match", "show", match["id"]) == borrower("match_show", match["id"])
    assert world.nodes[1].json("offer", "list", "--mine") == borrower("offers_list", 1, None)

    # A crash before the acknowledgement: everything comes again, to a handle that was not there.
    borrower.close()
    borrower = Library(world.nodes[1].home)
    borrower.follow("second", START_BEGINNING)
    borrower.wait_for(lambda e: e["event"] == "deal" and e["deal"]["id"] == counter["id"]
                      and e["deal"]["state"] in deals.DONE)
    assert {"joined", "offer", "talk", "deal"} <= {e["event"] for e in borrower.seen}

    # Its proof, and its judgement; a proof that there is none of.
    with pytest.raises(Refusal) as refusal:
        borrower("deal_accept", counter["id"], None)
    assert refusal.value.code == REFUSED
    lender.close()
    borrower.close()


@sanitized
def test_receipts_and_states_are_told(world_of):
    world = world_of(1)
    node = Library(world.nodes[0].home)
    node.follow("hr")
    first = node.publish(offers.load("logistiek-magazijn-uit"))
    node.wait_for(lambda e: e["event"] == "offer" and e["what"] == "receipted" and e["offer"]["id"] == first)
    status = node("node_status")
    assert status["broker"]["connected"] and status["outbox"]["waiting"] == 0
    node("offer_change", first, 4)
    state = node.wait_for(lambda e: e["event"] == "offer" and e["what"] == "state")
    assert state["offer"]["state"] == "withdrawn"
    node.close()
