"""Scene packs: one file a scene with its meshes, textures, instances, parts and lights. This is the format, version 1.

A pack is a ZIP file ``<scene>.npz`` (``FloorPlan1.npz``), so numpy can open it. Members, in this order:

``head.json``  UTF-8 JSON, see below.
``positions.npy``  (V, 3) float32: vertices in the world, metres, left-handed, y up (Unity's frame).
``normals.npy``  (V, 3) int8: unit normals times 127.
``uvs.npy``  (V, 2) float32: texture coordinates before a material's scale and offset; v = 0 is a picture's bottom row.
``triangles.npy``  (T, 3) int32: vertices; seen from the front, cross(p1 - p0, p2 - p0) points to the viewer, with the
    coordinates taken as plain numbers. Surfaces are seen from the front only.
``part.npy``  (T,) int32: which entry of the head's ``parts`` a triangle belongs to.
``textures/<k>.<jpg|png|webp>``  picture k, row 0 at the top, at most 4096 pixels a side.

The head is an object with these fields; colours are sRGB in 0..1, angles degrees:

``format`` "saom-scene-pack", ``version`` 1, ``scene`` its name, ``content_sha256`` (see `content_sha256`).
``source``  strings by name: where the scene is from ("project", "file", "tool", "license", ...).
``materials``  {name, color [r, g, b, a], texture, emission_texture (number or -1), scale [x, y], offset [x, y],
    metallic, gloss 0..1, emission [r, g, b], mode "opaque" | "cutout" | "fade" | "transparent", cutoff, mirror}.
``textures``  {file (the member), name}.
``instances``  {name, type, id, position, missing (how many of its meshes could not be read), substitute}. Entry 0 is
    what belongs to no simulation object. ``name`` is the object's name in AI2-THOR's metadata, ``id`` its objectId or
    "" where the metadata does not list it; an instance without triangles is there, but has nothing to show.
``parts``  {name, instance, material, casts "off" | "on" | "two-sided" (shadows)}.
``lights``  {name, kind "point" | "spot" | "directional", color, intensity, range_m, spot_deg, shadows, position,
    direction (of its rays)}.
``ambient``  {sky, equator, ground} colours.
``missing``  {object, type, mesh, count}: meshes that the source did not hold.

Files are written deterministically: the same scene gives the same bytes. Reading never runs code from a pack, checks
sizes before anything is allocated, and every index afterwards; what is wrong is a `PackError` of one line.

Packs without ``head.json`` are "version 0", which an early proof wrote: arrays V, N, UV, F, mat, inst, cs, tex, texoff
and head (JSON). They have no parts; those are derived by instance, material and connected component.
"""

from saom_scenes.packs.folder import PackFolder as PackFolder
from saom_scenes.packs.model import Pack as Pack
from saom_scenes.packs.model import PackAmbient as PackAmbient
from saom_scenes.packs.model import PackError as PackError
from saom_scenes.packs.model import PackInstance as PackInstance
from saom_scenes.packs.model import PackLight as PackLight
from saom_scenes.packs.model import PackMaterial as PackMaterial
from saom_scenes.packs.model import PackMissing as PackMissing
from saom_scenes.packs.model import PackPart as PackPart
from saom_scenes.packs.model import PackTexture as PackTexture
from saom_scenes.packs.reader import read_pack as read_pack
from saom_scenes.packs.writer import write_pack as write_pack
