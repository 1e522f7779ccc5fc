"""Matching and plans on large boards, and PostgreSQL asked the same where it is installed.

Occupations, skills and places are ESCO's and GeoNames's where COLLEGA_REFERENCE_DATA names a directory that holds them
(esco/: the files of ESCO as they are published; geo/: NL.txt of GeoNames, gemeenten*.csv), else those built in."""
import os
from pathlib import Path

from postgres import installed, measure_postgres, version
from servers import figures, run

LONG_SECONDS = 900


def reference_home(bench):
    """A home into which the reference data were imported; None: there are none."""
    data = os.environ.get("COLLEGA_REFERENCE_DATA")
    if not data:
        return None
    home = bench.place / "reference"
    run([bench.node, "init", "--home", home, "--name", "Meting BV", "--kvk", 99_999_998])
    esco, geo = Path(data, "esco"), Path(data, "geo")
    for command, files in ((["taxonomy", "import", "esco"], sorted(esco.iterdir())),
                           (["places", "import"], [geo / "NL.txt", *sorted(geo.glob("gemeenten*"))])):
        with open(bench.place / "import.log", "a") as log:
            run([bench.node, *command, *files, "--home", home], stderr=log)
    return home


def measure_boards(bench, number):
    """The largest board, and PostgreSQL, in the first round only: their many questions are rounds enough."""
    found, sizes = {}, bench.amounts["boards"]
    programs = installed()
    for size in sizes if number == 0 else sizes[:-1]:
        with bench.scratch() as place:
            place = Path(place)
            compared = programs and number == 0
            found[f"match_{size}"] = part = figures(
                [bench.programs["match"], *imported(bench), *(["--write", place] if compared else []), size,
                 bench.amounts["questions"]], timeout=LONG_SECONDS)
            if compared:
                answers, notes = measure_postgres(programs, place, bench.amounts["asked"])
                found[f"postgres_{size}"] = {**answers, "engine_p50_us": part["best20_wall_p50_us"],
                                             "engine_p99_us": part["best20_wall_p99_us"],
                                             "engine_cpu_us": part["best20_mean_us"]}
                bench.notes += [f"PostgreSQL {version(programs)} among {size:,} offers:", *notes]
    if not programs:
        bench.notes = ["PostgreSQL is not installed: nothing was compared with it."]
    return found


def measure_plans(bench, number):
    amounts = bench.amounts
    if number > 0:
        return {}
    return {"plan": figures([bench.programs["plan"], *imported(bench), "--seconds", amounts["plan_seconds"],
                             amounts["lenders"], amounts["plan_board"]], timeout=LONG_SECONDS)}


def imported(bench):
    return ["--home", bench.reference] if bench.reference else []
