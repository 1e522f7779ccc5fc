"""Rows of other people's offers hold no body: who needs it reads them by client/ledger/offers.c, which fetches it from the
chain. Who unpacks a row by itself is listed here, and does not look at the body."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BY_THEMSELVES = {"client/ledger/offers.c", "client/exchange/apply_offers.c", "client/exchange/apply_restored.c",
                 "client/exchange/apply_lost.c"}


def test_rows_of_offers_are_read_with_their_body():
    found = {str(file.relative_to(ROOT)) for file in (ROOT / "client").rglob("*.c")
             if re.search(r"\bcollega_store__offer_row__descriptor\b", file.read_text())}
    assert "client/ledger/offers.c" in found
    assert found <= BY_THEMSELVES, f"read by ledger_offer or ledger_offer_read: {sorted(found - BY_THEMSELVES)}"
