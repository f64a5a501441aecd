"""Seeded palettes of everyday materials: what things in a home are made of, in colours that such things have.

Textures of cloth, paint, leather and the like are near white and take the tint; wood, marble, leaves bring their own
colour and take only a slight one. Glass is drawn opaque: a pale, mirroring skin.
"""

import colorsys

import numpy as np

from saom_player.shapes.mesh import Material, Rgb

WHITE: Rgb = (0.93, 0.93, 0.91)
BLACK: Rgb = (0.06, 0.06, 0.065)
GREY: Rgb = (0.45, 0.45, 0.46)
# Muted colours of furnishings; a jitter on top keeps two sofas of one colour apart.
_FURNISHING: tuple[Rgb, ...] = (
    (0.62, 0.60, 0.56), (0.36, 0.38, 0.42), (0.23, 0.27, 0.36), (0.55, 0.47, 0.38), (0.71, 0.66, 0.57),
    (0.40, 0.46, 0.40), (0.45, 0.25, 0.22), (0.30, 0.39, 0.45), (0.56, 0.42, 0.30), (0.31, 0.25, 0.23),
    (0.66, 0.53, 0.36), (0.48, 0.53, 0.57), (0.52, 0.36, 0.38), (0.33, 0.42, 0.38), (0.75, 0.72, 0.68),
)  # fmt: skip
# Livelier ones for cups, bottles, cushions, book covers.
_ACCENT: tuple[Rgb, ...] = (
    (0.72, 0.24, 0.20), (0.20, 0.36, 0.58), (0.85, 0.62, 0.22), (0.24, 0.48, 0.40), (0.55, 0.32, 0.48),
    (0.83, 0.48, 0.30), (0.30, 0.55, 0.62), (0.53, 0.58, 0.28), (0.76, 0.55, 0.55), (0.18, 0.22, 0.34),
    (0.90, 0.82, 0.60), (0.42, 0.22, 0.20), (0.60, 0.70, 0.74), (0.88, 0.87, 0.83), (0.30, 0.30, 0.32),
)  # fmt: skip
_CABINETRY: tuple[Rgb, ...] = (
    (0.91, 0.90, 0.87), (0.84, 0.82, 0.76), (0.58, 0.64, 0.62), (0.36, 0.42, 0.46), (0.72, 0.72, 0.71),
    (0.47, 0.52, 0.44), (0.79, 0.72, 0.60),
)  # fmt: skip
_LEATHER: tuple[Rgb, ...] = ((0.42, 0.25, 0.16), (0.17, 0.15, 0.15), (0.72, 0.64, 0.54), (0.55, 0.34, 0.20))
_WOODS, _VARIANTS = 8, 4
_MOTIF_VARIANTS = 8


