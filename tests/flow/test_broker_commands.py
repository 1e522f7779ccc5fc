"""Every command of an administrator, asked of the running broker over its socket and done directly when it is down:
the same answer, the same error, the same effect."""
import json
import re

import pytest

from support.world import Broker, Node, World, binaries, call


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with World(tmp_path_factory.mktemp("world"), 3) as world:
        yield world


@pytest.fixture(params=["up", "down"])
def broker(request, world):
    """The same broker, running or not."""
    broker = world.broker
    if request.param == "up" and not broker.running():
        broker.start()
    if request.param == "down":
        broker.stop()
    yield broker


def test_members_are_told(broker, world):
    members = {row["name"]: row for row in broker.json("members")["members"]}
    assert set(members) >= {node.name for node in world.nodes[:2]}
    for node in world.nodes[:2]:
        row = members[node.name]
        assert row["kvk"] == node.kvk and row["role"] == "employer" and row["in_force"] and not row["revoked"]
        assert row["fingerprint"] == node.json("status")["node"]["fingerprint"]
        assert node.name in broker("members", "--lang", "nl").stdout and node.name in broker("members", "--lang", "en").stdout


def test_status_tells_whether_it_runs(broker):
    status = broker.json("status")
    assert ("running" in status) == broker.running() and status["broker"]["name"] == broker.name
    assert status["members"] >= 2 and status["store"]["used"] > 0
    dutch, english = (broker("status", "--lang", language).stdout for language in ("nl", "en"))
    assert broker.name in dutch and broker.name in english and dutch != english


def test_an_invitation_is_as_good_either_way(broker, world, tmp_path):
    document = broker.json("invite", "--name", "Nieuw BV", "--kvk", "45678901", "--role", "observer", "--days", "3")
    assert set(document) == {"token", "name", "kvk"} and document["name"] == "Nieuw BV"
    assert broker("invite", "--name", "Ander BV", "--kvk", "56789012").stdout.startswith("collega1.")
    was_up = broker.running()
    if not was_up:
        broker.start()
    newcomer = Node(tmp_path, "Nieuw BV", "45678901")
    newcomer.init()
    newcomer("join", document["token"])
    assert newcomer.json("status")["broker"]["joined"]
    if not was_up:
        broker.stop()
    assert any(row["role"] == "observer" and row["name"] == "Nieuw BV" for row in broker.json("members")["members"])


@pytest.mark.parametrize("arguments,status,words", [
    (["invite", "--name", "Nieuw BV", "--kvk", "1234"], 1, "kvk"),
    (["invite", "--name", "a\u0007", "--kvk", "45678901"], 1, "name"),
    (["invite", "--name", "Nieuw BV", "--kvk", "45678901", "--role", "king"], 1, "role"),
    (["invite", "--name", "Nieuw BV", "--kvk", "45678901", "--days", "400"], 1, "days"),
    (["invite", "--name", "Nieuw BV"], 2, "--kvk"),
    (["revoke", "99999999"], 1, "99999999"), (["revoke", "niemand"], 1, "niemand"), (["revoke", ""], 2, "ID"),
    (["revoke", "12345678", "--reason", "x" * 240], 1, "reason"), (["revoke"], 2, "ID"),
    (["members", "x"], 2, "x"), (["status", "--wait", "1"], 2, "--wait"), (["backup"], 2, "DIR"),
], ids=lambda value: "_".join(value)[:40] if isinstance(value, list) else None)
def test_what_is_wrong_is_told_the_same_way(broker, arguments, status, words):
    before = broker.json("members")
    result = broker(*arguments, "--lang", "en", expect=status)
    assert words in result.stderr and not result.stdout
    error = json.loads(broker(*arguments, "--json", expect=status).stderr)["error"]
    assert error["rule"] and error["message"]
    assert broker.json("members") == before


