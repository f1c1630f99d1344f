"""What is certified on one PDF: who signed an agreement, what a holder holds, what a closing issued."""

from __future__ import annotations

from typing import Final

from bookrunner.adapters.documents.render import Rendered, render
from bookrunner.adapters.documents.snapshot import Snapshot, check_letters, check_shape
from bookrunner.adapters.documents.template import Template, read_clause
from bookrunner.adapters.documents.typesetter import Typesetter

SEAL: Final = "seal"


def render_certificate(template: Template, evidence: Snapshot, typesetter: Typesetter) -> Rendered:
    """Return the certificate of one executed agreement as PDF/A-2b, with a box for the platform's seal.

    ``evidence`` has the shape in the template's ``schema.json``; its canonical JSON is kept beside the file.
    Refuses what :func:`check_letters`, :func:`check_shape` and :func:`render` refuse.
    """
    check_letters(evidence)
    check_shape(template, evidence)
    hashes = evidence["hashes"]
    summary = [
        ("Envelope", evidence["envelope"]),
        ("Offer", evidence["offer"]),
        ("Investment", evidence["investment"]),
        ("Template", f"{evidence['template']}, {evidence['pages']} pages"),
        ("Rendered file", hashes["rendered"]),
        ("Signed by the investor", hashes["investor_signed"]),
        ("Executed file", hashes["executed"]),
        ("Verified", f"{evidence['verdict']['verified_at']} by {evidence['verdict']['tools']}"),
        ("Retention class", evidence["retention"]),
        ("Head of the event chain", evidence["chain_head"]),
    ]
    packet = {
        "title": template.about["title"],
        "template": {"id": template.id, "version": template.version},
        "summary": summary,
        "statement": read_clause(template.clause("statement"), {}),
        "signers": [_rows(signer) for signer in evidence["signers"]],
        "happenings": evidence["happenings"],
        "checks": evidence["verdict"]["checks"],
        "envelope": evidence["envelope"],
    }
    return render(template, evidence, typesetter, packet=packet, summary=summary, fields=[SEAL])


def render_statement(template: Template, data: Snapshot, typesetter: Typesetter) -> Rendered:
    """Return the statement of one holding at the end of a day as PDF/A-2b.

    ``data`` has the shape in the template's ``schema.json``; the same data always gives the same bytes.
    Refuses what :func:`check_letters`, :func:`check_shape` and :func:`render` refuse.
    """
    check_letters(data)
    check_shape(template, data)
    summary = [
        ("Offer", f"{data['offer_name']} ({data['offer']})"),
        ("Holding", data["holding"]),
        ("Holder", data["holder"]),
        ("Units held", data["units"]),
        ("At the end of", data["day"]),
        ("Read from the register at", data["as_of"]),
        ("Digest of the registration", data["registration"]),
    ]
    packet = {
        "title": template.about["title"],
        "summary": summary,
        "lots": data["lots"],
        "wallets": data["wallets"],
        "statement": read_clause(template.clause("statement"), {}),
    }
    return render(template, data, typesetter, packet=packet, summary=summary)


def render_index(template: Template, data: Snapshot, typesetter: Typesetter) -> Rendered:
    """Return the index of an examination as PDF/A-2b: its parts with their files and their SHA-256.

    ``data`` has the shape in the template's ``schema.json``. Refuses what :func:`check_letters`,
    :func:`check_shape` and :func:`render` refuse.
    """
    check_letters(data)
    check_shape(template, data)
    summary = [
        ("Examination", data["examination"]),
        ("From", data["from"]),
        ("Until", data["until"]),
        ("Taken by", data["taken_by"]),
        ("Purpose", data["purpose"]),
        ("Taken at", data["as_of"]),
        ("Events in the history", data["events"]),
        ("Newest root", data["root"]),
    ]
    packet = {
        "title": template.about["title"],
        "summary": summary,
        "statement": read_clause(template.clause("statement"), {}),
        "parts": data["parts"],
    }
    return render(template, data, typesetter, packet=packet, summary=summary)


def render_closing(template: Template, data: Snapshot, typesetter: Typesetter) -> Rendered:
    """Return the certificate of a closing as PDF/A-2b, with a box for the platform's seal.

    ``data`` has the shape in the template's ``schema.json``; its ``record`` is the SHA-256 of the record that
    proves itself. Refuses what :func:`check_letters`, :func:`check_shape` and :func:`render` refuse.
    """
    check_letters(data)
    check_shape(template, data)
    summary = [
        ("Closing", f"{data['number']} of {data['offer_name']}"),
        ("Identifiers", f"{data['envelope']}, {data['offer']}"),
        ("Members", data["count"]),
        ("Units", data["units"]),
        ("Amount", data["amount"]),
        ("Certified", data["as_of"]),
        ("SHA-256 of the record", data["record"]),
        ("Merkle root", data["root"]),
        ("Digest of the frozen set", data["set"]),
    ]
    packet = {
        "title": template.about["title"],
        "template": {"id": template.id, "version": template.version},
        "summary": summary,
        "statement": read_clause(template.clause("statement"), {}),
        "members": data["members"],
        "envelope": data["envelope"],
    }
    return render(template, data, typesetter, packet=packet, summary=summary, fields=[SEAL])


def _rows(signer: Snapshot) -> dict[str, object]:
    known = signer["authentication"]
    rows = [
        ("Party", f"{signer['party']}, {signer['capacity']} ({signer['authority']})"),
        ("E-mail", signer.get("email")),
        ("Authenticated", " at ".join(known[name] for name in ("method", "at") if name in known)),
        ("Session", f"{signer['session']} from {signer['address']}"),
        ("Browser", signer["agent"]),
        ("Consent", _consent(signer)),
        ("Sentence shown", signer["intent"]),
        ("Sent", signer["sent_at"]),
        ("Opened", signer.get("opened_at")),
        ("Read to its end", signer.get("read_at")),
        ("Signed", signer["signed_at"]),
        ("Time-stamped", signer.get("stamped_at")),
        ("Certificate", signer["serial"]),
    ]
    rows += [("Received", f"{item['title']} ({item['sha256']})") for item in signer["materials"]]
    # What nobody recorded is left out, so that nothing stands for it.
    return {"name": signer["name"], "rows": [row for row in rows if row[1] is not None]}


def _consent(signer: Snapshot) -> str | None:
    if "consent" not in signer:
        return None
    consent = signer["consent"]
    return f"version {consent['version']} at {consent['at']}, text {consent['sha256']}"
