"""Colours of hits: full shading for a picture's pixels, plain shading for reflections and stray edge rays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saom_player.render.lighting import SunLight, toward_lamp
from saom_player.render.surface import MaterialTable, Place, Surfaces, dot
from saom_player.render.tracing import Floats, Hits
from saom_player.scene import Lamp

MIRROR_REFLECT = 0.3
"""Materials that reflect more are mirrors, traced for each pixel; weaker reflections are blurred and faint."""
_HIGHLIGHT_SPECULAR = 0.05
_GLOW = 2.2


@dataclass(frozen=True)
class PixelLight:
    """Light measured for n pixels: ``lamps`` are (lamp, visibility (n,)); ``reflection`` (3, n) is linear colour."""

    contact: Floats
    lamps: tuple[tuple[Lamp, Floats], ...]
    sun: Floats | None
    reflection: Floats | None


def shade(
    surfaces: Surfaces,
    place: Place,
    direction: Floats,
    hits: Hits,
    light: PixelLight,
    sun: SunLight | None,
    pixel: float,
) -> Floats:
    """(3, n) linear colours of hits seen along ``direction`` (3, n); ``pixel`` is the radians that one spans."""
    table = surfaces.materials
    material = surfaces.material.take(np.maximum(hits.triangle, 0))
    albedo = surfaces.albedo(hits, hits.t, place.cosine, pixel)
    energy = surfaces.stored_light(hits, place.front) * light.contact
    shiny = np.nonzero(table.specular.take(material) > _HIGHLIGHT_SPECULAR)[0]
    mirrored = _mirrored(direction, place.normal, place.cosine)
    gloss = table.gloss.take(material.take(shiny))
    highlights = np.zeros(len(shiny), np.float32)
    for lamp, visibility in light.lamps:
        if not visibility.any():
            continue
        ray = toward_lamp(lamp, place)
        gain = ray.cosine * ray.strength * visibility
        for k in range(3):
            energy[k] += gain * np.float32(lamp.color[k])
        aligned = np.maximum(dot(ray.direction, mirrored).take(shiny), 0)
        highlights += aligned**gloss * visibility.take(shiny)
    if sun is not None and light.sun is not None and light.sun.any():
        gain = np.maximum(dot(place.normal, sun.direction), 0) * light.sun
        for k in range(3):
            energy[k] += gain * sun.color[k]
    highlight = np.zeros(len(material), np.float32)
    highlight[shiny] = highlights
    emission = table.emission.take(material) * (surfaces.glow * np.float32(_GLOW))
    return _composed(table, material, albedo, energy, emission, highlight, place.cosine, light.reflection)


def _composed(
    table: MaterialTable,
    material: NDArray[np.intp],
    albedo: Floats,
    energy: Floats,
    emission: Floats,
    highlight: Floats,
    cosine: Floats,
    reflection: Floats | None,
) -> Floats:
    specular, reflect = table.specular.take(material), table.reflect.take(material)
    grazing = _fifth_power(1 - np.minimum(cosine, np.float32(1)))
    fresnel = specular + (1 - specular) * grazing * np.minimum(specular * 3, np.float32(0.5))
    color: Floats = albedo * (energy * (1 - reflect) + emission) + highlight * fresnel
    if reflection is not None:
        # Stronger at a grazing view, but never a mirror lake; metal and mirrors tint what they show.
        share = reflect * (1 + np.float32(1.5) * grazing)
        shown = reflection * share
        mirrors = np.nonzero(reflect >= MIRROR_REFLECT)[0]
        shown[:, mirrors] *= albedo.take(mirrors, axis=1)
        color += shown
    shines = table.emission.take(material) >= 1
    if shines.any():
        color[:, shines] = albedo[:, shines] * emission[shines]
    return color


def _fifth_power(values: Floats) -> Floats:
    squared = values * values
    return np.asarray(squared * squared * values)


def _mirrored(direction: Floats, normal: Floats, cosine: Floats) -> Floats:
    length = np.sqrt(dot(direction, direction))
    return np.asarray(direction / length + 2 * cosine * normal, np.float32)


def mirror_rays(direction: Floats, place: Place) -> Floats:
    """(3, n) unit directions of reflected rays."""
    ray = _mirrored(direction, place.normal, place.cosine)
    return np.asarray(ray / np.sqrt(np.maximum(dot(ray, ray), np.float32(1e-12))), np.float32)


def shade_plainly(
    surfaces: Surfaces, origin: Floats, direction: Floats, hits: Hits, lamps: tuple[Lamp, ...], pixel: float
) -> Floats:
    """(3, n) linear colours without shadows, highlights or further reflections; the sky where nothing is hit."""
    place = surfaces.place(origin, direction, hits)
    distance = np.minimum(hits.t, np.float32(100))
    albedo = surfaces.albedo(hits, distance, place.cosine, pixel)
    energy = surfaces.stored_light(hits, place.front)
    for lamp in lamps:
        ray = toward_lamp(lamp, place)
        # Lamps' shadows are not traced here: a third off stands for them.
        gain = ray.cosine * ray.strength * np.float32(0.67)
        for k in range(3):
            energy[k] += gain * np.float32(lamp.color[k])
    emission = surfaces.materials.emission.take(surfaces.material.take(np.maximum(hits.triangle, 0)))
    glow = emission * (surfaces.glow * np.float32(_GLOW))
    color = albedo * np.where(emission >= 1, glow, energy + glow)
    missed = hits.triangle < 0
    if missed.any():
        color[:, missed] = surfaces.sky(direction[:, missed])
    return color
