"""A scene's lights, and its light from all around."""

import numpy as np

from saom_scenes.packs import PackAmbient, PackLight
from saom_scenes.packs.model import LightKind
from saom_scenes.unity.hierarchy import Hierarchy
from saom_scenes.unity.prefabs import LIGHT, RENDER_SETTINGS, Objects, UnityObject
from saom_scenes.unity.yaml_text import number_of

_KINDS: dict[int, LightKind] = {0: "spot", 1: "directional", 2: "point"}
_SKYBOX, _FLAT = 0, 3
_MOST = 1e5


def lights_of(objects: Objects, hierarchy: Hierarchy) -> tuple[PackLight, ...]:
    """The lights that are on, in the order of the file; area lights, which are baked only, are none."""
    found = []
    for light in objects.values():
        game = light.link("m_GameObject")
        kind = _KINDS.get(int(_number(light, "m_Type", 2))) if light.kind == LIGHT else None
        place = hierarchy.place(game) if kind else None
        if kind and place and place.active and light.values.get("m_Enabled", "1") == "1":
            forward = place.matrix[:3, 2]
            size = float(np.linalg.norm(forward))
            x, y, z = (forward / size if size > 1e-9 else np.array([0.0, -1.0, 0.0])).tolist()
            px, py, pz = place.matrix[:3, 3].tolist()
            found.append(
                PackLight(
                    kind=kind,
                    color=_color(light, "m_Color", (1.0, 1.0, 1.0)),
                    intensity=_number(light, "m_Intensity", 1.0),
                    range_m=_number(light, "m_Range", 10.0),
                    spot_deg=_number(light, "m_SpotAngle", 30.0),
                    shadows=_number(light, "m_Shadows.m_Type", 0) > 0,
                    position=(px, py, pz),
                    direction=(x, y, z),
                    name=hierarchy.name(game),
                )
            )
    return tuple(found)


def ambient_of(objects: Objects) -> PackAmbient:
    """What RenderSettings say; a usual room's where light comes from a sky's picture, or nothing is said."""
    settings = next((o for o in objects.values() if o.kind == RENDER_SETTINGS), None)
    if settings is None:
        return PackAmbient()
    mode = int(_number(settings, "m_AmbientMode", _SKYBOX))
    if mode == _SKYBOX:
        return PackAmbient()
    sky = _color(settings, "m_AmbientSkyColor", PackAmbient.sky)
    if mode == _FLAT:
        return PackAmbient(sky, sky, sky)
    equator, ground = (_color(settings, f"m_Ambient{name}Color", sky) for name in ("Equator", "Ground"))
    return PackAmbient(sky, equator, ground)


def _number(thing: UnityObject, path: str, default: float) -> float:
    value = number_of(thing.values, path, default)
    return value if 0 <= value < _MOST else default


def _color(thing: UnityObject, path: str, default: tuple[float, float, float]) -> tuple[float, float, float]:
    r, g, b = (_number(thing, f"{path}.{part}", d) for part, d in zip("rgb", default, strict=True))
    return r, g, b
