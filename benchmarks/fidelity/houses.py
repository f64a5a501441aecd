"""Make seeded houses, load each in the embedded player, and say whether every room of every one can be reached.

    python benchmarks/fidelity/houses.py --count 50 --rooms 1-6 --seed 0

Prints a line a house and a summary; exits with 1 when a house does not load, or has a room without a reachable pose.
"""

import argparse
import sys
import time
from collections import Counter
from statistics import median

from saom_bench.classes import label_set
from saom_player.arguments import ActionError
from saom_player.houses.build import load_house
from saom_player.physics.navigation import Navigation
from saom_scenes.houses.make.generator import generate_house
from saom_scenes.houses.plan import inside
from saom_scenes.houses.reading import read_house

GRID_M = 0.25


def main() -> int:
    """The exit code."""
    options = _options()
    low, _, high = options.rooms.partition("-")
    numbers = range(int(low), int(high or low) + 1)
    classes: Counter[str] = Counter()
    poorest, objects, seconds, failed = [], [], [], 0
    for index in range(options.first, options.first + options.count):
        rooms = numbers[index % len(numbers)]
        data = generate_house(rooms, options.seed, index, options.split)
        started = time.process_time()
        try:
            scene = load_house(data)
        except ActionError as error:
            print(f"{index:3} {rooms} rooms: {error}")
            failed += 1
            continue
        seconds.append(time.process_time() - started)
        places = Navigation(scene).reachable(GRID_M)
        reached = [sum(inside((x, z), room.outline) for x, _, z in places) for room in read_house(data).rooms]
        classes.update({thing.object_type for thing in scene.objects})
        poorest.append(min(reached))
        objects.append(len(scene.objects))
        failed += not min(reached)
        print(f"{index:3} {rooms} rooms, {len(scene.objects)} objects, poses by room {reached}", flush=True)
    wanted = label_set("saom-54").classes
    seen = sum(bool(classes[name]) for name in wanted)
    print(f"{len(poorest)} of {options.count} houses loaded, {failed} failed or with a room that cannot be reached")
    print(f"poses in the poorest room: least {min(poorest)}, median {median(poorest):g}")
    print(f"objects a house: {min(objects)} to {max(objects)}; CPU to load: median {median(seconds):.2f} s")
    print(f"classes seen: {seen} of {len(wanted)}; never: {', '.join(n for n in wanted if not classes[n])}")
    return int(failed > 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--first", type=int, default=0, help="number of the first house, to share the work")
    parser.add_argument("--rooms", default="1-6", help="a number, or a range")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", default="train", choices=("train", "val", "test"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
