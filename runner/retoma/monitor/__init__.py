"""Watching campaigns: a snapshot of the database, its rate of change, and its display."""
