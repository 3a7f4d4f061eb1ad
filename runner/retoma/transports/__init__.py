"""Transports: one small module per provider, behind the protocol in base.py."""
