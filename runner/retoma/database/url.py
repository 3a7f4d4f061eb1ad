"""Which database to work on."""

from retoma import config
from retoma.database import embedded


def database_url() -> str:
    """RETOMA_DATABASE_URL, or else the embedded server, started when it is down.

    Raises:
        RetomaError: the embedded server cannot be started.
    """
    return config.external_database_url() or embedded.start(config.home())
