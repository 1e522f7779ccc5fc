#!/usr/bin/python3
"""The rules that the schema's fields state about themselves, as C and as documentation.

Reads the descriptor set that protoc wrote (with imports and source info), checks that every field
has a rule that fits its type, and writes the form list (forms.h), the table that drives guard,
check and JSON (rules_table.c) and docs/fields.md. Any fault of the schema ends it with status 1,
and so fails the build.
"""
import argparse
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

FIELD = descriptor_pb2.FieldDescriptorProto
RULE_FILE = "rules.proto"
DEPTH_MOST = 8  # LIMIT_DEPTH of proto/limits.h
FIELDS_MOST = 64  # RULES_MOST_FIELDS of proto/rules_table.h
INT64_MAX = 2**63 - 1
TIME_MOST = 6311433600000 - 1  # the last millisecond of 2169

BYTES, TEXT, NUMBERS = "bytes", "text", "numbers"
TYPES = {
    BYTES: {FIELD.TYPE_BYTES: "BYTES"},
    TEXT: {FIELD.TYPE_STRING: "STRING"},
    NUMBERS: {
        FIELD.TYPE_INT32: "INT32",
        FIELD.TYPE_UINT32: "UINT32",
        FIELD.TYPE_INT64: "INT64",
        FIELD.TYPE_UINT64: "UINT64",
    },
    "time": {FIELD.TYPE_INT64: "INT64"},
    "date": {FIELD.TYPE_INT32: "INT32"},
    "enum": {FIELD.TYPE_ENUM: "ENUM"},
    "flag": {FIELD.TYPE_BOOL: "BOOL"},
    "message": {FIELD.TYPE_MESSAGE: "MESSAGE"},
}
# Form: what types it fits, and its size in bytes where the form itself fixes it.
FORMS = {
    "ID": (BYTES, 32, 32),
    "KEY": (BYTES, 32, 32),
    "SIGNATURE": (BYTES, 64, 64),
    "EPOCH": (BYTES, 8, 8),
    "SHORT_ID": (BYTES, 16, 16),
    "BLOB": (BYTES, None, None),
    "MESSAGE": ("message", None, None),
    "LINE": (TEXT, None, None),
    "TEXT": (TEXT, None, None),
    "CODE": (TEXT, None, None),
    "KVK": (TEXT, 8, 8),
    "ESTABLISHMENT": (TEXT, 12, 12),
    "ISCO": (TEXT, 4, 4),
    "URI": (TEXT, None, None),
    "LANGUAGE": (TEXT, 2, 2),
    "LEVEL": (TEXT, 2, 2),
    "POSTCODE": (TEXT, 2, 6),
    "COUNTRY": (TEXT, 2, 2),
    "REGION": (TEXT, 4, 4),
    "SECTOR": (TEXT, 1, 6),
    "SLOT": (TEXT, 6, 6),
    "CURRENCY": (TEXT, 3, 3),
    "EMAIL": (TEXT, None, None),
    "PHONE": (TEXT, None, None),
    "AUDIENCE": (TEXT, None, None),
    "NUMBER": (NUMBERS, None, None),
    "TIME": ("time", 0, TIME_MOST),
    "DATE": ("date", None, None),
    "CENTS": ("time", None, None),
    "ENUM": ("enum", None, None),
    "FLAG": ("flag", None, None),
    "VAT": (TEXT, None, None),
    "ADDRESS": (TEXT, None, None),
}
RANGES = {
    FIELD.TYPE_INT32: (-(2**31), 2**31 - 1),
    FIELD.TYPE_UINT32: (0, 2**32 - 1),
    FIELD.TYPE_INT64: (-(2**63), INT64_MAX),
    FIELD.TYPE_UINT64: (0, INT64_MAX),
}


class Fault(Exception):
    """Something that the schema's author must mend."""


def load(path):
    """The descriptor set, parsed by classes built from it, so that the option `rule` is known."""
    with open(path, "rb") as file:
        data = file.read()
    plain = descriptor_pb2.FileDescriptorSet.FromString(data)
    pool = descriptor_pool.DescriptorPool()
    for part in plain.file:
        pool.Add(part)
    factory = message_factory.MessageFactory(pool)
    factory.GetMessages([part.name for part in plain.file])  # registers the extension
    kind = factory.GetPrototype(pool.FindMessageTypeByName("google.protobuf.FileDescriptorSet"))
    return kind.FromString(data), pool.FindExtensionByName("collega.rule")


