"""How true the embedded player's scenes are to AI2-THOR's metadata, over all of iTHOR's 120 (or others).

    python benchmarks/fidelity/scenes.py [--scenes FloorPlan1,FloorPlan201] [--workers 2] [--out fidelity.jsonl]

One JSON line a scene goes to --out as soon as it is measured; a run that was broken off goes on there. Prints, for all
measured scenes: the share of the metadata's objects that are drawn, how far the faces of the drawn geometry's boxes lie
from those of the metadata's oriented boxes, which instances have faces in one plane (ids mix there), for each of the
55 classes in how many scenes it is, and is seen from places that the agent can walk to. What AI2-THOR's camera does not
show either is counted by its reason: what lies in a closed cabinet, drawer or fridge, what is behind the glass of a
shower (whose mask it is), basins, which have no mesh.
Exits with 1 when a target of the project is missed.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from saom_bench.classes import label_set
from saom_bench.console import console
from saom_player.fidelity import fidelity
from saom_player.physics.support import WITHIN_M
from saom_player.rooms.layouts import load_scene, scene_names

TYPES = label_set("saom-55").classes
LEAST_DRAWN = 0.97
MOST_MEDIAN_M = 0.02
HIDDEN = {
    "seen_opened": "seen with doors and drawers open alone",
    "behind_glass": "behind glass, whose mask it is in AI2-THOR",
    "without_mesh": "without a mesh, as in AI2-THOR",
}


def measure(name: str) -> dict[str, Any]:
    """One scene's line."""
    found = fidelity(load_scene(name), TYPES)
    return asdict(found) | {name: sorted(getattr(found, name)) for name in ("types", "seen", *HIDDEN)}


def rows(names: list[str], workers: int, out: Path) -> Iterator[dict[str, Any]]:
    """The lines of all scenes; those that ``out`` has already are not measured again."""
    known = {line["scene"]: line for line in map(json.loads, out.read_text().splitlines())} if out.exists() else {}
    yield from (known[name] for name in names if name in known)
    todo = [name for name in names if name not in known]
    with get_context("spawn").Pool(workers, maxtasksperchild=10) as pool, out.open("a") as file:
        for number, line in enumerate(pool.imap_unordered(measure, todo), 1):
            file.write(json.dumps(line) + "\n")
            file.flush()
            console.print(f"{number} of {len(todo)}: {line['scene']}", end="\r")
            yield line


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scenes", help="separated by commas; else all of iTHOR's")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("fidelity.jsonl"))
    arguments = parser.parse_args()
    names = arguments.scenes.split(",") if arguments.scenes else [n for n in scene_names() if "_" not in n]
    lines = sorted(rows(names, arguments.workers, arguments.out), key=lambda line: line["scene"])
    return int(not report(lines))


def report(lines: list[dict[str, Any]]) -> bool:
    """Print what was found; whether all targets are met."""
    objects, drawn = sum(line["objects"] for line in lines), sum(line["drawn"] for line in lines)
    worst = min(lines, key=lambda line: line["drawn"] / line["objects"])
    fits = [fit for line in lines for fit in line["fits"]]
    faces, centers = (np.array([fit[name] for fit in fits]) for name in ("farthest_face_m", "center_m"))
    have, seen = (Counter(t for line in lines for t in line[of]) for of in ("types", "seen"))
    hidden = {of: Counter(t for line in lines for t in line[of]) for of in HIDDEN}
    least_seen = {name: have[name] for name in TYPES if seen[name] + _known(hidden, name) < have[name]}
    for line in lines:
        line["missing"] = set(line["types"]).difference(line["seen"], *(line[of] for of in HIDDEN))
    console.print(f"{len(lines)} scenes, {objects} objects of the metadata, {drawn} drawn ({drawn / objects:.1%})")
    console.print(f"fewest drawn: {worst['scene']}, {worst['drawn']} of {worst['objects']}")
    for name, values in (("farthest face", faces), ("centre", centers)):
        median, p90 = np.percentile(values, (50, 90)) * 1000
        console.print(f"box to box, {name}: median {median:.1f} mm, 90 % under {p90:.0f} mm")
    table = Table("type", "objects", "median mm, farthest face", "90 % mm", title="types that fill their boxes least")
    kinds: dict[str, list[float]] = {}
    for fit in fits:
        kinds.setdefault(fit["object_type"], []).append(fit["farthest_face_m"] * 1000)
    for kind in sorted(kinds, key=lambda kind: -float(np.median(kinds[kind])))[:12]:
        median, p90 = np.percentile(kinds[kind], (50, 90))
        table.add_row(kind, str(len(kinds[kind])), f"{median:.0f}", f"{p90:.0f}")
    console.print(table)
    afloat = [(thing["gap_m"], line["scene"], thing["object_id"]) for line in lines for thing in line["afloat"]]
    console.print(f"with nothing under them within {WITHIN_M * 100:.0f} cm, or fixed to nothing: {len(afloat)} objects")
    for gap_m, name, object_id in sorted(afloat, reverse=True)[:3]:
        console.print(f"  {name} {object_id}: {gap_m * 100:.0f} cm")
    mixed = [
        (pair["area_m2"], line["scene"], pair["first"], pair["second"]) for line in lines for pair in line["coplanar"]
    ]
    console.print(f"pairs of instances with faces in one plane, where ids are mixed: {len(mixed)}")
    for area_m2, name, first, second in sorted(mixed, reverse=True)[:5]:
        console.print(f"  {name} {first}, {second}: {area_m2 * 1e4:.0f} cm2")
    console.print(f"a class in a scene: {have.total()} pairs, {seen.total()} seen as the scene is")
    for of, reason in HIDDEN.items():
        listed = ", ".join(f"{name} {hidden[of][name]}" for name in TYPES if hidden[of][name])
        console.print(f"  {hidden[of].total()} {reason}: {listed or 'nothing'}")
    console.print(f"  {have.total() - seen.total() - sum(c.total() for c in hidden.values())} not seen")
    console.print(f"classes seen wherever AI2-THOR shows them: {len(TYPES) - len(least_seen)} of {len(TYPES)}")
    for name, there in least_seen.items():
        where = ", ".join(line["scene"] for line in lines if name in line["missing"])
        console.print(
            f"  {name}: {there} scenes, seen in {seen[name]}, hidden in {_known(hidden, name)}; not in {where}"
        )
    return drawn / objects >= LEAST_DRAWN and float(np.median(faces)) < MOST_MEDIAN_M and not least_seen


def _known(hidden: dict[str, Counter[str]], name: str) -> int:
    """In how many scenes a class is hidden for a reason that AI2-THOR has too."""
    return sum(counts[name] for counts in hidden.values())


if __name__ == "__main__":
    sys.exit(main())
