"""The crash drill: a campaign on a scratch database and a sandbox, while things are killed under it.

- stage: the scratch server, the sandbox, the channels, the runners;
- ledger: the record of the provider, read while it grows;
- crashes: kills, freezes and restarts, and the time until the next send;
- verdict: the provider's ledger against the database's books.
"""
