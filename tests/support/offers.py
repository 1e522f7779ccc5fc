"""Offers of tests/data/offers, moved in time so that they can be published today."""
import datetime
import json
from pathlib import Path

DIRECTORY = Path(__file__).resolve().parents[1] / "data" / "offers"
WRITTEN_FOR = datetime.date(2026, 12, 1)
DATES = ("from", "until")


def names():
    return sorted(path.stem for path in DIRECTORY.glob("*.json"))


def load(name, today=None):
    """The offer `name` with its period moved by whole weeks, as far as today lies past the date it was written for."""
    offer = json.loads((DIRECTORY / f"{name}.json").read_text())
    weeks = max(0, -(-((today or datetime.date.today()) - WRITTEN_FOR).days // 7))
    for key in DATES:
        if key in offer["period"]:
            moved = datetime.date.fromisoformat(offer["period"][key]) + datetime.timedelta(weeks=weeks)
            offer["period"][key] = moved.isoformat()
    return offer
