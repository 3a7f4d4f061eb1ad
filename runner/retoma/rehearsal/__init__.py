"""What plays the real thing through against a sandbox: the demo, the drill, and what they share."""
