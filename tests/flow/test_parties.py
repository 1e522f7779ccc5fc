"""A network's node hosts employers: they match and deal with each other and with others, like any others."""
import json
import shutil

import pytest

from support import deals, hosting, offers
from support.hosting import EMPLOYERS, Hosted
from support.world import WAIT, Node, call, until

NOWHERE = {"HOME": "/nonexistent", "PATH": "/nonexistent", "COLLEGA_HOME": ""}


def state_of(host, kvk):
    return next(party for party in host.json("party", "list")["parties"] if party["kvk"] == kvk)


def questions(host):
    return [entry["kind"] for entry in host.json("ledger", "log", "--last", "100000")["entries"]].count("question")


def verified(node, deal, path):
    path.write_bytes(deals.prove(node, deal, "--as", node.kvk))
    return json.loads(call([node.program, "verify", "--json", path], env=NOWHERE).stdout)


@pytest.fixture
def hosted(world_of):
    world = world_of(0)
    host, parties = hosting.network(world)
    return world, host, parties


def test_two_hosted_parties_conclude_an_agreement_that_both_can_prove(hosted, tmp_path):
    world, host, (lender, borrower) = hosted
    lent, asked, match = deals.matched(lender, borrower)
    deal = deals.propose(borrower, match, "--headcount", "6", "--hours", "32", "--rate", "23,80")
    assert deals.received(lender, deal)["counterparty"]["kvk"] == borrower.kvk
    host.kill()  # and starts again, between proposal and acceptance
    host("ledger", "rebuild")
    host.start()
    deals.accept(lender, borrower, deal)

    mine, theirs = borrower.deal(deal), lender.deal(deal)
    assert mine["mine"] and not theirs["mine"] and theirs["lends"] and not mine["lends"]
    assert mine["terms"] == theirs["terms"] and mine["counterparty"]["kvk"] == lender.kvk
    assert host.deals() == []  # the host itself has no part in it
    for party in (lender, borrower):
        found = verified(party, deal, tmp_path / f"{party.kvk}.collega")
        assert found["valid"] and found["lender"]["signed_by"] == "M. de Wit"
        assert found["borrower"]["signed_by"] == "J. Verhagen"
    # Each side holds its own: of the lender's twelve six are left, of the borrower's eight two.
    assert lender("deal", "propose", match, "--headcount", "7", expect=1).stderr.strip()
    assert borrower("deal", "propose", match, "--headcount", "3", expect=1).stderr.strip()
    before = mine, theirs, host.json("offer", "list", "--all"), host.json("party", "list")
    host.stop()
    host("ledger", "verify")
    host("ledger", "rebuild")
    assert (borrower.deal(deal), lender.deal(deal), host.json("offer", "list", "--all"), host.json("party", "list")) == before


def test_a_hosted_party_and_another_home_deal_with_each_other(world_of, tmp_path):
    world = world_of(1)
    outside = world.nodes[0]
    host, _ = hosting.network(world, 0)
    inside = hosting.add(world.broker, host, EMPLOYERS[1], "--wait", WAIT)
    _, _, match = deals.matched(outside, inside)
    deal = deals.conclude(inside, outside, match, "--headcount", "2")
    assert outside.deal(deal)["counterparty"]["name"] == inside.name
    assert verified(inside, deal, tmp_path / "proof.collega")["valid"]
    ended = inside.json("deal", "terminate", deal, "--effective", offers.moved("2027-02-01"), "--wait", WAIT)
    assert ended["state"] == "terminated"
    deals.until((outside,), deal, "terminated")


def test_what_one_hosted_party_has_the_other_does_not_see(hosted):
    world, host, (lender, borrower) = hosted
    third = hosting.add(world.broker, host, EMPLOYERS[2], "--wait", WAIT)
    secret = lender.publish({**offers.load("logistiek-magazijn-uit"), "audience": f"named:{borrower.kvk}"}, "--wait", WAIT)
    asked = borrower.publish(offers.load("voedsel-orderpickers-in"), "--wait", WAIT)
    also = third.publish(offers.load("voedsel-orderpickers-in"), "--wait", WAIT)
    match = deals.match_of(borrower, asked, secret)
    assert secret in {row["id"] for row in borrower.json("offer", "list")["offers"]}
    for party in (third, host):
        assert secret not in {row["id"] for row in party.json("offer", "list", "--all")["offers"]}
        assert party("offer", "show", secret, expect=1).stderr.strip()
        assert party("deal", "propose", "--to", secret, expect=1).stderr.strip()
    assert not [row for row in third.json("match", "list", "--offer", also)["matches"] if row["counter"] == secret]
    assert "private" in lender.json("offer", "show", secret)["offer"]
    assert "private" not in borrower.json("offer", "show", secret)["offer"]
    # The named one answers, by a letter through the broker like any other.
    borrower("match", "interest", match, "--message", "Graag meer.", "--wait", WAIT)
    until(lambda: match in {row["id"] for row in lender.json("match", "list")["matches"]
                                          if row["state"] == "interested"})
    said = lender.json("deal", "talk", match)["messages"]
    assert [line["mine"] for line in said] == [False]


