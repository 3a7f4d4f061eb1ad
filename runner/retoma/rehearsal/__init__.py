"""The demo and the drill, which run real campaigns against a sandbox, and their common parts."""
