"""Message campaigns that never lose their place.

PostgreSQL holds the state and nearly all of the logic (`sql/`); this package is the thin part that
cannot live there: it talks to providers, imports files and puts the schema in place.
"""
