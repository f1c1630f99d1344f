"""A kit comes back: judged whole before anything is written, then its people, offers and registers.

What a kit is proved by is the SHA-256 of its manifest, which was on record where it was taken and comes by
another way than the file. Offers, terms and who has how many units are read from its verified history.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from bookrunner.app.examination.kit import FORMAT, SHOWN, TOTALS
from bookrunner.app.examination.reading import Kit, lots_in, read_kit
from bookrunner.app.examination.tables import Line
from bookrunner.audit import verify_export
from bookrunner.books import portal, registry
from bookrunner.core.errors import NotFound, Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Database, Keeper, load

_BESIDE: Final = frozenset({"manifest.json", "SHA256SUMS"})
_MOST_BYTES: Final = 64 * 2**30
_MOST_MANIFEST_BYTES: Final = 256 * 2**20
_OFFER: Final = (
    "issuer_id",
    "name",
    "exemption",
    "currency",
    "unit_price_minor",
    "units_total",
    "minimum_units",
    "isin",
    "agreement_form",
)
_TERMS: Final = (
    "security_type",
    "instrument",
    "target_minor",
    "opens_at",
    "closes_at",
    "pays_by",
    "closes_at_cap",
    "two_people_close",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which an installation is not what a kit says: whose, what, and how it stands in each."""

    subject: str
    what: str
    in_kit: str
    here: str


@contextmanager
def open_kit(file: Path, manifest_sha256: str) -> Iterator[Kit]:
    """Lend a kit whose every byte is what its manifest says; what was unpacked is removed afterwards.

    Refuses ``kit_is_the_one_that_was_taken``, ``kit_has_a_known_format``, ``kit_is_whole``,
    ``kit_is_unaltered``, ``kit_history_verifies`` and ``kit_agrees_with_its_history``.
    """
    with tempfile.TemporaryDirectory(prefix="bkr-kit-") as room:
        root = Path(room)
        try:
            with zipfile.ZipFile(file) as packed:
                files = _listed(packed, manifest_sha256)
                _unpack(packed, files, root)
        except FileNotFoundError:
            raise NotFound(f"there is no file {file}") from None
        except (OSError, zipfile.BadZipFile) as fault:
            raise Refused("kit_is_whole", f"{file} is no readable zip file: {fault}") from None
        verdict = verify_export(root / "history.jsonl")
        if not verdict.ok:
            first = verdict.faults[0]
            raise Refused("kit_history_verifies", f"{first.rule} {first.event}: {first.detail}")
        yield read_kit(root, manifest_sha256)


