"""The leaderboard as one offline page: what it shows (view), its pictures (gallery), how it looks (the templates)."""
