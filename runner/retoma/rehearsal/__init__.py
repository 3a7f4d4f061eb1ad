"""Everything that plays through the real thing against a sandbox: the demo, the drill, and what they share."""
