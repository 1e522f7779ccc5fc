#!/usr/bin/python3
"""A schema with a fault must not build: each fault is written down and rules.py must name it."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROTO = pathlib.Path(sys.argv.pop(1)).resolve()
HEAD = 'syntax = "proto2";\npackage collega;\nimport "rules.proto";\n'


def run(text):
    """What rules.py says about a schema of this one file: (status, words)."""
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        (place / "one.proto").write_text(HEAD + text, encoding="utf-8")
        subprocess.run(
            ["protoc", "-I", place, "-I", PROTO, "-I", "/usr/include", "--include_imports",
             "--include_source_info", f"--descriptor_set_out={place}/set", place / "one.proto"],
            check=True)
        done = subprocess.run(
            ["/usr/bin/python3", PROTO / "rules.py", place / "set", "--forms", place / "forms.h",
             "--table", place / "table.c", "--document", place / "fields.md"],
            capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return 0, (place / "table.c").read_text(encoding="utf-8")
        return done.returncode, done.stderr


def field(options, kind="optional uint32"):
    return f"message One {{ {kind} x = 1 {options}; }}"


class Faults(unittest.TestCase):
    def refused(self, text, words):
        status, said = run(text)
        self.assertEqual(status, 1, said)
        self.assertIn(words, said)

    def test_a_right_schema_gives_a_table(self):
        status, table = run(field("[(rule) = {form: FORM_NUMBER, min: 1, max: 5}]"))
        self.assertEqual(status, 0)
        self.assertIn('offsetof(Collega__One, has_x), sizeof(((Collega__One *)0)->x), "x", FORM_NUMBER', table)

    def test_a_field_without_a_rule(self):
        self.refused(field(""), "One.x: no rule")

    def test_a_repeated_field_without_at_most(self):
        self.refused(field("[(rule) = {form: FORM_NUMBER, min: 1, max: 5}]", "repeated uint32"),
                     "needs at_most")

    def test_counts_on_a_singular_field(self):
        self.refused(field("[(rule) = {form: FORM_NUMBER, min: 1, max: 5, at_most: 2}]"),
                     "for repeated fields")

    def test_forms_that_do_not_fit_the_type(self):
        for kind, form in [("uint32", "FORM_LINE, min: 1, max: 2"), ("string", "FORM_ID"),
                           ("bytes", "FORM_KVK"), ("int64", "FORM_DATE, min: 0, max: 9"),
                           ("uint64", "FORM_TIME"), ("bool", "FORM_ENUM"), ("int32", "FORM_FLAG"),
                           ("double", "FORM_NUMBER, min: 0, max: 1"),
                           ("sint32", "FORM_NUMBER, min: 0, max: 1"), ("string", "FORM_MESSAGE")]:
            with self.subTest(kind=kind, form=form):
                self.refused(field(f"[(rule) = {{form: {form}}}]", f"optional {kind}"),
                             "does not fit")

    def test_sizes_and_ranges_that_are_missing(self):
        self.refused(field("[(rule) = {form: FORM_LINE, min: 1}]", "optional string"),
                     "needs min and max")
        self.refused(field("[(rule) = {form: FORM_NUMBER, min: 1}]"), "needs max")
        self.refused(field("[(rule) = {form: FORM_NUMBER, max: 1}]"), "needs min")
        self.assertEqual(run(field("[(rule) = {form: FORM_NUMBER, min: 1}]", "optional uint64"))[0],
                         0)

    def test_sizes_and_ranges_that_make_no_sense(self):
        self.refused(field("[(rule) = {form: FORM_NUMBER, min: 5, max: 1}]"), "min is over max")
        self.refused(field("[(rule) = {form: FORM_NUMBER, min: -1, max: 1}]"),
                     "does not fit the field's type")
        self.refused(field("[(rule) = {form: FORM_ID, max: 64}]", "optional bytes"),
                     "fixes its own size")

    def test_recursion(self):
        self.refused("message One { optional One x = 1 [(rule) = {form: FORM_MESSAGE}]; }",
                     "recursive")

    def test_depth(self):
        rule = "[(rule) = {form: FORM_MESSAGE}]"
        chain = "".join(f"message M{i} {{ optional M{i + 1} x = 1 {rule}; }}\n" for i in range(8))
        last = "message M8 { optional bool x = 1 [(rule) = {form: FORM_FLAG}]; }"
        self.refused(chain + last, "nested deeper than 8")
        self.assertEqual(run(chain.split("\n", 1)[1] + last)[0], 0)

    def test_an_enum_value_without_its_prefix(self):
        one = field("[(rule) = {form: FORM_FLAG}]", "optional bool")
        self.refused("enum Kind { LOAN = 1; }\n" + one,
                     "lacks the prefix KIND_")

    def test_a_oneof(self):
        self.refused("message One { oneof y { bool x = 1 [(rule) = {form: FORM_FLAG}]; } }",
                     "only plain messages")


if __name__ == "__main__":
    unittest.main()