def test_commands_say_whose_it_is(hosted):
    world, host, (lender, borrower) = hosted
    _, asked, match = deals.matched(lender, borrower)
    deal = deals.propose(borrower, match)
    deals.received(lender, deal)
    for arguments in (["deal", "accept", deal], ["deal", "show", deal], ["match", "show", match], ["deal", "talk", deal],
                      ["offer", "pause", asked], ["offer", "withdraw", asked]):
        refused = host(*arguments, expect=1)
        assert "--as" in refused.stderr and not refused.stdout, arguments
    assert lender("offer", "pause", asked, expect=1).stderr.count(borrower.kvk) == 1
    # By number, by the beginning of a name, by the beginning of an id.
    ids = {party["kvk"]: party["id"] for party in host.json("party", "list")["parties"]}
    for typed in (lender.kvk, "snijder", ids[lender.kvk][:12], ids[lender.kvk]):
        assert host.json("deal", "show", deal, "--as", typed)["lends"]


def test_status_tells_of_every_party_and_whom_a_proposal_waits_for(hosted):
    world, host, (lender, borrower) = hosted
    third = world.broker.invite(EMPLOYERS[2][0], EMPLOYERS[2][1], "--host", host.kvk)
    world.broker.stop()
    host("party", "add", "--name", EMPLOYERS[2][0], "--kvk", EMPLOYERS[2][1], "--invitation", third)
    told = {party["kvk"]: party for party in host.json("status")["parties"]}
    assert {kvk: party["state"] for kvk, party in told.items()} == {
        host.kvk: "member", lender.kvk: "member", borrower.kvk: "member", EMPLOYERS[2][1]: "invited"}
    world.broker.start()
    _, _, match = deals.matched(lender, borrower)
    deals.received(lender, deals.propose(borrower, match))
    told = {party["kvk"]: party for party in host.json("status")["parties"]}
    assert {kvk for kvk, party in told.items() if party["awaits_us"]} == {lender.kvk} and told[host.kvk]["host"]
    for language in ("nl", "en"):
        shown = host("status", "--lang", language).stdout
        assert all(party["name"] in shown for party in told.values()) and f"--as {lender.kvk}" in shown


def test_a_party_is_added_with_the_daemon_down(world_of):
    world = world_of(0)
    host, _ = hosting.network(world, 0)
    host.stop()
    token = world.broker.invite("Snijder Logistiek BV", "12345678", "--host", "ACE West-Brabant")
    made = host.json("party", "add", "--name", "Snijder Logistiek BV", "--kvk", "12345678", "--invitation", token)
    assert made["certified"] and made["recovery_key"] and state_of(host, "12345678")["state"] == "member"
    member = next(row for row in world.broker.json("members")["members"] if row["kvk"] == "12345678")
    assert member["host"] == state_of(host, host.kvk)["id"] and member["id"] == made["id"]
    # With broker and daemon down it waits, and the daemon brings it in later.
    other = world.broker.invite("Versgoed Bakkerijen BV", "23456789", "--host", host.kvk)
    world.broker.stop()
    late = host("party", "add", "--name", "Versgoed Bakkerijen BV", "--kvk", "23456789", "--invitation", other,
                "--wait", "1", expect=3)
    assert "KvK 23456789" in late.stdout and late.stderr.strip()
    assert state_of(host, "23456789")["state"] == "invited"
    waiting = Hosted(host, "Versgoed Bakkerijen BV", "23456789")
    offer = waiting.publish(offers.load("voedsel-orderpickers-in"))
    world.broker.start()
    host.start()
    until(lambda: state_of(host, "23456789")["state"] == "member")
    until(lambda: waiting.json("offer", "show", offer).get("receipt"))


def test_a_restored_network_finds_what_each_party_had(hosted, tmp_path):
    world, host, (lender, borrower) = hosted
    host("ledger", "backup", tmp_path / "backup")
    _, _, match = deals.matched(lender, borrower)
    deal = deals.conclude(borrower, lender, match, "--headcount", "3")
    host.kill()
    restored = Node(tmp_path, *hosting.NETWORK)
    call([restored.program, "ledger", "restore", tmp_path / "backup", "--home", restored.home])
    world.nodes.append(restored)
    restored.start()
    for party in (lender, borrower):
        again = Hosted(restored, party.name, party.kvk)
        assert deals.received(again, deal)
        until(lambda: again.deal(deal)["state"] in deals.DONE)
        assert verified(again, deal, tmp_path / "again.collega")["valid"]
    again = Hosted(restored, lender.name, lender.kvk)
    assert again.publish(offers.load("logistiek-heftruck-uit"), "--wait", WAIT)


