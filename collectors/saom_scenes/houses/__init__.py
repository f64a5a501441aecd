"""ProcTHOR houses: plain values of schema 1.0.0, their files, the assets that they name, and a generator of new ones.

A house is the JSON object that AI2-THOR's CreateHouse takes: rooms with a floor polygon each, walls of four corners,
doors and windows as holes in walls, objects by asset with what lies on them as children, lights, and where the agent
starts. `read_house` checks one and gives it as a `House`; `HouseFile` is a file of one such object a line; `generate`
makes one from a seed. Metres and degrees in AI2-THOR's frame: left-handed, y up, yaw clockwise from +z.
"""
