"""Offers of tests/data/offers, moved in time so that they can be published today."""
import datetime
import json
import re
from pathlib import Path

from support.dates import TODAY
from support.world import until

DIRECTORY = Path(__file__).resolve().parents[1] / "data" / "offers"
WRITTEN_FOR = datetime.date(2026, 12, 1)
DATES = ("from", "until")
DATE = re.compile(r"\b20\d\d-\d\d-\d\d(?=\b|T)")


def names():
    return sorted(path.stem for path in DIRECTORY.glob("*.json"))


def csv_names():
    return sorted(path.stem for path in (DIRECTORY / "csv").glob("*.csv"))


def moved(date, ahead=0):
    """An ISO date, or a time that begins with one, by as many whole weeks as the day lies past the date written for: today,
    or that many days later."""
    weeks = max(0, -(-((TODAY - WRITTEN_FOR).days + ahead) // 7))
    return (datetime.date.fromisoformat(date[:10]) + datetime.timedelta(weeks=weeks)).isoformat() + date[10:]


def load(name, ahead=0):
    """The offer `name` with its period and expiry moved by whole weeks, to be published that many days from today."""
    offer = json.loads((DIRECTORY / f"{name}.json").read_text())
    for key in DATES:
        if key in offer["period"]:
            offer["period"][key] = moved(offer["period"][key], ahead)
    if "expires" in offer:
        offer["expires"] = moved(offer["expires"], ahead)
    return offer


def load_csv(name):
    """The bytes of csv/NAME.csv with every date in it moved."""
    text = (DIRECTORY / "csv" / f"{name}.csv").read_bytes().decode()
    return DATE.sub(lambda found: moved(found[0]), text).encode()


def listed(node, offer):
    """Waits until the node has it among the offers of the board."""
    until(lambda: any(row["id"] == offer for row in node.json("offer", "list")["offers"]))
