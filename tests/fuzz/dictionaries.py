#!/usr/bin/env python3
"""Dictionaries for the fuzz targets, from the schema's descriptors: dictionaries.py SCHEMA.set DIRECTORY.

wire.dict: the tags of the schema's fields, with lengths that occur. json.dict: names of members and of values.
words.dict: names of rules come from base/words; the rest is what people type. http.dict, csv.dict,
config.dict; esco.dict, places.dict, tables.dict, kept.dict: what the imports read, and what a home keeps of them."""
import re
import sys
from pathlib import Path

from google.protobuf import descriptor_pb2

ROOT = Path(__file__).resolve().parents[2]
HTTP = ["GET ", "HEAD ", "POST ", "/metrics", "/healthz", " HTTP/1.0", " HTTP/1.1", "\r\n", "\r\n\r\n", "Host: ", "Connection: close",
        "Connection: keep-alive", "Content-Length: ", "Transfer-Encoding: chunked", "Expect: 100-continue", "%2e%2e", "%00", "0\r\n\r\n"]
TYPED = ["2027-01-31T23:00:00Z", "T00:00:00.123+02:00", "2028-02-29", "12345678", "4811AB", "AM25", "mon-am", "nl_NL.UTF-8",
         "rates,persons", "%1", "%2", "%4", "111222333"]

ESCO = ["conceptType", "conceptUri", "iscoGroup", "preferredLabel", "altLabels", "occupationUri", "skillUri", "relationType", "broaderType",
        "broaderUri", "originalSkillUri", "relatedSkillUri", "broaderConceptPT", "Occupation,", "KnowledgeSkillCompetence,", "SkillGroup,",
        "ISCOGroup", "essential", "optional", "u:s/drive", "u:o/taxi", "u:g/all", "8322", "5120", '"', '""', "\n", "\r\n",
        "PK\x03\x04", "PK\x01\x02", "PK\x05\x06"]
PLACES = ["NL\t", "BE\t", "\t", "\n", "\r\n", "4811", "4811 AB", "9999", "1000", "50.5", "53.7", "3.2", "7.3", "51.58", "4.77", "gm_code", "am_code",
          "GM0758", "0758", "AM25", ","]
TABLES = ["closes", "what", "from", "length", "unit", "nl", "en", "credential", "skill", "occupation", "half-day", "day", "week", "month", "title",
          "titel", "999", "8322", '"', '""', ",", ";", "\n", "\r\n", "\xef\xbb\xbf"]
PLAN = ["id", "kind", "offer", "carved", "board", "rings", "supplies", "people", "people_offered", "people_asked", "employers", "value", "bound",
        "optimal", "pairs_cut", "hours", "hours_asked", "best_single", "score", "supply", "demand", "loans", "ring", "slots", "reasons", "gaps",
        "text", "party", "name", "title", "place"]


def quoted(data):
    return '"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02x}" for b in data) + '"'


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def wire_entries(messages):
    numbers = {(field.number, field.type in (9, 11, 12)) for message in messages for field in message.field}
    for number, has_length in sorted(numbers):
        tag = varint(number << 3 | (2 if has_length else 0))
        yield from [tag, *(tag + varint(length) for length in (0, 8, 16, 32, 64))] if has_length else [tag, tag + varint(2**64 - 1)]


def json_entries(schema, messages):
    for name in sorted({field.name for message in messages for field in message.field}):
        yield f'"{name}":'.encode()
    for enum in (enum for file in schema.file for enum in file.enum_type):
        prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", enum.name).upper() + "_"
        for value in enum.value:
            yield f'"{value.name.removeprefix(prefix).lower()}"'.encode()


def columns(messages):
    by_name = {message.name: message for message in messages}
    for field in by_name["Offer"].field:
        target = by_name.get(field.type_name.split(".")[-1])
        yield from [f"{field.name}.{inner.name}".encode() for inner in target.field] if target else [field.name.encode()]


def main():
    schema = descriptor_pb2.FileDescriptorSet.FromString(Path(sys.argv[1]).read_bytes())
    messages = [message for file in schema.file if file.package.startswith("collega") for message in file.message_type]
    rules = re.findall(r"WORDS\((\w+)", "".join(path.read_text() for path in sorted((ROOT / "base/words").glob("*.def"))))
    settings = re.findall(r'"(\w+)\.(\w+)"', "".join((ROOT / path).read_text() for path in (
        "broker/daemon/settings.h", "client/library/settings.c")))
    dictionaries = {
        "wire": wire_entries(messages),
        "json": json_entries(schema, messages),
        "csv": [*columns(messages), b"skills.must", b"skills.nice", b"credentials.must", b"languages.nice", b'""', b'","', b"\r\n",
                b"\xef\xbb\xbf"],
        "words": [text.encode() for text in rules + TYPED],
        "config": [f"[{section}]\n{name} = ".encode() for section, name in settings],
        "http": [text.encode() for text in HTTP],
        "esco": [text.encode("latin-1") for text in ESCO],
        "places": [text.encode() for text in PLACES],
        "tables": [text.encode("latin-1") for text in TABLES],
        "kept": [f'"{name}":'.encode() for name in PLAN] + [b"collega taxonomy", b"collega places 1", b"collega courses 1\n"],
    }
    for name, entries in dictionaries.items():
        lines = [quoted(entry) for entry in dict.fromkeys(entries)]
        assert lines, name
        (Path(sys.argv[2]) / f"{name}.dict").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
