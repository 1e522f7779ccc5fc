"""What `cmake --install` gives is what a user and an HR vendor need."""
import re
import subprocess
from pathlib import Path

import pytest

from support import deals
from support.library import build_program
from support.world import binaries, call

ROOT = Path(__file__).resolve().parents[2]
HEADER = ROOT / "include/collega/collega.h"
PROGRAM = r"""
#include <collega/collega.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  static unsigned char file[1 << 20];
  FILE *in = argc > 1 ? fopen(argv[1], "rb") : NULL;
  if (!in) return 2;
  size_t length = fread(file, 1, sizeof file, in);
  fclose(in);
  struct collega_judgement *judgement;
  if (collega_proof_judge(file, length, NULL, 0, &judgement) != 0) return 2;
  printf("%s %d %s %u\n", collega_version(), collega_judgement_verdict(judgement),
         collega_judgement_name(judgement, COLLEGA_SIDE_LENDER), collega_judgement_headcount(judgement));
  collega_judgement_destroy(&judgement);
  return 0;
}
"""


def test_an_installed_tree_works_from_anywhere(world_of, tmp_path):
    world = world_of(2)
    _, _, match = deals.matched(*world.nodes)
    deal = deals.conclude(world.nodes[1], world.nodes[0], match, "--headcount", "4")
    proof = tmp_path / "proof.collega"
    proof.write_bytes(deals.prove(world.nodes[0], deal))

    prefix = tmp_path / "prefix"
    call(["cmake", "--install", binaries(), "--prefix", prefix])
    for program in ("collega", "collega-broker"):
        assert "0." in call([prefix / "bin" / program, "--version"]).stdout
    assert call([prefix / "bin" / "collega", "verify", proof]).returncode == 0

    (tmp_path / "example.c").write_text(PROGRAM)
    environment = build_program(prefix, tmp_path / "example.c", tmp_path / "example")
    result = call([tmp_path / "example", proof], env=environment)
    assert result.stdout.split(" ", 2)[1] == "2" and world.nodes[0].name in result.stdout
    assert result.stdout.strip().endswith(" 4")


def test_only_public_names_leave_the_library():
    names = subprocess.run(["nm", "-D", "--defined-only", binaries() / "libcollega.so"], capture_output=True, text=True,
                           check=True).stdout.split("\n")
    exported = [line.split()[-1] for line in names if line.strip()]
    ours = [name for name in exported if not name.startswith(("__asan", "__ubsan", "__odr", "_init", "_fini"))]
    declared = re.findall(r"\b(collega_[a-z_]+)\(", re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.S))
    exports = (ROOT / "client/library/libcollega.map").read_text()
    sections = re.findall(r"^(COLLEGA_[0-9_]+) \{(.*?)\}", exports, flags=re.S | re.M)
    listed = {name: section for section, names in sections for name in re.findall(r"\b(collega_[a-z_]+);", names)}
    assert sorted(listed) == sorted(set(declared))
    assert sorted(ours) == sorted([section for section, _ in sections] + [f"{name}@@{listed[name]}" for name in listed])


@pytest.mark.skipif("asan" in str(binaries()) or "tsan" in str(binaries()), reason="the sanitizers bring their own")
def test_the_library_needs_no_zeromq_and_starts_no_thread():
    library = binaries() / "libcollega.so"
    needed = call(["readelf", "-d", library]).stdout
    assert "NEEDED" in needed and "libzmq" not in needed and "libmicrohttpd" not in needed
    wanted = [line.split()[-1].split("@")[0] for line in call(["nm", "-D", "--undefined-only", library]).stdout.split("\n")
              if line.strip()]
    assert "malloc" in wanted
    for name in ("pthread_create", "thrd_create", "setlocale", "signal", "sigaction", "signalfd", "exit", "_exit",
                 "stdout", "printf", "puts", "system", "fork"):
        assert name not in wanted, name


def test_the_header_stands_alone_in_c_and_cxx(tmp_path):
    for compiler, standard, suffix in (("cc", "c99", "c"), ("cc", "c11", "c"), ("c++", "c++11", "cc"),
                                       ("c++", "c++17", "cc")):
        source = tmp_path / f"alone.{suffix}"
        source.write_text("#include <collega/collega.h>\n"
                          "int main(void) { struct collega_failure failure = COLLEGA_FAILURE_INIT;\n"
                          "  struct collega_options options = COLLEGA_OPTIONS_INIT;\n"
                          "  struct collega_home home = COLLEGA_HOME_INIT;\n"
                          "  return failure.size == 0 || options.size == 0 || home.size == 0; }\n")
        call([compiler, f"-std={standard}", "-Wall", "-Wextra", "-Werror", "-pedantic", f"-I{HEADER.parents[1]}", "-c",
              source, "-o", tmp_path / "alone.o"])
