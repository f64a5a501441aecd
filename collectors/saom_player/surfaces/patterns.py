"""Texture recipes for surfaces without an up or down: (generator, variant) -> (S, S, 3) in 0..1, tileable both ways."""

import numpy as np

from saom_player.surfaces.noise import SIZE, FloatImage, grid, mix, noise, scaled, smooth_step

_WOODS = (
    ((0.72, 0.53, 0.34), (0.50, 0.33, 0.18)),  # oak
    ((0.50, 0.34, 0.22), (0.31, 0.19, 0.11)),  # walnut
    ((0.86, 0.72, 0.52), (0.72, 0.54, 0.34)),  # pine
    ((0.61, 0.36, 0.22), (0.42, 0.21, 0.12)),  # cherry
    ((0.83, 0.77, 0.67), (0.66, 0.58, 0.48)),  # ash
    ((0.36, 0.25, 0.18), (0.21, 0.14, 0.10)),  # wenge
    ((0.66, 0.62, 0.57), (0.46, 0.42, 0.38)),  # weathered grey
    ((0.75, 0.60, 0.44), (0.56, 0.40, 0.26)),  # beech
)
_STONES = (
    ((0.94, 0.93, 0.91), (0.58, 0.57, 0.58)),
    ((0.90, 0.85, 0.77), (0.62, 0.52, 0.42)),
    ((0.30, 0.31, 0.33), (0.68, 0.68, 0.68)),
    ((0.78, 0.80, 0.79), (0.42, 0.46, 0.47)),
)
_SPECKS = (
    ((0.56, 0.54, 0.52), (0.16, 0.16, 0.17), (0.86, 0.84, 0.82)),
    ((0.20, 0.20, 0.22), (0.06, 0.06, 0.07), (0.50, 0.50, 0.52)),
    ((0.68, 0.58, 0.48), (0.32, 0.24, 0.20), (0.88, 0.82, 0.74)),
    ((0.84, 0.83, 0.81), (0.46, 0.45, 0.45), (0.96, 0.96, 0.95)),
)


def _grey(shade: FloatImage) -> FloatImage:
    return np.ones(3, np.float32) * shade[..., None]


def plain(rng: np.random.Generator, variant: int) -> FloatImage:
    """White: what a tint makes of it."""
    return np.ones((SIZE, SIZE, 3), np.float32)


def plaster(rng: np.random.Generator, variant: int) -> FloatImage:
    """Painted wall: near white, faint grain."""
    return _grey(0.985 - 0.07 * noise(rng, 0.9) ** 1.5)


def _grain(rng: np.random.Generator, palette: int) -> FloatImage:
    light, dark = _WOODS[palette % len(_WOODS)]
    fibres = noise(rng, 1.1, along=(14.0, 0.8))
    rings = 0.5 + 0.5 * np.sin(noise(rng, 1.9, along=(4.0, 0.6)) * 46)
    pores = noise(rng, 0.4, along=(20.0, 0.6))
    return mix(light, dark, 0.5 * fibres + 0.3 * rings + 0.3 * pores - 0.1)


def wood(rng: np.random.Generator, variant: int) -> FloatImage:
    """Boards' grain along u; variants: oak, walnut, pine, cherry, ash, wenge, grey, beech, then the same again anew."""
    return _grain(rng, variant)


def planks(rng: np.random.Generator, variant: int, rows: int = 8) -> FloatImage:
    """Floor boards along u, staggered, two a row, with dark joints."""
    picture = np.empty((SIZE, SIZE, 3), np.float32)
    boards = [_grain(rng, variant) for _ in range(2)]
    height, width = SIZE // rows, SIZE // 2
    for row in range(rows):
        top, start = row * height, int(rng.integers(SIZE))
        for half in range(2):
            columns = (start + half * width + np.arange(width)) % SIZE
            shift = tuple(int(s) for s in rng.integers(SIZE, size=2))
            board = np.roll(boards[int(rng.integers(2))], shift, (0, 1))[:height, :width] * rng.uniform(0.86, 1.12)
            board[:, 0] *= 0.55
            picture[top : top + height, columns] = board
        picture[top] *= 0.55
    return picture


def parquet(rng: np.random.Generator, variant: int, cells: int = 4, slats: int = 4) -> FloatImage:
    """Basket weave: squares of slats, turned by turns."""
    picture = np.empty((SIZE, SIZE, 3), np.float32)
    board = _grain(rng, variant)
    side, slat = SIZE // cells, SIZE // cells // slats
    for i in range(cells):
        for j in range(cells):
            cell = np.empty((side, side, 3), np.float32)
            for k in range(slats):
                shift = tuple(int(s) for s in rng.integers(SIZE, size=2))
                piece = np.roll(board, shift, (0, 1))[:slat, :side] * rng.uniform(0.85, 1.12)
                piece[0] *= 0.6
                cell[k * slat : (k + 1) * slat] = piece
            cell[:, 0] *= 0.6
            turned = cell if (i + j) % 2 == 0 else cell.transpose(1, 0, 2)
            picture[i * side : (i + 1) * side, j * side : (j + 1) * side] = turned
    return picture


