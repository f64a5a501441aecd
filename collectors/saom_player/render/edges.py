"""Smooth outlines: more rays where surfaces meet. Only colours change; ids and depth stay those of pixel centres.

A ray that hits a surface seen by a pixel nearby takes that pixel's colour; only rays onto parts that no pixel centre
near it saw (a wire) are shaded anew.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from saom_player.render.camera import PixelRays
from saom_player.render.surface import part_of
from saom_player.render.tracing import Floats, Hits, Ints, RayTracer

Bytes = NDArray[np.uint8]

# A rotated grid: no two rays share a row or column, so that near-level edges get four steps.
_OFFSETS = ((-0.125, -0.375), (0.375, -0.125), (0.125, 0.375), (-0.375, 0.125))
_DEPTH_JUMP = np.float32(0.06)
_CREASE_COSINE = 0.85


def edge_pixels(keys: Ints, depth: Floats, face_of: Callable[[NDArray[np.intp]], Floats]) -> NDArray[np.intp]:
    """Numbers of the pixels beside an outline or crease of (H, W) surface keys and depth.

    ``face_of`` gives the planes' normals (3, n) at pixels.
    """
    marked = np.zeros(keys.shape, np.bool_)
    parts = part_of(keys)
    for axis in (0, 1):
        ahead = tuple(slice(1, None) if a == axis else slice(None) for a in (0, 1))
        behind = tuple(slice(None, -1) if a == axis else slice(None) for a in (0, 1))
        near = np.minimum(depth[ahead], depth[behind])
        jump = np.abs(depth[ahead] - depth[behind]) > _DEPTH_JUMP * near
        differ = (parts[ahead] != parts[behind]) | jump
        y, x = np.nonzero((keys[ahead] != keys[behind]) & ~differ)
        first = y * keys.shape[1] + x
        second = first + (keys.shape[1] if axis == 0 else 1)
        differ[y, x] = (face_of(first) * face_of(second)).sum(0) < _CREASE_COSINE
        marked[ahead] |= differ
        marked[behind] |= differ
    return np.nonzero(marked.ravel())[0]


def smooth_edges(
    picture: Bytes,
    pixels: NDArray[np.intp],
    keys: Ints,
    key_of_triangle: Ints,
    tracer: RayTracer,
    rays: PixelRays,
    shade: Callable[[Floats, Hits], Bytes],
) -> Bytes:
    """(H, W, 3) with these pixels' colours replaced by the mean over four rays each.

    ``shade`` gives (3, n) displayed colours of hits along directions (3, n).
    """
    y, x = np.divmod(pixels, keys.shape[1])
    flat = picture.reshape(-1, 3)
    # Squares are close to linear light: thin bright things keep their brightness.
    total = np.zeros((len(pixels), 3), np.float32)
    for dx, dy in _OFFSETS:
        directions = rays.through(x + np.float32(0.5 + dx), y + np.float32(0.5 + dy))
        rows = np.ascontiguousarray(directions.T)
        hits = tracer.nearest(np.broadcast_to(rays.origin, rows.shape), rows)
        key = np.where(hits.triangle >= 0, key_of_triangle.take(np.maximum(hits.triangle, 0)), -1)
        toward = (1 if dy > 0 else -1, 1 if dx > 0 else -1)
        lender = _lenders(key, keys, y, x, toward)
        stray = np.nonzero(lender < 0)[0]
        if len(stray):
            # A side of the part that no pixel centre near saw: another side of it does at this size.
            lender[stray] = _lenders(part_of(key[stray]), part_of(keys), y[stray], x[stray], toward)
        color = flat.take(np.maximum(lender, 0), 0).astype(np.float32)
        alone = np.nonzero(lender < 0)[0]
        if len(alone):
            color[alone] = shade(directions[:, alone], hits.subset(alone)).T
        total += color * color
    smooth = flat.copy()
    smooth[pixels] = (np.sqrt(total / np.float32(len(_OFFSETS))) + np.float32(0.5)).astype(np.uint8)
    return smooth.reshape(picture.shape)


def _lenders(
    wanted: Ints, keys: Ints, y: NDArray[np.intp], x: NDArray[np.intp], toward: tuple[int, int]
) -> NDArray[np.intp]:
    """(n,) the nearest pixel with the wanted key among the 3 x 3 round each (y, x), or -1."""
    toward_y, toward_x = toward
    height, width = keys.shape
    flat = keys.ravel()
    lender = np.full(len(wanted), -1, np.intp)
    open_ = np.arange(len(wanted))
    near = ((0, 0), (0, toward_x), (toward_y, 0), (toward_y, toward_x))
    far = ((0, -toward_x), (-toward_y, 0), (toward_y, -toward_x), (-toward_y, toward_x), (-toward_y, -toward_x))
    for dy, dx in (*near, *far):
        at = np.clip(y[open_] + dy, 0, height - 1) * width + np.clip(x[open_] + dx, 0, width - 1)
        fits = flat.take(at) == wanted[open_]
        lender[open_[fits]] = at[fits]
        open_ = open_[~fits]
        if len(open_) == 0:
            break
    return lender
