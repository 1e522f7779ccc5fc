"""The system's texts reach people through system_reason(), which says the common ones in their language; only the log, which is
English, may have them as they are."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEXT = re.compile(r"\b(?:zmq_|mdb_)?strerror(?:_r)?\(")


def test_every_text_of_the_system_goes_through_system_reason():
    wrong, seen = [], 0
    for room in ("base", "proto", "client", "broker"):
        for path in (ROOT / room).rglob("*.c"):
            source = path.read_text()
            for found in TEXT.finditer(source):
                seen += 1
                statement = source[source.rfind(";", 0, found.start()) + 1:found.start()]
                if not re.search(r"\b(?:system_reason|log_\w+)\(|RULE_disk_corrupt", statement):
                    wrong.append(f"{path.relative_to(ROOT)}: {found[0]}")
    assert seen > 5 and not wrong, wrong
