"""The runner: a process that leases batches, sends them and holds no state that matters.

One process has four parts, a module each:

- liveness: one connection whose session lock says "I live", and the tick on it;
- doorbell: a procrastinate worker; its job means "drain this channel";
- drain: the leases of one channel, side by side (lanes) or one after the other, each a loop of advance and
  send (lease);
- database: a small pool that waits out outages of the database inside the same process.

Everything they decide by is a reply of a function in sql/50_runner.
"""
