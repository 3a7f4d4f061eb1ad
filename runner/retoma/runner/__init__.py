"""The runner: a process that leases batches, sends them and holds no state that matters.

One process has four parts:

- liveness: one connection whose session lock is the sign of life, and the tick on it;
- doorbell: a procrastinate worker; its job means "drain this channel";
- channels: the leases of each channel, side by side (lanes) or one after the other, each a loop of advance
  and send (lease);
- calls: a small pool that waits for the end of outages of the database inside the same process.

They decide only by replies of functions in sql/52_runner, sql/54_lease and sql/56_step.
"""
