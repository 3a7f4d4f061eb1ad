"""The demo: a whole campaign against a local sandbox, with a runner that is killed halfway.

Everything is the real thing but the provider: the database, the importer, the runners, HTTP.
"""