def test_a_backup_is_made_and_can_be_started(broker, tmp_path):
    made = broker.json("backup", tmp_path / "copy")
    assert made == {"backup": str(tmp_path / "copy")}
    assert "exists" in broker("backup", tmp_path / "copy", "--lang", "en", expect=1).stderr \
        or "home" in broker("backup", tmp_path / "copy", "--lang", "en", expect=1).stderr
    restored = Broker(tmp_path)
    restored.home = tmp_path / "again"
    told = call([broker.program, "restore", tmp_path / "copy", "--home", restored.home, "--json"])
    assert json.loads(told.stdout) == {"restored": str(restored.home)}
    assert restored.json("members") == broker.json("members")
    assert restored.json("status")["broker"]["name"] == broker.name


def test_a_member_is_revoked_at_once(broker, tmp_path):
    was_up = broker.running()
    kvk = "67890123" if was_up else "78901234"
    token = broker("invite", "--name", f"Weg {kvk} BV", "--kvk", kvk).stdout.strip()
    if not was_up:
        broker.start()
    node = Node(tmp_path, f"Weg {kvk} BV", kvk)
    node.init()
    node("join", token)
    if not was_up:
        broker.stop()
    party = node.json("status")["node"]["id"]
    assert broker.json("revoke", party[:20], "--reason", "gestopt") == {"revoked": party[:20]}
    row = next(row for row in broker.json("members")["members"] if row["id"] == party)
    assert row["revoked"] and not row["in_force"]
    assert broker("revoke", party, expect=None).stderr.count("\n") <= 1  # again: done, or said


def test_a_name_that_fits_several_lists_them_and_revokes_nobody(broker, world, tmp_path):
    was_up, twins = broker.running(), []
    if not was_up:
        broker.start()
    for kvk in ("61234567", "71234567") if was_up else ("62345678", "72345678"):
        node = Node(tmp_path / kvk, f"Tweeling BV {was_up}", kvk)
        node.home.parent.mkdir()
        node.init()
        node("join", broker.invite(node.name, kvk))
        twins.append(node.json("status")["node"]["id"])
    if not was_up:
        broker.stop()
    before = broker.json("members")
    told = broker("revoke", f"Tweeling BV {was_up}", "--lang", "en", expect=1).stderr
    assert all(party[:8] in told for party in twins)
    assert broker.json("members") == before


def test_a_socket_left_behind_by_a_killed_broker_misleads_nobody(world):
    broker = world.broker
    if not broker.running():
        broker.start()
    broker.kill()
    assert (broker.home / "control.sock").exists()
    assert "running" not in broker.json("status") and broker("invite", "--name", "Na BV", "--kvk", "89012345").stdout
    broker.start()
    assert broker.json("status")["running"]


def test_a_broker_that_runs_but_cannot_be_asked_is_said_and_left_alone(world):
    broker = world.broker
    if not broker.running():
        broker.start()
    socket = broker.home / "control.sock"
    socket.rename(broker.home / "elsewhere")
    try:
        result = broker("members", "--lang", "en", expect=3)
        assert result.stderr.strip() and not result.stdout
    finally:
        (broker.home / "elsewhere").rename(socket)
    assert broker.json("members")["members"]


def test_both_programs_tell_a_new_recovery_key_by_one_name(tmp_path):
    for program, more in (("collega", ["--kvk", "12345678"]), ("collega-broker", [])):
        made = json.loads(call([binaries() / program, "init", "--home", tmp_path / program, "--name", "Net", *more, "--json"]).stdout)
        assert re.fullmatch(r"([0-9a-f]{8} ){7}[0-9a-f]{8}", made["recovery_key"]), made


def test_roles_are_told_in_the_readers_language(broker):
    employers = [member["name"] for member in broker.json("members")["members"] if member["role"] == "employer"]
    for language, word in (("nl", "werkgever"), ("en", "employer")):
        rows = broker("members", "--lang", language).stdout.splitlines()[1:]
        assert employers and [row for row in rows if f" {word} " in row] == [row for row in rows if row.startswith(tuple(employers))]
