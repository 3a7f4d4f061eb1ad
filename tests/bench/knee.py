"""Where more in flight, more runners or more channels stops to help; drawn when matplotlib is installed."""

from collections.abc import Sequence

from tests.bench import world
from tests.bench.engine import BATCH, engine
from tests.bench.measure import Side
from tests.bench.report import DIRECTORY, Report
from tests.bench.server import running

WINDOWS = (1, 3, 10, 30, 100, 300, 1000)
RUNNERS = (1, 2, 3, 4)
CHANNELS = (1, 2, 4, 8, 16)


def bench(*, quick: bool) -> Report:
    """Null transport: windows and runners on batches of 3,000; one message per step on channels."""
    size, rounds = (6_000, 1) if quick else (90_000, 3)
    report = Report("knee", quick)
    with running() as server, server.connect() as connection:
        world.suppress(connection, 100_000 if quick else 1_000_000)
        for _ in range(rounds):
            for window in WINDOWS:
                run = engine(server, min(size, window * 1_000), runners=1, window=window, batch_size=BATCH)
                _side(report, f"window {window}").runs.append(run)
            for runners in RUNNERS:
                run = engine(server, size, runners=runners, batch_size=BATCH)
                _side(report, f"runners {runners}").runs.append(run)
            for channels in CHANNELS:
                run = engine(
                    server,
                    500 * channels,
                    runners=1,
                    window=1,
                    channels=channels,
                    leases=1,
                    connections=channels,
                )
                _side(report, f"channels {channels}").runs.append(run)
    for side in report.sides:
        report.target(side.name, side.rate, unit="messages/s")
    _draw(report)
    return report


def _side(report: Report, name: str) -> Side:
    for side in report.sides:
        if side.name == name:
            return side
    report.sides.append(Side(name))
    return report.sides[-1]


def _draw(report: Report) -> None:
    try:
        from matplotlib.figure import Figure  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
    except ImportError:
        report.notes.append("No plot: matplotlib is missing, which `make bench` installs.")
        return
    figure = Figure(figsize=(13, 4.2), layout="constrained")
    series: list[tuple[str, Sequence[int], str]] = [
        ("window", WINDOWS, "messages in flight, for each of two leases"),
        ("runners", RUNNERS, "runner processes, windows of 300"),
        ("channels", CHANNELS, "channels, one message in flight on each"),
    ]
    for place, (what, values, label) in enumerate(series, 1):
        rates = [_side(report, f"{what} {value}").rate for value in values]
        axes = figure.add_subplot(1, 3, place)
        axes.plot(values, rates, marker="o")
        axes.set(xlabel=label, xscale="log", ylim=(0, max(rates) * 1.15))
        axes.set_xticks(values, [f"{value:,}" for value in values])
        axes.minorticks_off()
        axes.margins(x=0.1)
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.grid(visible=True, alpha=0.3)
        for value, rate in zip(values, rates, strict=True):
            axes.annotate(
                f"{rate:,.0f}", (value, rate), xytext=(0, 6), textcoords="offset points", ha="center"
            )
    figure.supylabel("messages/s")
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    figure.savefig(DIRECTORY / "knee.png", dpi=120)
    report.notes.append(f"Plot: {DIRECTORY / 'knee.png'}")
