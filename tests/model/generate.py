#!/usr/bin/python3
"""Makes of transitions.txt the guards of the Spin models and the table of the C checker.

generate.py --promela FILE   for each row NAME of section OBJECT, over an index that the model chooses:
    CAN_object_name(x)   it stands in one of `from`, and every guard holds
    DO_object_name(x)    it goes to `to`
  The model defines AT_object(x), the variable that holds the state, and object_guard(x) for each guard that
  its rows use; a guard that is missing stops Spin.

generate.py --table FILE     arrays for tests/unit/deals/checker.c.
"""
import argparse
import pathlib
import sys

HERE = pathlib.Path(__file__).parent


class Row:
    def __init__(self, section, fields):
        self.section = section
        self.name, start, events, guards, to, self.words = fields
        self.start = start.split()
        self.events = events.split()
        self.guards = [] if guards == "-" else guards.split()
        self.to = to.split()


def read(path):
    """The rows, the states of each section in order of appearance, and the guards by name."""
    rows, states, guards, section = [], {}, {}, None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        if line.startswith("["):
            section = line[1:line.index("]")]
            states.setdefault(section, ["none"])
        elif section == "guards":
            name, words = line.split(None, 1)
            guards[name] = words
        else:
            fields = [field.strip() for field in line.split("|")]
            if len(fields) != 6:
                sys.exit(f"{path}:{number}: six fields are wanted, {len(fields)} found")
            row = Row(section, fields)
            rows.append(row)
            for state in row.start + row.to:
                if state not in states[section]:
                    states[section].append(state)
    for row in rows:
        for guard in row.guards:
            if guard.lstrip("!") not in guards:
                sys.exit(f"{path}: [{row.section}] {row.name}: no guard {guard}")
    names = [(row.section, row.name) for row in rows]
    for pair in names:
        if names.count(pair) > 1:
            sys.exit(f"{path}: {pair} stands twice")
    return rows, {k: v for k, v in states.items() if k != "guards"}, guards


def promela(rows, states):
    out = ["/* Made by generate.py from transitions.txt. */"]
    for section, names in states.items():
        for number, name in enumerate(names):
            out.append(f"#define {section.upper()}_{name.upper()} {number}")
    for row in rows:
        if len(row.to) != 1:
            continue  # a jump that only an answer makes; no model takes it in one step
        prefix = row.section.upper()
        start = " || ".join(f"AT_{row.section}(x)=={prefix}_{s.upper()}" for s in row.start)
        guards = "".join(
            f" && {'!' if g.startswith('!') else ''}{row.section}_{g.lstrip('!')}(x)" for g in row.guards)
        out.append(f"#define CAN_{row.section}_{row.name}(x) (({start}){guards})")
        out.append(f"#define DO_{row.section}_{row.name}(x) AT_{row.section}(x)={prefix}_{row.to[0].upper()}")
    return "\n".join(out) + "\n"


def table(rows, states, guards):
    out = ["/* Made by generate.py from transitions.txt. */", "#ifndef TRANSITIONS_TABLE_H", "#define TRANSITIONS_TABLE_H"]
    out.append("enum table_object { %s };" % ", ".join(f"OBJECT_{s.upper()}" for s in states))
    for section, names in states.items():
        out.append("enum %s_state { %s };" % (section, ", ".join(f"STATE_{section.upper()}_{n.upper()}" for n in names)))
    events = []
    for row in rows:
        events += [event for event in row.events if event not in events]
    out.append("enum table_event { %s };" % ", ".join(f"EVENT_{e}" for e in events))
    out.append("enum table_guard { %s, GUARDS };" % ", ".join(f"GUARD_{g.upper()}" for g in guards))
    out.append("struct transition {")
    out.append("  const char *name; enum table_object object; unsigned from, events, to; /* bits */")
    out.append("  unsigned char guards[8], denied[8]; size_t guard_count, denied_count;")
    out.append("};")
    out.append("static const struct transition transitions[] = {")

    def bits(prefix, names):
        return " | ".join(f"1u << {prefix}_{n.upper()}" for n in names)

    for row in rows:
        want = [f"GUARD_{g.upper()}" for g in row.guards if not g.startswith("!")]
        deny = [f"GUARD_{g[1:].upper()}" for g in row.guards if g.startswith("!")]
        prefix = "STATE_" + row.section.upper()
        out.append("  {\"%s %s\", OBJECT_%s, %s, %s, %s, {%s}, {%s}, %d, %d}," % (
            row.section, row.name, row.section.upper(), bits(prefix, row.start), bits("EVENT", row.events),
            bits(prefix, row.to), ", ".join(want) or "0", ", ".join(deny) or "0", len(want), len(deny)))
    out.append("};")
    out.append("#define TRANSITIONS (sizeof transitions / sizeof transitions[0])")
    out.append("#endif")
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--promela", type=pathlib.Path)
    parser.add_argument("--table", type=pathlib.Path)
    arguments = parser.parse_args()
    rows, states, guards = read(HERE / "transitions.txt")
    if arguments.promela:
        arguments.promela.write_text(promela(rows, states))
    if arguments.table:
        arguments.table.write_text(table(rows, states, guards))


if __name__ == "__main__":
    main()
