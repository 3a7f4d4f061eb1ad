"""The webhook receiver: verify the calls of providers, and pass their facts to the database."""
