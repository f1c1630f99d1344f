"""The packet says what its data says, in the same bytes wherever it is made."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from bookrunner.adapters.documents import (
    Template,
    Typesetter,
    consent_statement,
    load_template,
    render_consent_sample,
    render_packet,
)
from bookrunner.adapters.documents.readback import check_boxes, check_summary
from bookrunner.adapters.documents.template import SHELF
from bookrunner.core.errors import Refused
from tests.documents import samples

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = """
import sys
from pathlib import Path
from bookrunner.adapters.documents import Typesetter, load_template, render_packet
from tests.documents import samples
template = load_template("subscription_packet", "1.1.0", Path(sys.argv[1]))
with Typesetter() as press:
    sys.stdout.write(render_packet(template, samples.trust(), press).sha256)
"""


@pytest.mark.parametrize(
    "variables",
    [
        {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
        {"TZ": "America/St_Johns", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "77"},
    ],
)
def test_the_same_data_gives_the_same_bytes_in_another_zone_folder_and_process(
    press: Typesetter, packet: Template, tmp_path: Path, variables: dict[str, str]
) -> None:
    shelf = shutil.copytree(SHELF, tmp_path / "other place" / "shelf")
    there = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(shelf)],
        env=os.environ | variables | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    here = render_packet(packet, samples.trust(), press)
    assert there.stdout == here.sha256
    assert render_packet(packet, samples.trust(), press).content == here.content


def test_another_value_gives_other_bytes_and_another_data_hash(press: Typesetter, packet: Template) -> None:
    data = samples.individual()
    first = render_packet(packet, data, press)
    data["risks"][0]["acknowledged_at"] = "2026-03-02T14:00:11Z"
    second = render_packet(packet, data, press)
    assert first.sha256 != second.sha256
    assert first.data_sha256 != second.data_sha256
    assert first.template_sha256 == second.template_sha256 == packet.sha256


@pytest.mark.parametrize("sample", [samples.individual, samples.trust])
def test_every_stated_fact_is_on_the_paper(
    press: Typesetter, packet: Template, sample: Callable[[], samples.Data]
) -> None:
    data = sample()
    made = render_packet(packet, data, press)
    text = " ".join(" ".join(p.extract_text() for p in PdfReader(BytesIO(made.content)).pages).split())
    for item in (*data["risks"], *data["representations"]):
        assert item["sentence"] in text
    for item in data["materials"]:
        assert item["sha256"] in text
    for part in (data["signers"][0]["authority"], data["consent"]["sha256"], data["tax"]["form"]):
        assert part in text
    assert "two hundred fifty thousand and 00/100 USD" in text
    assert "250,000.00 USD" in text


@pytest.mark.parametrize(
    "name",
    [
        "*bold* #panic(x) $a$ <b> & Sons",
        "D'Artagnan, O\u2019Neil / Smith-Jones",
        "Ярослав Ὀδυσσεύς Đặng",
        "A" * 120,
    ],
)
def test_a_name_prints_literally(press: Typesetter, packet: Template, name: str) -> None:
    made = render_packet(packet, samples.named(name), press)
    assert made.pages >= 4


def test_the_file_asks_for_pdfa_and_carries_nothing_else(press: Typesetter, packet: Template) -> None:
    reader = PdfReader(BytesIO(render_packet(packet, samples.trust(), press).content))
    root: Any = reader.trailer["/Root"]
    metadata = root["/Metadata"].get_data().decode()
    assert "<pdfaid:part>2</pdfaid:part>" in metadata
    assert "<pdfaid:conformance>B</pdfaid:conformance>" in metadata
    assert root["/OutputIntents"][0]["/S"] == "/GTS_PDFA1"
    assert "/Encrypt" not in reader.trailer
    assert not {"/JavaScript", "/EmbeddedFiles"} & set(root.get("/Names", DictionaryObject()))
    fonts = {
        font.idnum: font.get_object()
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert fonts
    for font in fonts.values():
        descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
        assert {"/FontFile2", "/FontFile3"} & set(descriptor)


def test_signature_boxes_lie_on_the_last_page(press: Typesetter, packet: Template) -> None:
    made = render_packet(packet, samples.individual(), press)
    assert set(made.boxes) == {"investor", "issuer"}
    assert {box.page for box in made.boxes.values()} == {made.pages}


def test_a_file_that_says_something_else_is_found(press: Typesetter, packet: Template) -> None:
    made = render_packet(packet, samples.individual(), press)
    name = samples.individual()["investor"]["legal_name"]
    check_summary(made.content, [("Legal name", name), ("Kind of investor", "individual")])
    for wrong in (name.replace("Ánh", "Anh"), name + " Jr", name[:-1]):
        with pytest.raises(Refused) as refused:
            check_summary(made.content, [("Legal name", wrong), ("Kind of investor", "individual")])
        assert refused.value.rule == "printed_text_equals_the_data"


def test_a_template_that_drops_the_amount_is_found(press: Typesetter, tmp_path: Path) -> None:
    template = samples.altered(
        tmp_path, "layout.typ", "(strong(label), value)", '(strong(label), value.replace("5", "3"))'
    )
    with pytest.raises(Refused) as refused:
        render_packet(template, samples.individual(), press)
    assert refused.value.rule == "printed_text_equals_the_data"


def test_a_box_beside_the_page_is_refused() -> None:
    box = {"page": 1, "x": 500, "y": 10, "width": 200, "height": 20}
    with pytest.raises(Refused) as refused:
        check_boxes({"investor": box}, 1, (612, 792))
    assert refused.value.rule == "signature_box_lies_on_a_page"


def test_the_template_says_that_counsel_has_to_review_it() -> None:
    shelf = json.loads((SHELF / "approved.json").read_text(encoding="utf-8"))
    for name, version in (each.split("/") for each in shelf):
        assert "counsel's review" in load_template(name, version).about["review"]


def test_a_sample_record_prints_its_code_and_keeps_it_out_of_the_statement(press: Typesetter) -> None:
    template = load_template("consent_sample", "1.0.0")
    data = {
        "as_of": "2026-03-01T09:57:00Z",
        "issuer_name": "Harbor Lofts Holdings LLC",
        "offer_name": "Harbor Lofts Series A",
        "contact": "records@example.test",
        "paper_fee": "nothing",
        "code": "HK7RW2QD",
    }
    made = render_consent_sample(template, data, press)
    text = " ".join(PdfReader(BytesIO(made.content)).pages[0].extract_text().split())
    statement = consent_statement(template, data)
    assert "HK7RW2QD" in text.replace(" ", "")
    assert "HK7RW2QD" not in statement
    for told in ("on paper", "withdraw", "covers the records", "up to date", "program that opens PDF"):
        assert told in statement
        assert told in text
    with pytest.raises(Refused) as refused:
        render_consent_sample(template, data | {"code": "IO0"}, press)
    assert refused.value.rule == "field_has_its_shape"
