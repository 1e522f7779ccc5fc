"""The arrows between rooms are those of arrows.txt, and third-party headers stay in their homes."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^">]+)[">]', re.M)


def read_arrows():
    arrows, homes = {}, {}
    for line in (ROOT / "tests/source/arrows.txt").read_text().splitlines():
        line = line.split("#")[0].strip()
        if line.startswith("header "):
            name, rooms = line[7:].split(":")
            homes[name.strip()] = rooms.split()
        elif "->" in line:
            room, behind = line.split("->")
            arrows[room.strip()] = set(behind.split())
    return arrows, homes


ARROWS, HOMES = read_arrows()


def room_of(path):
    """The longest room that is a prefix of the path's directory."""
    fitting = [room for room in ARROWS if path == room or path.startswith(room + "/")]
    return max(fitting, key=len, default=None)


def sources():
    for top in ("base", "proto", "client", "broker"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix in (".c", ".h"):
                yield path


def test_every_source_lives_in_a_room():
    homeless = [str(p.relative_to(ROOT)) for p in sources() if room_of(str(p.relative_to(ROOT).parent)) is None]
    assert not homeless


def test_arrows_run_one_way():
    wrong = []
    for path in sources():
        relative = path.relative_to(ROOT)
        room = room_of(str(relative.parent))
        for kind, included in INCLUDE.findall(path.read_text()):
            if kind == "<" or included.endswith(".def"):
                continue
            target = included if (ROOT / included.split("/")[0]).is_dir() and "/" in included else None
            if target is None or target.startswith("tests/"):
                near = (path.parent / included).resolve()
                assert near.is_relative_to(ROOT), (path, included)
                target = str(near.relative_to(ROOT))
            aim = room_of(str(Path(target).parent))
            if aim not in ARROWS.get(room, set()):
                wrong.append(f"{relative} includes {included}: {room} may not know {aim}")
    assert not wrong, "\n".join(wrong)


def test_broker_and_client_never_include_each_other():
    for path in sources():
        top = path.relative_to(ROOT).parts[0]
        other = {"client": "broker/", "broker": "client/"}.get(top)
        if other:
            assert not [name for _, name in INCLUDE.findall(path.read_text()) if name.startswith(other)], path


def test_third_party_headers_stay_home():
    wrong = []
    for path in sources():
        relative = path.relative_to(ROOT)
        room = room_of(str(relative.parent)) or ""
        for kind, included in INCLUDE.findall(path.read_text()):
            if kind == "<" and included in HOMES:
                if not any(room == home or room.startswith(home + "/") for home in HOMES[included]):
                    wrong.append(f"{relative} includes <{included}>; its homes are {HOMES[included]}")
    assert not wrong, "\n".join(wrong)


def test_no_file_is_two_things():
    """About 400 lines are comfortable, more than 800 are two things under one roof. Tables are data."""
    long = []
    for path in sources():
        lines = len(path.read_text().splitlines())
        if lines > 800 and not path.name.startswith("lists_"):
            long.append(f"{path.relative_to(ROOT)}: {lines}")
    assert not long, "\n".join(long)
