"""What `cmake --install` gives is what a user and an HR vendor need."""
import os
import subprocess

from support import deals
from support.world import binaries, call

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
    flags = call(["pkg-config", "--cflags", "--libs", "collega"],
                 env={"PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")}).stdout.split()
    sanitizers = ["-fsanitize=address,undefined"] if "asan" in str(binaries()) else []
    call(["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", *sanitizers, tmp_path / "example.c", "-o", tmp_path / "example",
          *flags])
    result = call([tmp_path / "example", proof], env={"LD_LIBRARY_PATH": str(prefix / "lib")})
    assert result.stdout.split(" ", 2)[1] == "2" and world.nodes[0].name in result.stdout
    assert result.stdout.strip().endswith(" 4")


def test_only_public_names_leave_the_library():
    names = subprocess.run(["nm", "-D", "--defined-only", binaries() / "libcollega.so"], capture_output=True, text=True,
                           check=True).stdout.split("\n")
    exported = [line.split()[-1] for line in names if line.strip()]
    ours = [name for name in exported if not name.startswith(("__asan", "__ubsan", "__odr", "_init", "_fini"))]
    assert ours and all(name.startswith("collega_") for name in ours), ours


def test_the_header_stands_alone_in_c_and_cxx(tmp_path):
    header = os.path.join(os.path.dirname(__file__), "..", "..", "include")
    for compiler, standard, suffix in (("cc", "c11", "c"), ("c++", "c++17", "cc")):
        source = tmp_path / f"alone.{suffix}"
        source.write_text("#include <collega/collega.h>\nint main(void) { return 0; }\n")
        call([compiler, f"-std={standard}", "-Wall", "-Wextra", "-Werror", "-pedantic", f"-I{header}", "-c", source,
              "-o", tmp_path / "alone.o"])