def rebuild(database: Database, kit: Kit, actor: str, paper: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    """Enter people, offers and control books of a kit; return offer and import of each register to post.

    A second person posts each import. ``paper`` has authority_sha256 (hex) and reference of the issuer's
    written authority. What an earlier call has entered is passed over. Offers come back as drafts: their
    reviews are not ours to repeat. Refuses ``kit_enters_an_empty_installation``, ``kit_register_is_postable``
    and what the verbs of profiles, offers and registers refuse.
    """
    with database.transaction("reconciliation") as transaction:
        known = load(__package__).already_here(transaction)
        here = {row["id"] for row in known}
    strangers = sorted(here - set(kit.people) - set(kit.offers))
    if strangers:
        raise Refused("kit_enters_an_empty_installation", f"{strangers[0]} is here and not in the kit")
    _enter_people(database, kit, (actor, here))
    return [
        made
        for offering in kit.offers
        for made in _enter_offer(database, (kit, offering), (actor, here), paper)
    ]


def compare_kit(database: Database, kit: Kit, actor: str) -> Sequence[Difference]:
    """Return what of people, lots and totals here is not what the kit says.

    Each look at a person is on record; values of people are not in what comes back.
    """
    found: list[Difference] = []
    keeper = registry.keeper(database)
    for offering in kit.offers:
        wanted, stands = kit.lots(offering), lots_in(registry.export_csv(keeper, offering))
        for lot in sorted((wanted | stands).keys()):
            if wanted[lot] != stands[lot]:
                told = " ".join(str(each) for each in lot)
                found.append(Difference(offering, f"lot {told}", str(wanted[lot]), str(stands[lot])))
        totals, balance = kit.totals(offering), keeper.balance(offering=offering)
        found += [
            Difference(offering, name, str(totals[name]), str(balance and balance[name]))
            for name in TOTALS
            if balance is None or totals[name] != balance[name]
        ]
    return [*found, *_other_people(database, kit, actor)]


def _listed(packed: zipfile.ZipFile, manifest_sha256: str) -> Mapping[str, Line]:
    """Return the files of the manifest by their paths, after its own bytes were proved."""
    sizes = {one.filename: one.file_size for one in packed.infolist()}
    if sizes.get("manifest.json", _MOST_MANIFEST_BYTES + 1) > _MOST_MANIFEST_BYTES:
        raise Refused("kit_is_whole", "manifest.json is missing or too large")
    raw = packed.read("manifest.json")
    if hashlib.sha256(raw).hexdigest() != manifest_sha256.lower():
        raise Refused("kit_is_the_one_that_was_taken", "its manifest has another SHA-256")
    manifest = json.loads(raw)
    if manifest.get("format") != FORMAT:
        raise Refused("kit_has_a_known_format", f"{manifest.get('format')} is not {FORMAT}")
    files = {str(one["path"]): one for one in manifest["files"]}
    unlike = sorted(set(files) ^ (set(sizes) - _BESIDE))
    if unlike or len(sizes) != len(packed.infolist()):
        raise Refused("kit_is_whole", f"{unlike[0] if unlike else 'a file'} is lost, unlisted or there twice")
    if sum(sizes.values()) > _MOST_BYTES:
        raise Refused("kit_is_whole", f"it is larger than {_MOST_BYTES} bytes")
    return files


def _unpack(packed: zipfile.ZipFile, files: Mapping[str, Line], root: Path) -> None:
    for path, listed in files.items():
        inside = PurePosixPath(path)
        if inside.is_absolute() or ".." in inside.parts:
            raise Refused("kit_is_whole", f"{path} lies outside of it")
        target = root / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        with packed.open(path) as source, target.open("wb") as copy:
            while piece := source.read(2**20):
                digest.update(piece)
                size += len(piece)
                copy.write(piece)
        if (digest.hexdigest(), size) != (listed["sha256"], listed["bytes"]):
            raise Refused("kit_is_unaltered", f"{path} is not what was taken")


def _enter_people(database: Database, kit: Kit, by: tuple[str, set[str]]) -> None:
    (actor, here), keeper = by, portal.keeper(database)
    kinds = {str(row["record"]): row for row in kit.past.records.get("profile", [])}
    for investor, person in kit.people.items():
        if investor in here or person["is_erased"]:
            continue
        said = kinds[investor]
        keeper.open_profile(
            actor=actor,
            investor=investor,
            account=said["account_id"],
            kind=said["kind"],
            detail={name: person[name] for name in SHOWN if person.get(name)},
        )


def _enter_offer(
    database: Database, of: tuple[Kit, str], by: tuple[str, set[str]], paper: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    (kit, offering), (actor, here) = of, by
    keeper = registry.keeper(database)
    if offering not in here:
        terms = _terms(kit, offering)
        Keeper(database, "engine", "bookrunner.engine").open_offer(
            actor=actor, offering=offering, terms=terms
        )
    if keeper.balance(offering=offering) is None:
        keeper.open_control_book(
            actor=actor,
            offering=offering,
            control=new_id("ctl"),
            authorised_units=kit.totals(offering)["authorised_units"],
            authority_sha256=bytes.fromhex(paper["authority_sha256"]),
        )
    package = kit.package(offering)
    judged = registry.judge_holders(keeper, offering, registry.judge_package(package))
    if judged.faults:
        first = judged.faults[0]
        raise Refused(
            "kit_register_is_postable", f"{first.place} {first.object_id} {first.rule}: {first.detail}"
        )
    begun = keeper.balance(offering=offering)["posted_units"] or keeper.imports_under_way(offering=offering)
    if judged.lines and not begun:
        authority = {**paper, "file_sha256": hashlib.sha256(package).hexdigest()}
        yield offering, registry.propose_import(keeper, (offering, actor), judged, authority)


def _terms(kit: Kit, offering: str) -> dict[str, Any]:
    (offer,) = (row for row in kit.past.records["offer"] if row["record"] == offering)
    terms = max(
        (row for row in kit.past.records["terms"] if row["scope"] == offering),
        key=lambda row: int(row["ordinal"]),
    )
    return {name: offer.get(name) for name in _OFFER} | {name: terms.get(name) for name in _TERMS}


def _other_people(database: Database, kit: Kit, actor: str) -> Iterator[Difference]:
    keeper = portal.keeper(database)
    with database.transaction("reconciliation") as transaction:
        versions = {row["id"]: row["version"] for row in load(__package__).already_here(transaction)}
    purpose = f"kit {kit.manifest_sha256}"
    for investor, person in kit.people.items():
        if person["is_erased"]:
            continue
        if investor not in versions:
            yield Difference(investor, "profile", "there", "missing")
            continue
        said = portal.reveal_profile(keeper, investor, versions[investor], actor=actor, purpose=purpose)
        for name in SHOWN:
            if (person.get(name) or "") != (said.get(name) or ""):
                # Values of people stay in their files.
                yield Difference(investor, name, "another", "another")
