"""A contact list as people keep them: numbers in many spellings, some twice, some not valid."""

import csv
import random
from pathlib import Path

MOST = 1_000_000

# Area code and city. The numbers are synthetic: all of them are (area) 9555x-xxxx.
_PLACES = (
    (11, "São Paulo"), (21, "Rio de Janeiro"), (31, "Belo Horizonte"), (41, "Curitiba"), (51, "Porto Alegre"),
    (61, "Brasília"), (71, "Salvador"), (81, "Recife"), (85, "Fortaleza"), (92, "Manaus"),
)  # fmt: skip

_NO_NUMBERS = ("", "n/a", "5.55E+09", "+55 11 955", "ramal 12")


def write(path: Path, recipients: int) -> None:
    """Write a CSV file with the columns name, phone and city; the same one for the same number.

    Args:
        path: is replaced.
        recipients: different good numbers, up to MOST. About 1 in 130 comes a second time, in another
            spelling, and 1 more row in 400 has no usable number.
    """
    rng = random.Random(recipients)
    rows = []
    for index in range(recipients):
        area, city = _PLACES[index % len(_PLACES)]
        local = f"9555{index // len(_PLACES):05}"
        name = f"Cliente {index + 1}"
        rows.append((name, _spelling(rng, area, local), city))
        if rng.random() < 1 / 130:
            rows.append((name, _spelling(rng, area, local), city))
        if rng.random() < 1 / 400:
            rows.append((name, rng.choice(_NO_NUMBERS), city))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("name", "phone", "city"))
        writer.writerows(rows)


def _spelling(rng: random.Random, area: int, local: str) -> str:
    return rng.choice(
        (
            f"+55 {area} {local[:5]}-{local[5:]}",
            f"({area}) {local[:5]}-{local[5:]}",
            f"{area}{local}",
            f"+55{area}{local}",
        )
    )