class Field:
    """One field with its rule, checked."""

    def __init__(self, message, descriptor, extension, form_names, enums, comment):
        self.name = descriptor.name
        self.where = f"{message}.{descriptor.name}"
        self.number = descriptor.number
        self.type = descriptor.type
        self.repeated = descriptor.label == FIELD.LABEL_REPEATED
        self.required = descriptor.label == FIELD.LABEL_REQUIRED
        self.target = descriptor.type_name.rsplit(".", 1)[-1]
        self.comment = comment
        if not descriptor.options.HasExtension(extension):
            raise Fault(f"{self.where}: no rule")
        rule = descriptor.options.Extensions[extension]
        self.form = form_names[rule.form].removeprefix("FORM_")
        self.min = rule.min if rule.HasField("min") else None
        self.max = rule.max if rule.HasField("max") else None
        self.at_least = rule.at_least
        self.at_most = rule.at_most
        self.settle(rule, enums)

    def settle(self, rule, enums):
        """Checks the rule against the type and fills in what the form says by itself."""
        kind, low, high = FORMS[self.form]
        if self.type not in TYPES[kind]:
            raise Fault(f"{self.where}: FORM_{self.form} does not fit the field's type")
        self.c_type = TYPES[kind][self.type]
        if self.repeated and not rule.HasField("at_most"):
            raise Fault(f"{self.where}: a repeated field needs at_most")
        if not self.repeated and (rule.HasField("at_most") or rule.HasField("at_least")):
            raise Fault(f"{self.where}: at_least and at_most are for repeated fields")
        if self.repeated and self.at_least > self.at_most:
            raise Fault(f"{self.where}: at_least is over at_most")
        if self.form in ("MESSAGE", "FLAG") and (self.min is not None or self.max is not None):
            raise Fault(f"{self.where}: min and max mean nothing here")
        if low is not None:
            if self.min is not None or self.max is not None:
                raise Fault(f"{self.where}: FORM_{self.form} fixes its own size")
            self.min, self.max = low, high
        if kind in (BYTES, TEXT):
            if self.min is None or self.max is None:
                raise Fault(f"{self.where}: FORM_{self.form} needs min and max")
            if self.min < 0:
                raise Fault(f"{self.where}: a size below zero")
        if self.type in RANGES:
            least, most = RANGES[self.type]
            if self.min is None:
                raise Fault(f"{self.where}: FORM_{self.form} needs min")
            if self.max is None:
                if most != INT64_MAX:
                    raise Fault(f"{self.where}: FORM_{self.form} needs max")
                self.max = INT64_MAX
            if self.min < least or self.max > most:
                raise Fault(f"{self.where}: the range does not fit the field's type")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise Fault(f"{self.where}: min is over max")
        if self.form == "ENUM":
            values = enums[self.target]
            if self.min is None:
                self.min = min(values)
            if self.max is None:
                self.max = max(values)


class Message:
    """One message: its fields, ascending by number."""

    def __init__(self, name, fields, comment):
        self.name = name
        self.fields = sorted(fields, key=lambda field: field.number)
        self.comment = comment
        if len(self.fields) > FIELDS_MOST:
            raise Fault(f"{name}: more than {FIELDS_MOST} fields")
        if self.fields and self.fields[-1].number > 255:
            raise Fault(f"{name}: field numbers go to 255")


def comments_of(file):
    """Path in the file's descriptor -> its comment, on one line."""
    found = {}
    for location in file.source_code_info.location:
        text = location.leading_comments or location.trailing_comments
        if text:
            found[tuple(location.path)] = " ".join(text.split())
    return found


def snake(name):
    """OfferKind -> OFFER_KIND."""
    return "".join("_" + c if c.isupper() and i else c for i, c in enumerate(name)).upper()


def read_schema(path):
    descriptors, extension = load(path)
    form_names, enums, messages = {}, {}, []
    for file in descriptors.file:
        if file.package != "collega":
            continue
        for enum in file.enum_type:
            if file.name == RULE_FILE and enum.name == "Form":
                form_names = {value.number: value.name for value in enum.value}
                continue
            enums[enum.name] = {value.number: value.name for value in enum.value}
            for value in enum.value:
                if not value.name.startswith(snake(enum.name) + "_"):
                    raise Fault(f"{enum.name}: {value.name} lacks the prefix {snake(enum.name)}_")
    unknown = {name.removeprefix("FORM_") for name in form_names.values()} ^ set(FORMS)
    if unknown:
        names = ", ".join(sorted(unknown))
        raise Fault(f"forms that rules.proto and rules.py do not share: {names}")
    for file in descriptors.file:
        if file.package != "collega" or file.name == RULE_FILE:
            continue
        comments = comments_of(file)
        for place, message in enumerate(file.message_type):
            inner = [message.nested_type, message.oneof_decl, message.enum_type]
            if any(inner) or message.extension_range:
                raise Fault(f"{message.name}: only plain messages, without nesting or oneof")
            fields = []
            for at, field in enumerate(message.field):
                comment = comments.get((4, place, 2, at), "")
                fields.append(Field(message.name, field, extension, form_names, enums, comment))
            comment = comments.get((4, place), "")
            messages.append((file.name, Message(message.name, fields, comment)))
    check_depth({message.name: message for _, message in messages})
    return form_names, enums, messages


