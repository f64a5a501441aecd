"""saom-bench: whole-object segmentation with Segment Anything, from simulator to leaderboard."""

__version__ = "0.1.0"
