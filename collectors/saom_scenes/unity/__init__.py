"""Reading a Unity project: its files by guid, scenes with their prefabs expanded, the node trees of FBX files."""

from saom_scenes.unity.project import UnityError as UnityError
from saom_scenes.unity.project import UnityProject as UnityProject
