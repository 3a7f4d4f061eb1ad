"""The crash drill: a campaign on a scratch database and a sandbox, while things are killed under it.

- stage: the scratch server, the sandbox, the channels, the runners;
- ledger: what the provider saw, read while it grows;
- crashes: what is done to the stage, and how long until the next send;
- verdict: the provider's ledger against the database's books.
"""