def _grout(cells: int, width: int) -> FloatImage:
    """(S, S) 1 on the joints between square cells, softened by a pixel."""
    side = SIZE // cells
    line = np.minimum(np.arange(SIZE) % side, side - np.arange(SIZE) % side).astype(np.float32)
    near = np.minimum(line[:, None], line[None])
    return np.clip(width / 2 + 0.5 - near, 0, 1).astype(np.float32)


def _cells(values: FloatImage) -> FloatImage:
    side = SIZE // values.shape[0]
    return np.repeat(np.repeat(values, side, 0), side, 1).astype(np.float32)


def tiles(rng: np.random.Generator, variant: int) -> FloatImage:
    """Square ceramic tiles, 4 a side (odd variants: 2 a side), near white with grey joints."""
    count = 4 if variant % 2 == 0 else 2
    shade = _cells((0.93 + 0.025 * rng.standard_normal((count, count, 1))).astype(np.float32))
    face = shade * scaled(rng, 0.08, 1.6) * np.ones(3, np.float32)
    return mix(face, (0.62, 0.60, 0.58), _grout(count, 4))


def mosaic(rng: np.random.Generator, variant: int) -> FloatImage:
    """Small coloured tiles, 16 a side."""
    base = np.array(((0.45, 0.60, 0.66), (0.62, 0.66, 0.58), (0.70, 0.58, 0.48), (0.52, 0.54, 0.60))[variant % 4])
    colours = base + 0.10 * rng.standard_normal((16, 16, 1)) + 0.03 * rng.standard_normal((16, 16, 3))
    return mix(_cells(colours.astype(np.float32)), (0.86, 0.85, 0.83), _grout(16, 2))


def brick(rng: np.random.Generator, variant: int) -> FloatImage:
    """Running bond, 8 courses of 4."""
    x, y = grid()
    course = np.floor(y * 8)
    along = (x * 4 + 0.5 * (course % 2)) % 4
    tone = rng.uniform(-0.09, 0.09, (8, 4)).astype(np.float32)[course.astype(int), along.astype(int)]
    base = np.array(((0.60, 0.34, 0.26), (0.72, 0.66, 0.60), (0.48, 0.30, 0.25))[variant % 3], np.float32)
    face = (base + tone[..., None]) * scaled(rng, 0.25, 0.8)
    joint = np.minimum(np.minimum(along % 1, 1 - along % 1) / 4, np.minimum(y * 8 % 1, 1 - y * 8 % 1) / 8)
    return mix((0.76, 0.74, 0.70), face, smooth_step(joint.astype(np.float32), 0.003, 0.009))


def fabric(rng: np.random.Generator, variant: int) -> FloatImage:
    """Near white weave; variant 1: twill, 2: stripes, 3: checks, then anew."""
    x, y = grid()
    weave = 0.5 + 0.5 * np.sin(x * 2 * np.pi * 64) * np.sin(y * 2 * np.pi * 64)
    if variant % 4 == 1:
        weave = 0.5 + 0.5 * np.sin((x + y) * 2 * np.pi * 48)
    shade = 0.97 - 0.22 * (0.35 * weave + 0.4 * noise(rng, 0.3) + 0.25 * noise(rng, 1.7))
    if variant % 4 == 2:
        shade = shade * np.where(np.floor(x * 16) % 2 == 0, 1.0, 0.80)
    if variant % 4 == 3:
        shade = shade * np.where(np.floor(x * 8) % 2 == 0, 1.0, 0.86) * np.where(np.floor(y * 8) % 2 == 0, 1.0, 0.86)
    return _grey(shade)


def carpet(rng: np.random.Generator, variant: int) -> FloatImage:
    """Near white pile."""
    shade = 0.70 + 0.34 * (0.65 * noise(rng, 0.1) + 0.35 * noise(rng, 1.4))
    return _grey(shade)


def marble(rng: np.random.Generator, variant: int) -> FloatImage:
    """Veined stone: white, cream, black, grey-green, then anew."""
    ground, vein = _STONES[variant % len(_STONES)]
    warp = noise(rng, 2.4, along=(1.0, 0.7)) * 4
    line = np.abs(np.sin(warp * np.pi)) ** 0.5
    return mix(vein, ground, line + 0.5 * noise(rng, 1.8)) * scaled(rng, 0.05, 0.5)


