"""The leaderboard: tasks, models, metrics, results.

The way through it: ``cli`` reads the command; ``models`` and ``sam_models`` give models two methods, points and
everything mode; ``protocols`` asks them and, with ``matching``, counts pixels; ``metrics`` defines every number, with
examples worked by hand; ``bootstrap`` gives intervals over scenes; ``evaluate`` loops, with ``records`` to resume from;
``results`` is the file format, checked on reading; ``leaderboard`` and ``compare`` show it.
"""
