"""The small HTTP client of the send path (docs/decisions/0020-http-client.md)."""
