"""Reading AI2-THOR's Unity project: files by guid, prefabs expanded, FBX meshes, materials, lights; scenes as packs."""

from saom_scenes.unity.assets import Assets as Assets
from saom_scenes.unity.importing import Imported as Imported
from saom_scenes.unity.importing import import_scenes as import_scenes
from saom_scenes.unity.project import NotFetched as NotFetched
from saom_scenes.unity.project import UnityError as UnityError
from saom_scenes.unity.project import UnityProject as UnityProject
