"""Bad input to the broker's commands and settings, and to the terms of a proposal."""
import json

import pytest

from support import deals
from support.world import Broker, call


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    broker = Broker(tmp_path_factory.mktemp("broker"), "Net")
    broker.init()
    broker.start()
    yield broker
    broker.kill()


@pytest.mark.parametrize("arguments,status", [
    (["--name", ""], (1, 2)), (["--name", "x" * 121], (1, 2)), (["--name", "a\u0007"], (1, 2)), ([], (2,)),
    (["--name", "Net", "--listen", "nowhere"], (1, 2)), (["--name", "Net", "--listen", "tcp://127.0.0.1:99999"], (1, 2)),
    (["--name", "Net", "--colour"], (2,)), (["--name", "Net", "extra"], (2,)),
], ids=range(8))
def test_init_checks_and_makes_nothing(broker, tmp_path, arguments, status):
    home = tmp_path / "home"
    result = call([broker.program, "init", "--home", home, *arguments], expect=None)
    assert result.returncode in status, result
    assert result.stderr.strip()
    assert not home.exists() or not any(home.iterdir())


def test_init_twice_is_refused(broker):
    assert call([broker.program, "init", "--home", broker.home, "--name", "Net"], expect=1).stderr.strip()


@pytest.mark.parametrize("arguments", [
    ["--name", "Goed BV"], ["--kvk", "12345678"], ["--name", "Goed BV", "--kvk", "1234567"],
    ["--name", "Goed BV", "--kvk", "1234567x"], ["--name", "", "--kvk", "12345678"],
    ["--name", "x" * 121, "--kvk", "12345678"], ["--name", "Goed BV", "--kvk", "12345678", "--role", "king"],
    ["--name", "Goed BV", "--kvk", "12345678", "--days", "0"], ["--name", "Goed BV", "--kvk", "12345678", "--days", "soon"],
], ids=range(9))
def test_invite_checks_each_field(broker, arguments):
    result = broker("invite", *arguments, expect=None)
    assert result.returncode in (1, 2) and result.stderr.strip() and not result.stdout
    dutch = broker("invite", *arguments, "--lang", "nl", expect=None).stderr
    assert dutch.strip() and dutch != result.stderr


def test_a_second_daemon_is_refused_while_the_first_goes_on(broker):
    second = call([broker.program, "run", "--home", broker.home], expect=3)
    assert second.stderr.strip()
    assert broker.running() and broker.json("status")


@pytest.mark.parametrize("settings", ["[link]\nlisten = nowhere\n", "[store]\nmap_gib = many\n", "[broker]\nworkers = 0\n",
                                      "[colour]\nblue = 1\n", "[link\n", "workers = 1\n"], ids=range(6))
def test_settings_are_checked_by_line(broker, tmp_path, settings):
    other = Broker(tmp_path, "Net")
    other.init()
    (other.home / "settings.ini").write_text(settings)
    result = call([other.program, "run", "--home", other.home], expect=None)
    assert result.returncode in (1, 2), result
    assert "settings.ini" in result.stderr or settings.split("=")[0].strip(" []\n") in result.stderr, result.stderr


def test_commands_answer_the_same_with_the_daemon_up_and_down(broker, tmp_path):
    other = Broker(tmp_path, "Net")
    other.init()
    other.start()
    other.invite("Goed BV", "12345678")
    up = other.json("members"), other.json("status")["broker"]
    other.stop()
    assert (other.json("members"), other.json("status")["broker"]) == up
    assert other.invite("Beter BV", "23456789").startswith("collega1.")


def test_revoking_who_is_no_member_says_so(broker):
    result = broker("revoke", "87654321", expect=1)
    assert "87654321" in result.stderr


# ---- terms of a proposal

@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    from support.world import World
    with World(tmp_path_factory.mktemp("world"), 2) as world:
        lender, borrower = world.nodes
        yield world, deals.matched(lender, borrower)[2]


BAD_TERMS = [
    ({"work": {"headcount": 0}}, "headcount"), ({"rates": {"hourly_cents": -1}}, "hourly_cents"),
    ({"rates": {"currency": "euro"}}, "currency"), ({"rates": {"vat": "soms"}}, "vat"), ({"ending": {"notice_days": 400}}, "notice_days"),
    ({"persons": {"persons": [{"reference": ""}]}}, "reference"), ({"note": {"text": "BSN 123456782"}}, "note"),
    ({"wages": {}}, "wages"), ({"work": {"headcount": 1, "from": "2027-02-30", "hours_per_week": 1}}, "from"), ([], ""),
    ({"rates": {"g_account_percent": 101}}, "g_account_percent"), ({"place": {"postcode": "x"}}, "postcode"),
]


@pytest.mark.parametrize("terms,field", BAD_TERMS, ids=range(len(BAD_TERMS)))
def test_bad_terms_are_refused_by_field_and_leave_no_trace(pair, tmp_path, terms, field):
    world, match = pair
    borrower = world.nodes[1]
    path = tmp_path / "terms.json"
    path.write_text(json.dumps(terms))
    result = borrower("deal", "propose", match, "--terms", path, expect=1)
    assert field in result.stderr, result.stderr
    assert borrower.deals() == []


@pytest.mark.parametrize("arguments,word", [
    (["--headcount", "100"], "headcount"), (["--hours", "60"], "hours"), (["--from", "2026-01-01"], "from"),
    (["--until", "2030-01-01"], "until"), (["--accept-by", "2020-01-01T00:00:00Z"], "accept"),
    (["--accept-by", "2099-01-01T00:00:00Z"], "accept"), (["--from", "2027-03-01", "--until", "2027-02-01"], ""),
], ids=range(7))
def test_a_proposal_beyond_the_offers_is_refused(pair, arguments, word):
    world, match = pair
    borrower = world.nodes[1]
    result = borrower("deal", "propose", match, *arguments, expect=1)
    assert word in result.stderr.lower(), result.stderr
    assert borrower.deals() == []
