"""The leaderboard: tasks, models, metrics, results."""