def test_a_restored_decider_asks_both_neighbours(hosted, tmp_path):
    world, host, (lender, borrower) = hosted
    lent, asked, match = deals.matched(lender, borrower)
    deal = deals.propose(borrower, match, "--headcount", "4")
    deals.received(lender, deal)
    world.broker("backup", tmp_path / "backup")
    agreed = deals.propose(lender, match, "--headcount", "5")  # crosses it: of the two one can be concluded
    deals.received(borrower, agreed)
    assert borrower.json("deal", "accept", agreed, "--wait", WAIT)["state"] in deals.DONE
    world.broker.kill()
    shutil.rmtree(world.broker.home)
    world.broker("restore", tmp_path / "backup")
    world.broker.start()
    for party in (lender, borrower):
        until(lambda party=party: party.deal(deal)["state"] == "void")
        assert party.deal(agreed)["state"] in deals.DONE
    until(lambda: questions(host) >= 2)  # one for each of the two
    third = deals.propose(borrower, match, "--headcount", "2")
    deals.received(lender, third)
    assert lender.json("deal", "accept", third, "--wait", WAIT)["state"] in deals.DONE


def test_revoking_one_leaves_the_others_and_revoking_the_host_ends_all(hosted):
    world, host, (lender, borrower) = hosted
    world.broker("revoke", borrower.kvk)
    assert lender.publish(offers.load("logistiek-heftruck-uit"), "--wait", WAIT)
    refused = borrower("offer", "publish", "-", "--wait", WAIT, expect=1,
                       stdin=json.dumps(offers.load("logistiek-heftruck-in")))
    assert "member" in refused.stderr  # by the broker, or by the node that has read it already
    until(lambda: state_of(host, borrower.kvk)["state"] == "revoked")
    assert state_of(host, lender.kvk)["state"] == "member"
    world.broker("revoke", host.kvk)
    members = {row["kvk"]: row["revoked"] for row in world.broker.json("members")["members"]}
    assert members == {host.kvk: True, lender.kvk: True, borrower.kvk: True}
    cut = lender("offer", "publish", "-", "--wait", "2", expect=3, stdin=json.dumps(offers.load("logistiek-magazijn-uit")))
    assert cut.stderr.strip()


def test_bad_input_to_the_commands_of_parties(hosted):
    world, host, (lender, borrower) = hosted
    broker = world.broker
    other = Node(world.directory, "Ander Netwerk", "90000002")
    other.init()
    other("join", broker.invite(other.name, other.kvk, "--role", "network"))
    employer = broker.invite("Los BV", "45678901")
    elsewhere = broker.invite("Elders BV", "56789012", "--host", other.kvk)
    here = broker.invite("Derde BV", "67890123", "--host", host.kvk)
    parties = host.json("party", "list")
    add = ["party", "add"]
    cases = [
        (add, 2), ([*add, "--name", "Derde BV"], 2), ([*add, "--name", "Derde BV", "--kvk", "67890123"], 2),
        ([*add, "--name", "Derde BV", "--kvk", "6789012", "--invitation", here], 1),
        ([*add, "--name", "", "--kvk", "67890123", "--invitation", here], 2),
        ([*add, "--name", "Derde BV", "--kvk", "67890123", "--invitation", "collega1.onzin"], 1),
        ([*add, "--name", "Derde BV", "--kvk", "67890123", "--invitation", here, "--signatory", "A. Alleen"], 2),
        ([*add, "--name", "Los BV", "--kvk", "45678901", "--invitation", employer], 1),  # for a node of its own
        ([*add, "--name", "Elders BV", "--kvk", "56789012", "--invitation", elsewhere], 1),  # for another host
        ([*add, "--name", "Vierde BV", "--kvk", "78901234", "--invitation", here], 1),  # somebody else's
        ([*add, "--name", "Derde BV", "--kvk", lender.kvk, "--invitation", here], 1),
        ([*add, "--name", "Derde BV", "--kvk", "67890123", "--invitation", here, "extra"], 2),
        (["party", "list", "extra"], 2), (["party"], 2),
        (["deal", "list", "--as", "nobody"], 1), (["deal", "list", "--as", ""], 2), (["deal", "list", "--as", "v" * 500], 1),
        (["deal", "list", "--as"], 2), (["init", "--as", "x"], 2),
    ]
    for arguments, status in cases:
        result = host(*arguments, expect=None)
        assert result.returncode == status and result.stderr.strip() and not result.stdout, (arguments, result)
        dutch = host(*arguments, "--lang", "nl", expect=None).stderr
        assert dutch.strip() and dutch != result.stderr, arguments
    assert host.json("party", "list") == parties
    # The KvK number of one who lives here already, with an invitation for it.
    twice = host(*add, "--name", lender.name, "--kvk", lender.kvk, "--invitation",
                 broker.invite(lender.name, lender.kvk, "--host", host.kvk), expect=1)
    assert lender.kvk in twice.stderr
    # A node cannot join with an invitation to live elsewhere, and only a network hosts.
    fresh = Node(world.directory, "Elders BV", "56789012")
    fresh.init()
    assert "party add" in fresh("join", elsewhere, expect=1).stderr
    for arguments in (["--host", lender.kvk], ["--host", "nobody"], ["--host", host.kvk, "--role", "network"]):
        result = broker("invite", "--name", "Vijfde BV", "--kvk", "89012345", *arguments, expect=1)
        assert result.stderr.strip() and not result.stdout
    # Two whose names begin alike.
    hosting.add(broker, host, ("Snijder Transport BV", "91234567", "P. de Wit", "chef"), "--wait", WAIT)
    assert host("deal", "list", "--as", "snijder", expect=1).stderr.strip()
    assert host.json("deal", "list", "--as", "snijder t")["deals"] == []


