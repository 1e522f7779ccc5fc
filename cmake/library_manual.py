#!/usr/bin/python3
"""The manual of libcollega, from its header: library_manual.py HEADER VERSION DIRECTORY

Writes DIRECTORY/collega.3, with all of the header, and for each function a page of one line that refers to it, so that
`man collega_open` finds it. The header is what it says: its first comment is the description; a comment that begins with
dashes opens a section; any other comment tells of the declarations below it, up to the next."""
import re
import sys
from pathlib import Path

FUNCTION = re.compile(r"^(?:const )?\w+(?: \w+)? \*?(collega_\w+)\(", re.M)
COMMENT = re.compile(r"/\*(.*?)\*/", re.S)
STANDING = re.compile(r"^/\*(.*?)\*/$", re.M | re.S)  # a comment with lines of its own, not one behind a declaration


def words(comment):
    """The lines of a comment without its stars."""
    return [re.sub(r"^\s*\*? ?", "", line).rstrip() for line in comment.strip().split("\n")]


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def prose(lines):
    """Paragraphs, and lists whose items begin with a dash."""
    out, item = [], False
    for line in lines:
        text = line.strip()
        if not text:
            out.append(".PP")
            item = False
        elif text.startswith("- "):
            out += [".IP \\(bu 3", escape(text[2:])]
            item = True
        else:
            if item and not line.startswith(" "):
                out.append(".PP")
                item = False
            out.append(escape(text))
    return out


def code(text):
    """Declarations as they stand, names of functions bold; what an initialiser consists of is nobody's business."""
    text = re.sub(r"^(#define \w+) +\\\n(?:.*\\\n)*.*$", r"\1", text, flags=re.M)
    bold = re.sub(r"\b(collega_\w+)(?=\()", "\0\\1\1", text.strip("\n"))
    return [".nf", escape(bold).replace("\0", "\\fB").replace("\1", "\\fR"), ".fi"]


def parts(header):
    """(section, comment or None, declarations) in the order of the header."""
    section, comment, at = "General", None, 0
    for found in [*STANDING.finditer(header), None]:
        declarations = header[at:found.start() if found else len(header)].strip()
        first, *others = declarations.split("\n\n") if declarations else [""]
        if first or comment:
            yield section, comment, first
        for other in others:
            yield section, None, other
        comment = None
        if not found:
            return
        lines, at = words(found[1]), found.end()
        if lines[0].startswith("---- "):
            text = " ".join(lines)[5:]
            title = re.match(r"[^:.;]+", text)[0].strip()
            rest = text[len(title):].lstrip(":.; ")
            section = title[0].upper() + title[1:]
            comment = [rest[0].upper() + rest[1:]] if rest else None
        else:
            comment = lines


def example(path):
    """The program of the header's directory, without the comment that opens it."""
    return COMMENT.sub("", path.read_text(), 1).strip("\n")


def page(header, version, program):
    opening = STANDING.match(header)
    caveats = words(opening[1])
    body = header[opening.end():].split('extern "C" {\n#endif', 1)[1].rsplit("#ifdef __cplusplus", 1)[0]
    out = [f'.TH COLLEGA 3 "" "collega {version}" "libcollega"', ".SH NAME",
           "collega \\- libcollega: a node of Collega from C",
           ".nh", ".ad l", ".SH SYNOPSIS", ".nf",
           "#include <collega/collega.h>", "", "cc program.c $(pkg\\-config \\-\\-cflags \\-\\-libs collega)", ".fi", ".SH DESCRIPTION",
           *prose(caveats[2:])]
    last = None
    for section, comment, declarations in parts(body):
        if section != last:
            out.append(f".SH {section.upper()}")
        elif declarations or comment:
            out.append(".PP")
        last = section
        if declarations:
            out += code(declarations)
        if comment:
            out += [".PP", *prose(comment)]
    out += [".SH EXAMPLE", *code(program), ".SH SEE ALSO", "\\fBcollega\\fR(1), \\fBcollega\\-broker\\fR(1)", ""]
    return "\n".join(out)


def main():
    source, version, directory = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    header = source.read_text()
    directory.mkdir(parents=True, exist_ok=True)
    program = source.parents[2] / "examples" / "events.c"
    (directory / "collega.3").write_text(page(header, version, example(program)))
    for name in FUNCTION.findall(COMMENT.sub("", header)):
        (directory / f"{name}.3").write_text(".so man3/collega.3\n")


if __name__ == "__main__":
    main()
