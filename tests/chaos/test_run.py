"""One short run of real processes; `make chaos` does many."""

from pathlib import Path

import pytest

from tests.chaos import checker, site, world
from tests.chaos.plan import Action, CampaignPlan, ChannelPlan, Plan
from tests.chaos.run import run
from tests.support.waiting import DEADLINE_S

GAPS = {"gap_min_s": 0.05, "gap_max_s": 0.08, "batch_gap_min_s": 0.1, "batch_gap_max_s": 0.15}
RATE = {"rate_per_s": 40, "burst": 5, "max_in_flight": 8}


def test_nothing_is_lost_or_repeated_when_runners_are_killed_frozen_and_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Runners that get no processor for three seconds lose their leases, and nothing in the kill log says why.
    monkeypatch.setattr(world, "LEASE_S", DEADLINE_S)
    monkeypatch.setattr(checker, "SLACK_S", DEADLINE_S / 10)
    plan = Plan(
        seed=0,
        length_s=1.5,
        runners=("r0", "r1"),
        channels=(ChannelPlan("paced", "waha", GAPS), ChannelPlan("plain", "webhook", RATE)),
        campaigns=(
            CampaignPlan("paced", ("paced",), recipients=20, batch_size=10, max_attempts=5),
            CampaignPlan("plain", ("plain",), recipients=600, batch_size=20, max_attempts=5),
        ),
        actions=(
            Action(0.0, "opt_out", "plain", arguments={"ordinals": [598, 599, 600]}),
            Action(0.3, "terminate_backend", "r1"),
            Action(0.5, "kill", "r0", arguments={"back_after_s": 0.2}),
            Action(0.6, "freeze", "r1", duration_s=0.8),
        ),
    )

    with site.opened() as where:
        result = run(where, plan, tmp_path / "run")

    assert result.violations == []
    assert result.line["states"]["skipped"] == 3
    assert result.line["duplicates"] == 0