def test_an_invitation_that_the_broker_does_not_know_is_refused_and_another_one_works(world_of):
    world = world_of(0)
    host, _ = hosting.network(world, 0)
    stranger = world_of(0)
    # A token of a broker with the same name is another network's.
    token = stranger.broker.invite("Derde BV", "67890123")
    assert host("party", "add", "--name", "Derde BV", "--kvk", "67890123", "--invitation", token, expect=1).stderr.strip()
    used = world.broker.invite("Derde BV", "67890123", "--host", host.kvk)
    host("party", "add", "--name", "Derde BV", "--kvk", "67890123", "--invitation", used, "--wait", WAIT)
    host("party", "add", "--name", "Derde BV", "--kvk", "67890123", "--invitation", used, expect=1)
    assert state_of(host, "67890123")["state"] == "member"


def test_a_party_that_the_broker_refuses_stands_in_nobodys_way(world_of, tmp_path):
    """A home of a backup from before the party came makes other keys for it: the invitation was for the first ones."""
    world = world_of(0)
    host, _ = hosting.network(world, 0)
    host("ledger", "backup", tmp_path / "backup")
    name, kvk, _, _ = EMPLOYERS[0]
    token = world.broker.invite(name, kvk, "--host", host.kvk)
    arguments = ["party", "add", "--name", name, "--kvk", kvk, "--invitation"]
    host(*arguments, token, "--wait", WAIT)
    host.kill()
    restored = Node(tmp_path, *hosting.NETWORK)
    call([restored.program, "ledger", "restore", tmp_path / "backup", "--home", restored.home])
    world.nodes.append(restored)
    restored.start()
    until(lambda: restored.json("status")["broker"]["connected"]
                  and not restored.json("status")["broker"]["behind"])
    refused = restored(*arguments, token, "--wait", WAIT, expect=1)
    assert f"KvK {kvk}" in refused.stdout and refused.stderr.strip()
    listed = state_of(restored, kvk)
    assert listed["state"] == "refused" and listed["refused"]["rule"] == "invitation_used" and listed["refused"]["words"]
    assert restored.publish(offers.load("logistiek-magazijn-uit"), "--wait", WAIT)  # the host goes on
    # An employer is one party: the one whose keys are gone makes place first. Who invites is told so.
    invited = world.broker("invite", "--name", name, "--kvk", kvk, "--host", host.kvk)
    assert invited.stdout.startswith("collega1.") and kvk in invited.stderr and name in invited.stderr
    taken = restored(*arguments, invited.stdout.strip(), "--wait", WAIT, expect=1)
    assert kvk in taken.stderr and state_of(restored, kvk)["refused"]["rule"] == "join_kvk_taken"
    assert name in state_of(restored, kvk)["refused"]["words"]
    world.broker("revoke", kvk)
    again = restored(*arguments, world.broker.invite(name, kvk, "--host", host.kvk), "--wait", WAIT)
    assert "recovery" not in again.stdout.lower()  # the same keys: theirs was shown before
    assert state_of(restored, kvk)["state"] == "member"
    assert Hosted(restored, name, kvk).publish(offers.load("logistiek-heftruck-uit"), "--wait", WAIT)
