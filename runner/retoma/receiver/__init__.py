"""The webhook receiver: verify what a provider calls back with, and pass it on to the database."""
