"""Power cuts. A world runs with every change and sync of its files recorded (tests/fault/recorder); of the record the files
are built as one machine would find them after its power was cut at any point: what was synced is there, of all else an
arbitrary part, torn at sectors. The other machines just stop there, as with SIGKILL.

What is assumed of the file system: names (creating, renaming, removing) go through an ordered journal, and a sync of any
file brings the journal so far to disk, as ext4 and XFS do. Nothing is assumed about the order of writes."""
import bisect
import os
import struct
import typing
from pathlib import Path

from support.world import Broker, Node, binaries, call

HEAD = struct.Struct("<cBHQI")
SECTOR = 512
SYNCS_ITSELF = 1


def environment(root, log):
    """For every process that is to be recorded. A sync of the root itself is not: it belongs to no machine."""
    return {"LD_PRELOAD": str(binaries() / "libcollega_record.so"), "COLLEGA_RECORD_ROOT": str(root),
            "COLLEGA_RECORD_LOG": str(log)}


def machine_of(path):
    """Whose disk a path below the root is on: that of the home it begins with. Copies and files that belong to a home stand
    beside it as NAME.what."""
    return path.split("/", 1)[0].split(".", 1)[0]


def stretches(log):
    """(where it ends in the log, entry) of each entry, in order. The programs' logs are no machine's files."""
    data, at = Path(log).read_bytes(), 0
    while at + HEAD.size <= len(data):
        kind, flags, path_length, offset, length = HEAD.unpack_from(data, at)
        at += HEAD.size
        path = data[at:at + path_length].decode()
        if "/" in path or not path.endswith(".log"):
            entry = kind.decode(), flags, path, offset, data[at + path_length:at + path_length + length]
            yield at + path_length + length, entry
        at += path_length + length


def entries(log):
    """(kind, flags, path, offset, data) of each, in order."""
    return (entry for _, entry in stretches(log))


class Said(typing.NamedTuple):
    """A command that succeeded: how many entries were done when it began, and when it had said so; what it was told, and said."""

    began: int
    done: int
    arguments: tuple
    output: str


class Noting:
    """A program that notes how long the record was when a command began, and when it had said that it did what it was told."""

    record, noted = None, ()

    def __call__(self, *arguments, **options):
        began = self.record.stat().st_size if self.record else 0
        result = super().__call__(*arguments, **options)
        if result.returncode == 0 and self.record is not None:
            self.noted = (*self.noted, (began, self.record.stat().st_size, arguments, result.stdout))
        return result


class NotingBroker(Noting, Broker):
    pass


class NotingNode(Noting, Node):
    pass


def recording(daemon, root, log):
    """From now on what its commands do is in the record, and what it does itself after its next start."""
    daemon.record = log
    daemon.env.update(environment(root, log))


def rename(daemon, old, new):
    """By hand, on the machine of this daemon, in the record."""
    call(["/usr/bin/python3", "-c", "import os, sys; os.rename(*sys.argv[1:])", old, new], env=daemon.env)


def said(daemon, log):
    """Each command of it that succeeded."""
    ends = [end for end, _ in stretches(log)]
    return [Said(bisect.bisect_right(ends, began), bisect.bisect_right(ends, ended), arguments, output)
            for began, ended, arguments, output in daemon.noted]


class File:
    """What is certainly on disk, and what was done since."""

    def __init__(self):
        self.durable, self.pending = bytearray(), []

    @staticmethod
    def apply(content, change):
        offset, data = change
        if data is None:  # cut, or lengthened
            del content[offset:]
        if len(content) < offset:
            content.extend(bytes(offset - len(content)))
        if data is not None:
            content[offset:offset + len(data)] = data

    def sync(self):
        for change in self.pending:
            self.apply(self.durable, change)
        self.pending = []

    def whole(self):
        content = bytearray(self.durable)
        for change in self.pending:
            self.apply(content, change)
        return content

    def torn(self, random):
        """Durable, and of each unsynced change any sectors: none, all, or some."""
        content = bytearray(self.durable)
        keep = random.choice([0.0, 1.0, random.random(), random.random()])
        for offset, data in self.pending:
            if data is None:
                if random.random() < keep:
                    self.apply(content, (offset, None))
                continue
            at = 0
            while at < len(data):
                size = SECTOR - (offset + at) % SECTOR
                if random.random() < keep:
                    self.apply(content, (offset + at, data[at:at + size]))
                at += size
        return content


class Machine:
    """The files below one directory of the root."""

    def __init__(self):
        self.names, self.sure, self.journal = {}, {}, []  # names now, names on disk, changes of names since

    @staticmethod
    def rename(names, change):
        kind, path, value = change
        if kind in "CM":
            names[path] = value
        elif kind == "U":
            names.pop(path, None)
        elif kind == "R" and path in names:
            for name in [n for n in names if n == path or n.startswith(path + "/")]:
                names[value + name[len(path):]] = names.pop(name)

    def take(self, kind, flags, path, offset, data):
        if kind in "CMUR":
            value = {"C": File, "M": lambda: None, "U": lambda: None, "R": lambda: data.decode()}[kind]()
            self.journal.append((kind, path, value))
            self.rename(self.names, self.journal[-1])
            return
        file = self.names.get(path)
        if kind == "S":
            if file is not None:
                file.sync()
            for change in self.journal:
                self.rename(self.sure, change)
            self.journal = []
            return
        if file is None:  # written by somebody who was not recorded: it stands as it is
            file = self.names[path] = self.sure[path] = File()
        change = (offset, data if kind == "W" else None)
        file.pending.append(change)
        if flags & SYNCS_ITSELF:
            file.pending.pop()
            for earlier in file.pending:  # O_DSYNC says nothing about what others wrote
                if earlier[1] is None or earlier[0] + len(earlier[1]) > offset and earlier[0] < offset + len(data):
                    file.sync()
                    break
            File.apply(file.durable, change)

    def after_power_cut(self, random):
        names = dict(self.sure)
        for change in self.journal[:random.randint(0, len(self.journal))]:
            self.rename(names, change)
        return {path: None if file is None else file.torn(random) for path, file in names.items()}

    def as_it_is(self):
        return {path: None if file is None else file.whole() for path, file in self.names.items()}


def write(root, files):
    for path, content in sorted(files.items()):
        target = Path(root) / path
        if content is None:
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            os.chmod(target, 0o600)


def cut(log, points, random, victim_of):
    """For each point (number of entries that were done), in order: (point, name of the machine that lost its power,
    {machine: its files}). The entry behind the point was under way. victim_of(point, machines) chooses."""
    machines, points, done = {}, sorted(points), 0
    for entry in entries(log):
        name = machine_of(entry[2])
        while points and points[0] == done:
            victim, under_way = victim_of(done, sorted(machines)), None
            if entry[0] == "W" and name == victim:
                under_way = machines[name].names.get(entry[2])
                if under_way is not None:
                    under_way.pending.append((entry[3], entry[4]))
            yield points.pop(0), victim, {
                machine: files.after_power_cut(random) if machine == victim else files.as_it_is()
                for machine, files in machines.items()}
            if under_way is not None:
                under_way.pending.pop()
        machines.setdefault(name, Machine()).take(*entry)
        done += 1