def check_depth(messages):
    """No recursion, and no deeper than the guard goes."""
    depths = {}

    def depth(name, above):
        if name in above:
            raise Fault(f"{name}: recursive messages are not allowed")
        if name not in depths:
            inner = [f.target for f in messages[name].fields if f.form == "MESSAGE"]
            depths[name] = 1 + max((depth(target, above + [name]) for target in inner), default=0)
        return depths[name]

    for name in messages:
        if depth(name, []) > DEPTH_MOST:
            raise Fault(f"{name}: nested deeper than {DEPTH_MOST}")


def write_forms(path, form_names):
    lines = ["/* Generated from proto/rules.proto by proto/rules.py. */",
             "#ifndef COLLEGA_PROTO_FORMS_H", "#define COLLEGA_PROTO_FORMS_H", "enum form {"]
    lines += [f"  {name} = {number}," for number, name in sorted(form_names.items())]
    lines += ["};", "#endif"]
    write(path, lines)


def symbol(name):
    """The name of protobuf-c's variables: OfferRef -> collega__offer_ref."""
    return "collega__" + snake(name).lower()


def hash_name(seed, name):
    """FNV-1a over the short name; the same as in the generated C."""
    value = seed
    for byte in name.encode():
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value


def perfect_seed(names, slots):
    for seed in range(1, 1000000):
        if len({hash_name(seed, name) % slots for name in names}) == len(names):
            return seed
    raise Fault("no seed without a collision: enlarge the table of messages")


def literal(value):
    if value is None:
        return "0"
    if value == -(2**63):
        return "INT64_MIN"
    return f"INT64_C({value})"


def c_layout(message, field):
    """Where protobuf-c keeps it: the value (or the array), its presence or count (0: neither), the size of one value."""
    struct = f"Collega__{message.name}"
    counter = "n_" if field.repeated else "has_" if not field.required and field.c_type not in ("STRING", "MESSAGE") else None
    one = f"{'*' if field.repeated else ''}(({struct} *)0)->{field.name}"
    return (f"offsetof({struct}, {field.name}), "
            f"{f'offsetof({struct}, {counter}{field.name})' if counter else '0'}, sizeof({one})")


def c_field(message, field, places):
    label = "REPEATED" if field.repeated else "REQUIRED" if field.required else "OPTIONAL"
    parts = [
        f"{field.number}, {c_layout(message, field)}, \"{field.name}\", FORM_{field.form}",
        f"PROTOBUF_C_TYPE_{field.c_type}, PROTOBUF_C_LABEL_{label}",
        "true" if field.min is not None else "false",
        "true" if field.max is not None else "false",
        literal(field.min), literal(field.max), f"{field.at_least}, {field.at_most}",
    ]
    if field.form == "MESSAGE":
        parts.append(f"&{symbol(field.target)}__descriptor, NULL, &rules[{places[field.target]}]")
    elif field.form == "ENUM":
        parts.append(f"NULL, &{symbol(field.target)}__descriptor, NULL")
    else:
        parts.append("NULL, NULL, NULL")
    return "  {" + ", ".join(parts) + "},"


def free_text(messages):
    """Message's name -> bits of the fields in which people write what they like, at any depth."""
    found = {}

    def bits(message):
        if message.name not in found:
            found[message.name] = sum(
                1 << i for i, f in enumerate(message.fields)
                if f.form in ("LINE", "TEXT") or (f.form == "MESSAGE" and bits(messages[f.target])))
        return found[message.name]

    for message in messages.values():
        bits(message)
    return found