class Palette:
    """Materials drawn from one random generator; the same generator state gives the same materials."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def color(self, kind: str = "accent") -> Rgb:
        """A colour of a kind: "accent", "furnishing", "cabinetry", "leather" or "pastel"."""
        if kind == "pastel":
            hue, saturation, value = self._rng.random(), self._rng.uniform(0.08, 0.28), self._rng.uniform(0.72, 0.92)
            return colorsys.hsv_to_rgb(hue, saturation, value)
        kinds = {"accent": _ACCENT, "furnishing": _FURNISHING, "cabinetry": _CABINETRY, "leather": _LEATHER}
        colors = kinds[kind]
        return self.jittered(colors[int(self._rng.integers(len(colors)))])

    def jittered(self, color: Rgb, amount: float = 0.05) -> Rgb:
        """The colour a little lighter or darker and a little shifted."""
        shade = self._rng.uniform(-amount, amount)
        shifts = shade + self._rng.uniform(-amount / 3, amount / 3, 3)
        r, g, b = (float(np.clip(c + s, 0.02, 0.97)) for c, s in zip(color, shifts, strict=True))
        return (r, g, b)

    def _variant(self, recipe: str, count: int = _VARIANTS) -> str:
        return f"{recipe}:{int(self._rng.integers(count))}"

    # --- furniture

    def wood(self, shade: float | None = None) -> Material:
        """A varnished wood; ``shade`` below 1 darkens it."""
        value = float(self._rng.uniform(0.8, 1.0)) if shade is None else shade
        return Material(self._variant("wood", _WOODS), (value, value * 0.98, value * 0.96), 0.06, 30)

    def cabinetry(self) -> Material:
        """Wood or painted board, as kitchens and wardrobes have it."""
        return self.wood() if self._rng.random() < 0.55 else self.paint(self.color("cabinetry"))

    def fabric(self, color: Rgb | None = None) -> Material:
        """Woven upholstery."""
        return Material(self._variant("fabric"), color or self.color("furnishing"), 0.01, 5)

    def towelling(self, color: Rgb | None = None) -> Material:
        """Terry cloth, blankets, plush: deeper than fabric."""
        return Material(self._variant("carpet"), color or self.color("pastel"), 0.0, 5)

    def leather(self, color: Rgb | None = None) -> Material:
        """Leather, brown, black or cream."""
        return Material(self._variant("leather"), color or self.color("leather"), 0.10, 25)

    def upholstery(self) -> Material:
        """Fabric mostly, else leather."""
        return self.leather() if self._rng.random() < 0.25 else self.fabric()

    def wicker(self) -> Material:
        """Basket weave."""
        return Material(self._variant("wicker"), self.jittered((0.70, 0.55, 0.38)), 0.02, 8)

    # --- hard surfaces

    def paint(self, color: Rgb | None = None) -> Material:
        """Satin paint on wood or board."""
        return Material("plain", color or self.color("cabinetry"), 0.07, 35)

    def plastic(self, color: Rgb | None = None) -> Material:
        """Smooth plastic with a small highlight."""
        return Material("plain", color or self.color(), 0.18, 50)

    def rubber(self, color: Rgb = (0.10, 0.10, 0.10)) -> Material:
        """Dull and dark."""
        return Material("plain", color, 0.03, 10)

    def metal(self, color: Rgb = (0.74, 0.75, 0.77)) -> Material:
        """Brushed metal."""
        return Material("brushed", color, 0.45, 60, reflect=0.15)

    def chrome(self) -> Material:
        """Polished metal."""
        return Material("plain", (0.74, 0.76, 0.79), 0.9, 120, reflect=0.5)

    def brass(self) -> Material:
        """Yellow metal."""
        return Material("plain", (0.72, 0.56, 0.28), 0.6, 80, reflect=0.25)

    def iron(self) -> Material:
        """Black powder-coated or cast metal."""
        return Material("plain", (0.08, 0.08, 0.085), 0.2, 40)

    def fitting(self) -> Material:
        """What handles, taps and legs are made of: chrome, black iron or brass."""
        roll = self._rng.random()
        return self.chrome() if roll < 0.55 else self.iron() if roll < 0.8 else self.brass()

    def ceramic(self, color: Rgb = WHITE) -> Material:
        """Glazed ware and sanitary porcelain."""
        return Material("plain", color, 0.3, 90, reflect=0.06)

    def marble(self) -> Material:
        """Polished stone."""
        recipe = "marble" if self._rng.random() < 0.6 else "granite"
        return Material(self._variant(recipe), (1.0, 1.0, 1.0), 0.25, 80, reflect=0.06)

    def stone(self) -> Material:
        """Dull stone or concrete."""
        return Material(self._variant("concrete"), self.jittered((0.80, 0.79, 0.76)), 0.03, 10)

    def glass(self, color: Rgb = (0.72, 0.80, 0.82)) -> Material:
        """Opaque stand-in for glass: tinted and mirroring."""
        return Material("plain", color, 0.9, 140, reflect=0.35)

    def mirror(self) -> Material:
        """A looking glass."""
        return Material("plain", (0.88, 0.90, 0.91), 0.9, 150, reflect=0.85)

    # --- soft and small

    def paper(self, color: Rgb = (0.93, 0.92, 0.88)) -> Material:
        """Matt white stuff: paper, tissue, plaster."""
        return Material("plaster", color, 0.0, 3)

    def cardboard(self) -> Material:
        """Brown board."""
        return Material(self._variant("cardboard"), self.jittered((0.72, 0.56, 0.38)), 0.0, 3)

    def leaf(self) -> Material:
        """Green leaves."""
        return Material(self._variant("leaf"), self.jittered((0.85, 0.85, 0.80), 0.12), 0.10, 20)

    def soil(self) -> Material:
        """Potting earth."""
        return Material("soil", (0.95, 0.95, 0.95), 0.0, 3)

    def bread(self) -> Material:
        """Baked crust."""
        return Material(self._variant("bread"), self.jittered((0.80, 0.55, 0.30), 0.04), 0.03, 8)

    def food(self, color: Rgb) -> Material:
        """Skin of fruit and vegetables."""
        return Material("plaster", self.jittered(color, 0.03), 0.15, 30)

    def motif(self, recipe: str) -> Material:
        """A picture texture: "keyboard", "clock", "newspaper", "label", "picture", "cover", "rug", ..."""
        return Material(self._variant(recipe, _MOTIF_VARIANTS), (1.0, 1.0, 1.0), 0.04, 15)

    def decor(self, recipe: str) -> Material:
        """``motif``, but a "screen" glows."""
        return self.screen() if recipe == "screen" else self.motif(recipe)

    def screen(self, lit: bool = True) -> Material:
        """A display, showing something or dark."""
        if not lit:
            return Material("plain", (0.035, 0.037, 0.042), 0.6, 120, reflect=0.12)
        return Material(self._variant("screen", _MOTIF_VARIANTS), (1.0, 1.0, 1.0), 0.2, 80, emission=0.5)

    def glow(self, color: Rgb = (1.0, 0.93, 0.80), strength: float = 0.6) -> Material:
        """A lamp shade or pilot light."""
        return Material("plain", color, 0.0, 5, emission=strength)
