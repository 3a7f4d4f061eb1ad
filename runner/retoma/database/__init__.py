"""The database: its address, the embedded server, and the schema in it."""