def write_table(path, messages):
    files = [name.removesuffix(".proto") for name in dict.fromkeys(name for name, _ in messages)]
    flat = [message for _, message in messages]
    places = {message.name: place for place, message in enumerate(flat)}
    lines = ["/* Generated from the schema by proto/rules.py. */", "#include <stddef.h>", "#include <string.h>",
             "#include \"proto/rules_table.h\""]
    lines += [f"#include \"proto/{name}.pb-c.h\"" for name in files]
    lines += ["", f"static const struct message_rules rules[{len(flat)}];", ""]
    for message in flat:
        lines.append(f"static const struct field_rule fields_{message.name}[] = {{")
        lines += [c_field(message, field, places) for field in message.fields]
        lines.append("};")
        numbers = [0] * (message.fields[-1].number + 1)
        for place, field in enumerate(message.fields):
            numbers[field.number] = place + 1
        listed = ", ".join(map(str, numbers))
        lines.append(f"static const uint8_t places_{message.name}[] = {{{listed}}};")
    texts = free_text({message.name: message for message in flat})
    lines += ["", f"static const struct message_rules rules[{len(flat)}] = {{"]
    for message in flat:
        required = sum(1 << i for i, f in enumerate(message.fields) if f.required or f.at_least)
        repeated = sum(1 << i for i, f in enumerate(message.fields) if f.repeated)
        lines.append(
            f"  {{&{symbol(message.name)}__descriptor, fields_{message.name}, "
            f"{len(message.fields)}, {message.fields[-1].number}, places_{message.name}, "
            f"UINT64_C({required:#x}), UINT64_C({repeated:#x}), "
            f"UINT64_C({texts[message.name]:#x})}},")
    slots = 1024
    names = [message.name for message in flat]
    seed = perfect_seed(names, slots)
    table = [0] * slots
    for place, name in enumerate(names):
        table[hash_name(seed, name) % slots] = place + 1
    lines += ["};", "",
              "/* Place + 1 by a hash of the name; the seed is chosen so that none collide. */",
              f"static const uint8_t slots[{slots}] = {{"]
    for start in range(0, slots, 32):
        lines.append("  " + ", ".join(map(str, table[start:start + 32])) + ",")
    lines += ["};", "",
              "const struct message_rules *rules_of(const ProtobufCMessageDescriptor *type) {",
              f"  uint32_t hash = {seed}u;",
              "  for (const char *at = type->short_name; *at; at++)",
              "    hash = (hash ^ (uint8_t)*at) * 16777619u;",
              f"  uint8_t place = slots[hash % {slots}];",
              "  return place && rules[place - 1].type == type ? &rules[place - 1] : NULL;",
              "}", "",
              "const struct message_rules *rules_at(size_t index) {",
              f"  return index < {len(flat)} ? &rules[index] : NULL;",
              "}"]
    write(path, lines)


def describe_range(field):
    if field.form in ("MESSAGE", "FLAG", "TIME", "ENUM"):
        return ""
    if field.form in ("NUMBER", "CENTS"):
        return f"{field.min} and more" if field.max == INT64_MAX else f"{field.min} to {field.max}"
    if field.form == "DATE":
        return "1970 to 2169"
    if field.min == field.max:
        return f"{field.min} bytes"
    return f"{field.min} to {field.max} bytes"


def describe_form(field, enums):
    if field.form == "MESSAGE":
        return f"[{field.target}](#{field.target.lower()})"
    text = field.form.lower().replace("_", " ")
    if field.form == "ENUM":
        names = [name.removeprefix(snake(field.target) + "_").lower()
                 for number, name in sorted(enums[field.target].items())
                 if field.min <= number <= field.max]
        return "`" + "` `".join(names) + "`"
    return text


def describe_count(field):
    if field.repeated:
        return f"{field.at_least} to {field.at_most}"
    return "1" if field.required else "0 or 1"


def write_document(path, messages, enums):
    lines = ["# Fields", "",
             "Every message of the schema with the rules of its fields, from `proto/*.proto`",
             "by `proto/rules.py` (`ninja fields_doc`); a test compares. Sizes: bytes of UTF-8.",
             "What may not be empty is not of blanks alone.",
             "In JSON, bytes are hexadecimal, times ISO 8601, dates `YYYY-MM-DD`, money in cents."]
    last = None
    for file, message in messages:
        if file != last:
            lines += ["", f"## {file}"]
            last = file
        lines += ["", f"### {message.name}"]
        if message.comment:
            lines += ["", message.comment]
        lines += ["", "| number | field | form | range | times | |", "|---|---|---|---|---|---|"]
        for field in message.fields:
            comment = field.comment.replace("|", "\\|")
            lines.append(f"| {field.number} | `{field.name}` | {describe_form(field, enums)} | "
                         f"{describe_range(field)} | {describe_count(field)} | {comment} |")
    write(path, lines)


def write(path, lines):
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", help="descriptor set, with imports and source info")
    parser.add_argument("--forms", required=True)
    parser.add_argument("--table", required=True)
    parser.add_argument("--document", required=True)
    options = parser.parse_args()
    try:
        form_names, enums, messages = read_schema(options.set)
        write_forms(options.forms, form_names)
        write_table(options.table, messages)
        write_document(options.document, messages, enums)
    except Fault as fault:
        print(f"rules.py: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
