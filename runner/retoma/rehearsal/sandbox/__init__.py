"""A real HTTP server that stands in for the providers: it records what it accepted, and fails on demand."""
