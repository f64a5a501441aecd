"""The embedded player: a program that speaks the AI2-THOR player protocol and renders on a CPU."""

__version__ = "0.1.0"
