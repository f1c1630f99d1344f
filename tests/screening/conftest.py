"""Lists as published, read once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bookrunner.adapters.screening import SanctionsList, open_screener
from bookrunner.adapters.screening.lists import ofac_csv, us_csl
from bookrunner.adapters.screening.screener import Screener

DATA = Path(__file__).parents[1] / "data" / "ofac"


@pytest.fixture(scope="session")
def sdn_files() -> dict[str, bytes]:
    return {path.name.partition(".")[0]: path.read_bytes() for path in (DATA / "sdn_2021-07").glob("*.gz")}


@pytest.fixture(scope="session")
def sdn(sdn_files: dict[str, bytes]) -> SanctionsList:
    return ofac_csv.read(sdn_files, published_on=date(2021, 7, 1))


@pytest.fixture(scope="session")
def csl() -> SanctionsList:
    return us_csl.read((DATA / "us_csl_2022-04.csv.gz").read_bytes(), published_on=date(2022, 4, 1))


@pytest.fixture(scope="session")
def screener(csl: SanctionsList) -> Screener:
    return open_screener([csl])
