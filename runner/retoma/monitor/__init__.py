"""Watching campaigns: what the database says now, how fast it changes, and how that looks."""
