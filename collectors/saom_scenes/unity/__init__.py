"""Reading a Unity project: scenes and prefabs, FBX meshes, materials."""
