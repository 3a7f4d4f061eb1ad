"""`retoma campaign import` of a CSV file against psql's \\copy of it into one table of text columns."""

import csv
import itertools
import os
import random
import subprocess
import sys
from pathlib import Path

import phonenumbers

from retoma.database import embedded
from retoma.importer.cells import PhoneError
from retoma.importer.phones import normaliser
from tests.bench.measure import Run, interleaved, measured
from tests.bench.report import Report, ratio_of
from tests.bench.server import Server, running

_numbers = itertools.count(1)

# In a separate process, so that its memory is separate.
_IMPORT = """
import resource, sys
from pathlib import Path
import psycopg
from retoma.importer.run import import_recipients
url, path, campaign, rejects = sys.argv[1:]
with psycopg.connect(url, autocommit=True) as connection, open(path, "rb") as stream:
    import_recipients(connection, stream, campaign, Path(rejects), region="BR")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def bench(*, quick: bool) -> Report:
    """Brazilian numbers as people write them: a twentieth repeated, a hundredth broken."""
    size, rounds = (30_000, 3) if quick else (1_000_000, 5)
    report = Report("importing", quick)
    with running() as server, server.connect() as connection:
        path = _write(server.home / "contacts.csv", size)
        small = _write(server.home / "small.csv", size // 10)
        connection.execute("create table plain (phone text, name text, order_number text)")
        connection.execute("select retoma.create_channel('sales', 'null')")
        small_mb = _import(server, small, size // 10).rss_mb
        sides = interleaved(
            {"copy": lambda: _copy(server, path, size), "import": lambda: _import(server, path, size)}, rounds
        )
        differences = _differences(path, sample=2_000 if quick else 20_000)
    report.sides = list(sides.values())
    rates = {name: [run.rate for run in side.runs] for name, side in sides.items()}
    report.target("import / copy", ratio_of(rates["import"], rates["copy"]), 0.3)
    large_mb = max(run.rss_mb or 0 for run in sides["import"].runs)
    report.target("memory, against a tenth of the file", large_mb / (small_mb or 1), 1.1, at_least=False)
    report.target("rows unlike phonenumbers in the sample", differences, 0, at_least=False)
    return report


def _write(path: Path, size: int) -> Path:
    rng = random.Random(1)
    shapes = ("+55{}9{}", "55{}9{}", "({}) 9{}", "{}9{}", "{} 9{}", "+55 {} 9 {}")
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(("phone", "name", "order number"))
        for number in range(size):
            # Each twentieth is the number of the row before.
            serial = number - 1 if number % 20 == 19 else number
            digits = f"55{serial % 1_000_000:06d}" if number % 100 else "12"
            area = (11, 21, 31, 41, 51, 61, 71, 81, 91)[serial // 1_000_000 % 9]
            out.writerow((rng.choice(shapes).format(area, digits), f"Ana {number}", number))
    return path


def _copy(server: Server, path: Path, size: int) -> Run:
    with server.connect() as connection:
        connection.execute("truncate plain")
        connection.execute("checkpoint")
    run = Run(size)
    command = [
        str(embedded.binaries() / "psql"),
        server.url,
        "-qX",
        "-c",
        f"\\copy plain from '{path}' csv header",
    ]
    with measured(run, {"server": server.pid, "client": os.getpid()}):
        subprocess.run(command, check=True)
    return run


def _import(server: Server, path: Path, size: int) -> Run:
    name = f"import {next(_numbers)}"
    with server.connect() as connection:
        connection.execute("set session_replication_role = replica")  # or its guard refuses
        connection.execute("truncate retoma_internal.message")
        connection.execute("reset session_replication_role")
        connection.execute("vacuum retoma.recipient_staging")
        connection.execute("select retoma.create_campaign(%s, 'sales', 'Hi')", (name,))
        connection.execute("checkpoint")
    run = Run(size)
    command = [sys.executable, "-c", _IMPORT, server.url, str(path), name, str(server.home / f"{name}.csv")]
    with measured(run, {"server": server.pid, "client": os.getpid()}):
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    run.rss_mb = float(done.stdout)
    return run


def _differences(path: Path, sample: int) -> int:
    """Rows of a random sample that come out unlike phonenumbers says."""
    with path.open() as file:
        rows = [row[0] for row in itertools.islice(csv.reader(file), 1, None)]
    normalise = normaliser("BR")
    return sum(_ours(normalise, phone) != _theirs(phone) for phone in random.Random(2).sample(rows, sample))


def _ours(normalise: object, phone: str) -> str | None:
    assert callable(normalise)
    try:
        return str(normalise(phone)[0])
    except PhoneError:
        return None


def _theirs(phone: str) -> str | None:
    try:
        number = phonenumbers.parse(phone, "BR")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
