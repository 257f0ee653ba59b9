"""Migrations: images rebuilt from their recipes as next versions, activated wherever the old ones were (R61)."""
