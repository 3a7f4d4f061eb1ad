"""Transports: one small module a provider, behind the protocol in base.py."""
