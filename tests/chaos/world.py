"""The world of a plan: channels, campaigns and recipients, made through Retoma's own functions."""

import psycopg
from psycopg.types.json import Jsonb

from tests.chaos.plan import LEASE_S, LOOKUP_AFTER_S, TIMEOUT_S, ChannelPlan, Plan
from tests.dialects.catalogue import DIALECTS


def build(url: str, provider_url: str, plan: Plan) -> None:
    """Makes everything up to the drafts of the campaigns."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "update retoma.setting set lease_duration = make_interval(secs => %s),"
            " lookup_after = make_interval(secs => %s)",
            (LEASE_S, LOOKUP_AFTER_S),
        )
        # The first retry after half a minute would be after the run.
        connection.execute(
            "update retoma.error_rule set defer_s = least(defer_s, 1)"
            " where class in ('transient', 'ambiguous')"
        )
        for channel in plan.channels:
            _create_channel(connection, channel, provider_url)
        for number, campaign in enumerate(plan.campaigns):
            connection.execute(
                "select retoma.create_campaign(%s, %s::text[], 'Hi {{ name }}', %s, p_max_attempts => %s)",
                (campaign.name, list(campaign.channels), campaign.batch_size, campaign.max_attempts),
            )
            recipients = [
                {"phone": phone(number, ordinal), "variables": {"name": f"n{ordinal}"}}
                for ordinal in range(1, campaign.recipients + 1)
            ]
            connection.execute("select retoma.add_recipients(%s, %s)", (campaign.name, Jsonb(recipients)))
        for limit in plan.limits:
            connection.execute(
                "select retoma.set_limit(%s, %s, %s, %s)",
                (limit.scope, limit.subject, limit.maximum, f"{limit.period_s} seconds"),
            )


def start(url: str, plan: Plan) -> None:
    """Starts all campaigns."""
    with psycopg.connect(url, autocommit=True) as connection:
        for campaign in plan.campaigns:
            connection.execute("select retoma.start_campaign(%s)", (campaign.name,))


def phone(campaign_number: int, ordinal: int) -> str:
    """The number of a recipient. The campaigns of a run share none: an opt-out concerns one message."""
    return f"+55119555{campaign_number}{ordinal:04d}"


def _create_channel(connection: psycopg.Connection, channel: ChannelPlan, provider_url: str) -> None:
    connection.execute(
        "select retoma.create_channel(%s, %s, %s, %s)",
        (
            channel.name,
            _transport(channel.kind),
            Jsonb(_settings(channel, provider_url)),
            Jsonb(channel.pacing),
        ),
    )


def ignores_ids(channel: ChannelPlan) -> bool:
    """Whether the provider of a channel uses ids of its own, and does not say so."""
    dialect = DIALECTS.get(channel.kind)
    return channel.kind == "ignoring" or (dialect is not None and dialect.ignores_ids)


def _transport(kind: str) -> str:
    if kind in DIALECTS:
        return DIALECTS[kind].transport
    return "waha" if kind in ("waha", "ignoring") else "webhook"


def _settings(channel: ChannelPlan, provider_url: str) -> dict[str, object]:
    if dialect := DIALECTS.get(channel.kind):
        address = f"{provider_url}/{dialect.address}"
        return {
            "base_url": address,
            **dialect.settings,
            **({"check_numbers": True, "check_gap_s": 0} if "check_numbers" in dialect.settings else {}),
            dialect.named: channel.name,
            "timeout_s": TIMEOUT_S,
        }
    url = f"{provider_url}/webhook/{channel.name}"
    match channel.kind:
        case "waha" | "ignoring":
            return {
                "base_url": f"{provider_url}/waha",
                "session": channel.name,
                "engine": "NOWEB",
                "check_numbers": False,
                "timeout_s": TIMEOUT_S,
            }
        case "idempotent":
            return {"url": f"{url}?idempotent=1", "idempotent": True, "timeout_s": TIMEOUT_S}
        case "lookup":
            return {"url": url, "lookup": True, "timeout_s": TIMEOUT_S}
        case _:
            return {"url": url, "timeout_s": TIMEOUT_S}
