"""An uploaded PDF is paper and nothing else."""

from __future__ import annotations

import io
import random
import zipfile
from contextlib import suppress
from typing import BinaryIO, cast

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, TextStringObject

from bookrunner.adapters.documents import Template, Typesetter, UploadRule, render_packet, take_upload
from bookrunner.core.errors import Refused
from tests.documents import samples


class Endless:
    """A file of 200 MB that counts what is read of it."""

    size = 200 << 20

    def __init__(self) -> None:
        self.taken = 0

    def read(self, size: int) -> bytes:
        count = min(size, self.size - self.taken)
        self.taken += count
        return b"%PDF-" + b"0" * (count - 5)


@pytest.fixture(scope="module")
def paper(press: Typesetter, packet: Template) -> bytes:
    return render_packet(packet, samples.individual(), press).content


def _rule(content: bytes) -> str:
    with pytest.raises(Refused) as refused:
        take_upload(io.BytesIO(content))
    return refused.value.rule


def _written(paper: bytes) -> PdfWriter:
    return PdfWriter(clone_from=PdfReader(io.BytesIO(paper)))


def _bytes(writer: PdfWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _action(kind: str) -> DictionaryObject:
    return DictionaryObject({NameObject("/S"): NameObject(kind), NameObject("/F"): TextStringObject("calc")})


def test_paper_is_taken_as_it_is(paper: bytes) -> None:
    assert take_upload(io.BytesIO(paper)) == paper


def test_200_megabytes_are_refused_before_they_are_read() -> None:
    source = Endless()
    with pytest.raises(Refused) as refused:
        take_upload(cast("BinaryIO", source))
    assert refused.value.rule == UploadRule.SIZE
    assert source.taken < 40 << 20


def test_scripts_are_refused_on_opening_and_on_a_page(paper: bytes) -> None:
    writer = _written(paper)
    writer.root_object[NameObject("/OpenAction")] = _action("/JavaScript")
    assert _rule(_bytes(writer)) == UploadRule.PASSIVE
    writer = _written(paper)
    page = writer.pages[0]
    page[NameObject("/AA")] = DictionaryObject({NameObject("/O"): _action("/JavaScript")})
    assert _rule(_bytes(writer)) == UploadRule.PASSIVE


@pytest.mark.parametrize("kind", ["/Launch", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE"])
def test_actions_that_leave_the_page_are_refused(paper: bytes, kind: str) -> None:
    writer = _written(paper)
    writer.root_object[NameObject("/OpenAction")] = _action(kind)
    assert _rule(_bytes(writer)) == UploadRule.PASSIVE


def test_a_script_that_nothing_refers_to_is_refused(paper: bytes) -> None:
    writer = _written(paper)
    writer._add_object(DictionaryObject({NameObject("/JS"): TextStringObject("1")}))
    assert _rule(_bytes(writer)) == UploadRule.PASSIVE


def test_a_script_inside_an_array_is_refused(paper: bytes) -> None:
    writer = _written(paper)
    writer.root_object[NameObject("/OpenAction")] = ArrayObject([ArrayObject([_action("/JavaScript")])])
    assert _rule(_bytes(writer)) == UploadRule.PASSIVE


def test_attachments_are_refused(paper: bytes) -> None:
    writer = _written(paper)
    writer.add_attachment("a.exe", b"MZ")
    assert _rule(_bytes(writer)) == UploadRule.ALONE


def test_an_encrypted_file_is_refused(paper: bytes) -> None:
    writer = _written(paper)
    writer.encrypt("secret", algorithm="AES-256")
    assert _rule(_bytes(writer)) == UploadRule.OPEN


def test_a_polyglot_is_refused(paper: bytes) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.txt", "a")
    assert _rule(archive.getvalue() + paper) == UploadRule.PDF
    assert _rule(paper + archive.getvalue()) == UploadRule.PDF
    hidden = io.BytesIO(paper)
    hidden.seek(0, io.SEEK_END)
    with zipfile.ZipFile(hidden, "a") as file:
        file.comment = b"%%EOF"
        file.writestr("a.txt", "a")
    assert hidden.getvalue().endswith(b"%%EOF")
    assert _rule(hidden.getvalue()) == UploadRule.ONE_FORMAT
    assert _rule(b"%PDF-1.7\n<html><script>1</script>" + paper) == UploadRule.ONE_FORMAT


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\n%%EOF", b"MZ\x90", b"%PDF-1.7\nstartxref\n99\n%%EOF"])
def test_what_is_no_pdf_is_refused(content: bytes) -> None:
    assert _rule(content) in {UploadRule.PDF, UploadRule.READABLE}


def test_too_many_pages_are_refused() -> None:
    writer = PdfWriter()
    for _ in range(501):
        writer.add_blank_page(10, 10)
    assert _rule(_bytes(writer)) == UploadRule.PAGES


def test_broken_bytes_are_taken_or_refused_and_nothing_else(paper: bytes) -> None:
    chance = random.Random(7)
    for _ in range(40):
        broken = bytearray(paper)
        for _ in range(30):
            broken[chance.randrange(5, len(broken) - 8)] = chance.randrange(256)
        with suppress(Refused):
            take_upload(io.BytesIO(bytes(broken)))
