"""Writes docs/commands.md from what the programs say of themselves: `ninja commands_doc`.

Usage: commands_doc.py DIRECTORY OUT; DIRECTORY holds the programs."""
import re
import subprocess
import sys
from pathlib import Path

HEAD = """# Commands, options and settings

Of both programs, as their own help tells them. This page is made by `cmake/commands_doc.py` (`ninja commands_doc`); a test
compares. `COMMAND --help` says the same at the terminal, in Dutch or English, and `cmake --install` installs manual pages.
How they are used: the [README](../README.md), [operator.md](operator.md) and [csv.md](csv.md).
"""
ROW = re.compile(r"^  (\S.*?)(?:(?: {2,})(.*))?$")


def says(program, *arguments):
    return subprocess.run([program, *arguments, "--lang", "en"], capture_output=True, text=True, check=True).stdout


def rows(text):
    """The two columns of a section of help. A long first column has the second on the next line."""
    found = []
    for line in text.split("\n"):
        row = ROW.match(line)
        if row and not line.startswith("   "):
            found.append([row[1], row[2] or ""])
        elif found and line.strip():
            found[-1][1] = (found[-1][1] + " " + line.strip()).strip()
    return found


def section(text, title):
    parts = re.split(rf"^{title}:\n", text, maxsplit=1, flags=re.M)
    return rows(parts[1].split("\n\n")[0]) if len(parts) == 2 else []


def cell(text):
    return text.replace("|", "\\|")


def table(first, lines):
    return "\n".join([f"| {first} | |", "|---|---|", *(f"| `{cell(name)}` | {cell(meaning)} |" for name, meaning in lines)])


def program_page(program):
    name, overview = program.name, says(program, "help")
    out = [f"## {name}", overview.split("\n")[0][:1].upper() + overview.split("\n")[0][1:] + "."]
    out.append(table("option of every command", section(says(program, "run", "--help"), "Options of every command")))
    for usage, meaning in section(overview, "Commands"):
        path = re.match(r"[a-z]+(?: [a-z]+)*", usage)[0]
        out += [f"### {name} {path}", f"`{name} {usage}`: {meaning}."]
        options = section(says(program, *path.split(" "), "--help"), "Options")
        if options:
            out.append(table("option", options))
    settings = [line for line in rows(says(program, "help", "settings")) if "=" in line[0]]
    out += [f"### Settings of {name}", "In `settings.ini` in the home, a section for what stands before the point: "
            "`[log]`, then `level = info`.", table("setting, and what it is by itself", [[s.rstrip("= "), m] for s, m in settings])]
    return out


def page(directory):
    parts = [HEAD.strip()]
    for name in ("collega", "collega-broker"):
        parts += program_page(Path(directory).resolve() / name)
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(page(sys.argv[1]))