def granite(rng: np.random.Generator, variant: int) -> FloatImage:
    """Speckled stone: grey, black, brown, white, then anew."""
    ground, dark, light = _SPECKS[variant % len(_SPECKS)]
    picture = mix(ground, dark, smooth_step(noise(rng, 0.5, coarsest=8), 0.55, 0.75))
    picture = mix(picture, light, smooth_step(noise(rng, 0.5, coarsest=10), 0.62, 0.78))
    return picture * scaled(rng, 0.12, 1.4)


def brushed(rng: np.random.Generator, variant: int) -> FloatImage:
    """Brushed metal, strokes along u."""
    shade = 0.82 + 0.18 * noise(rng, 0.4, along=(24.0, 0.5))
    return _grey(shade)


def leather(rng: np.random.Generator, variant: int) -> FloatImage:
    """Near white grain with soft creases."""
    shade = 0.80 + 0.10 * smooth_step(noise(rng, 0.6, coarsest=14), 0.2, 0.6) + 0.10 * noise(rng, 1.6)
    return _grey(shade)


def wallpaper(rng: np.random.Generator, variant: int) -> FloatImage:
    """Near white: stripes, dots, damask-like diamonds, thin lines, then anew."""
    x, y = grid()
    stripe = smooth_step(np.abs((x * 8) % 1 - 0.5).astype(np.float32), 0.23, 0.27)
    dots = 1 - smooth_step(np.hypot((x * 8) % 1 - 0.5, (y * 8) % 1 - 0.5).astype(np.float32), 0.16, 0.22)
    diamond = smooth_step((np.abs((x * 6) % 1 - 0.5) + np.abs((y * 3) % 1 - 0.5)).astype(np.float32), 0.40, 0.46)
    lines = 1 - smooth_step(np.abs((x * 16) % 1 - 0.5).astype(np.float32), 0.04, 0.09)
    pattern = (stripe, dots, diamond, lines)[variant % 4]
    return mix((0.97, 0.97, 0.96), (0.84, 0.85, 0.84), pattern) * scaled(rng, 0.04, 1.0)


def cardboard(rng: np.random.Generator, variant: int) -> FloatImage:
    """Corrugated board: near white with fine lines along v."""
    x, _ = grid()
    shade = 0.93 + 0.03 * np.sin(x * 2 * np.pi * 40) - 0.08 * noise(rng, 0.8)
    return _grey(shade)


def bread(rng: np.random.Generator, variant: int) -> FloatImage:
    """Crumb with pores: near white."""
    pores = smooth_step(noise(rng, 0.8, coarsest=6), 0.62, 0.8)
    return mix((0.97, 0.95, 0.90), (0.72, 0.64, 0.52), pores * 0.8) * scaled(rng, 0.12, 1.2)


def concrete(rng: np.random.Generator, variant: int) -> FloatImage:
    """Cast stone: near white with clouds and pits."""
    shade = 0.95 - 0.16 * noise(rng, 1.5) - 0.10 * smooth_step(noise(rng, 0.4, coarsest=16), 0.7, 0.9)
    return _grey(shade)


def wicker(rng: np.random.Generator, variant: int) -> FloatImage:
    """Basket weave of canes: near white with dark gaps."""
    x, y = grid()
    column, row = np.floor(x * 16), np.floor(y * 16)
    over = (column + row) % 2 == 0
    across = np.where(over, (y * 16) % 1, (x * 16) % 1) - 0.5
    along = np.where(over, (x * 16) % 1, (y * 16) % 1) - 0.5
    shade = (0.95 - 1.6 * across**2) * (1 - 0.9 * along**2)
    return _grey(shade) * scaled(rng, 0.15, 0.6)


def soil(rng: np.random.Generator, variant: int) -> FloatImage:
    """Dark potting soil."""
    return mix((0.20, 0.14, 0.10), (0.38, 0.28, 0.20), noise(rng, 0.5, coarsest=4))


def leaf(rng: np.random.Generator, variant: int) -> FloatImage:
    """A green leaf's surface: midrib at u = 0.5, side veins."""
    x, y = grid()
    green = ((0.24, 0.42, 0.18), (0.34, 0.50, 0.22), (0.20, 0.36, 0.22))[variant % 3]
    pale = tuple(min(1.0, c * 1.5) for c in green)
    rib = 1 - smooth_step(np.abs(x - 0.5), 0.008, 0.025)
    side = 1 - smooth_step(np.abs(((y + 0.6 * np.abs(x - 0.5)) * 12) % 1 - 0.5).astype(np.float32), 0.03, 0.10)
    return mix(green, pale, np.maximum(rib, 0.5 * side)) * scaled(rng, 0.2, 1.2)
