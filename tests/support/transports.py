"""Transports for tests that are about what they send, not about how a channel is set up."""

from collections.abc import Mapping

from retoma.transports import registry
from retoma.transports.base import Settings, Transport
from tests.support.waiting import PATIENT_S

_DEFAULTS: dict[str, dict[str, object]] = {
    "evolution": {"instance": "default", "timeout_s": PATIENT_S},
    "evolution_go": {"api_key": "a token of the tests", "timeout_s": PATIENT_S},
    "waha": {"session": "default", "engine": "WEBJS", "convert": True, "timeout_s": PATIENT_S},
    "webhook": {"timeout_s": PATIENT_S},
    "whatsapp_cloud": {
        "version": "v25.0",
        "path": "/{version}/{phone_number_id}/{endpoint}",
        "access_token": "a token of the tests",
        "auth_header": "Authorization: Bearer",
        "endpoint": "messages",
        "product_policy": "CLOUD_API_FALLBACK",
        "timeout_s": PATIENT_S,
    },
}


def create(name: str, settings: Settings, environ: Mapping[str, str] | None = None) -> Transport:
    """Makes a transport; settings that are not given are those of a new channel, but it is patient.

    Args:
        environ: environment variables for values like env:RETOMA_SECRET_NAME.
    """
    return registry.create(name, {**_DEFAULTS.get(name, {}), **settings}, environ or {})
