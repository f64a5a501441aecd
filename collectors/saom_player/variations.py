"""A scene with other materials and other lights, by seed, and with its own again; where things are stays."""

import colorsys
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from saom_player.physics.openness import Changeable
from saom_player.scene import Lamp, Scene, SceneObject, Shape, Structure, Sun
from saom_player.shapes.mesh import Material, Part, Rgb
from saom_player.surfaces.looks import LOOKS, any_color, kind_of, look

_Light = TypeVar("_Light", Lamp, Sun)
Repaint = Callable[[Material], Material]
"""From a material as it was made to another."""


@dataclass(frozen=True)
class MaterialRules:
    """Which looks RandomizeMaterials may use."""

    splits: tuple[str, ...]
    """Of looks.LOOKS."""
    rooms: tuple[str, ...]
    """Of looks.ROOM_TYPES."""

    def looks(self) -> list[tuple[str, str, int]]:
        """Room type, split and number of each."""
        return [(room, split, k) for room in self.rooms for split in self.splits for k in range(LOOKS[split])]


@dataclass(frozen=True)
class LightRules:
    """What RandomizeLighting may do; AI2-THOR's defaults."""

    brightness: tuple[float, float] = (0.5, 1.5)
    hue: tuple[float, float] = (0.0, 1.0)
    saturation: tuple[float, float] = (0.5, 1.0)
    with_color: bool = True
    synchronized: bool = False


@dataclass(frozen=True)
class _Painted:
    """``Changeable.make``, or a plain shape, of an object that was painted."""

    make: Callable[..., tuple[Part, ...]]
    repaint: Repaint

    def __call__(self, *state: float) -> tuple[Part, ...]:
        return tuple(_painted(part, self.repaint) for part in self.make(*state))


def with_materials(scene: Scene, seed: int, rules: MaterialRules) -> tuple[Scene, int]:
    """The scene in other materials of the same kinds, and among how many looks there was choice.

    A material that several things of one type share stays shared: chairs of a set stay a set.
    """
    choices = rules.looks()
    kinds: set[str] = set()

    def repaint_for(owner: str) -> Repaint:
        def repaint(material: Material) -> Material:
            kind = kind_of(material, owner)
            if not kind:
                return material
            kinds.add(kind)
            rng = np.random.default_rng([seed, _digest(f"{owner} {material!r}")])
            return look(material, kind, *choices[int(rng.integers(len(choices)))])

        return repaint

    changed = _repainted(scene, repaint_for)
    return changed, len(kinds) * len(choices)


def with_colors(scene: Scene, seed: int) -> Scene:
    """The scene with every surface in any colour, but for glass, mirrors and what shines."""

    def repaint_for(owner: str) -> Repaint:
        def repaint(material: Material) -> Material:
            if not kind_of(material, "") or material.emission > 0:
                return material
            return any_color(material, np.random.default_rng([seed, _digest(f"{owner} {material!r}")]))

        return repaint

    return _repainted(scene, repaint_for)


def with_own_materials(scene: Scene) -> Scene:
    """The scene as it was painted when it was made."""
    return _repainted(scene, lambda owner: lambda material: material)


def with_lighting(scene: Scene, seed: int, rules: LightRules) -> Scene:
    """The scene with its lamps and its sun brighter or darker, and of other colours."""
    rng = np.random.default_rng(seed)
    low, high = sorted(rules.brightness)
    drawn: list[tuple[float, Rgb | None]] = []

    def draw() -> tuple[float, Rgb | None]:
        if not (rules.synchronized and drawn):
            hue, saturation = (float(rng.uniform(min(r), max(r))) for r in (rules.hue, rules.saturation))
            color = colorsys.hsv_to_rgb(hue, saturation, 1.0)
            drawn.append((float(rng.uniform(low, high)), color if rules.with_color else None))
        return drawn[-1]

    return replace(
        scene,
        lamps=tuple(_relit(lamp, *draw()) for lamp in scene.lamps),
        sun=None if scene.sun is None else _relit(scene.sun, *draw()),
    )


def with_own_lighting(scene: Scene) -> Scene:
    """The scene as it was lit when it was made."""
    sun = scene.sun
    return replace(
        scene,
        lamps=tuple(replace(lamp, color=lamp.original or lamp.color, original=None) for lamp in scene.lamps),
        sun=None if sun is None else replace(sun, color=sun.original or sun.color, original=None),
    )


def fresh_seed(scene: Scene) -> int:
    """A seed for who gives none: from how the scene looks now, so that the next call in a row is another one."""
    materials = (part.mesh.material for instance in scene.instances() for part in instance.parts)
    return _digest(repr((list(materials), scene.lamps, scene.sun)))


def _relit(light: _Light, factor: float, color: Rgb | None) -> _Light:
    own = light.original or light.color
    strength = max(own)
    red, green, blue = own if color is None else (strength * c for c in color)
    return replace(light, color=(red * factor, green * factor, blue * factor), original=own)


def _repainted(scene: Scene, repaint_for: Callable[[str], Repaint]) -> Scene:
    """The scene with every material as it was made given to the ``repaint`` of its owner's type."""
    return replace(
        scene,
        objects=tuple(_thing(thing, repaint_for(thing.object_type)) for thing in scene.objects),
        structures=tuple(
            _structure(s, repaint_for(s.object_type or s.name.partition("|")[0])) for s in scene.structures
        ),
    )


def _thing(thing: SceneObject, repaint: Repaint) -> SceneObject:
    return replace(thing, parts=_parts(thing.parts, repaint), shape=_shape(thing.shape, repaint))


def _structure(structure: Structure, repaint: Repaint) -> Structure:
    return replace(structure, parts=_parts(structure.parts, repaint))


def _parts(parts: Sequence[Part], repaint: Repaint) -> tuple[Part, ...]:
    return tuple(_painted(part, repaint) for part in parts)


def _painted(part: Part, repaint: Repaint) -> Part:
    own = part.mesh.material.original or part.mesh.material
    return Part(part.name, replace(part.mesh, material=repaint(own)))


def _shape(shape: Shape | None, repaint: Repaint) -> Shape | None:
    if shape is None:
        return None
    if isinstance(shape, Changeable):
        return replace(shape, make=_Painted(_unpainted(shape.make), repaint))
    return _Painted(_unpainted(shape), repaint)


def _unpainted(make: Callable[..., tuple[Part, ...]]) -> Callable[..., tuple[Part, ...]]:
    return make.make if isinstance(make, _Painted) else make


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "little")
