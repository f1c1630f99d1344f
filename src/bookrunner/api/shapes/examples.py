"""One example of the body of each operation that takes one; the people and things in them do not exist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_ID = "01m7zaf8kjmsd9r30y5rz6jrp8"
_SHA256 = "9f2c" * 16
_PRICE = {"amount": "1000.00", "currency": "USD"}
_UNDER: Final[Mapping[str, object]] = {
    "programme": "prg_0123456789abcdef0123456789",
    "because": "passport and account statement were seen, both in date",
}
_DETAIL: Final[Mapping[str, object]] = {
    "legal_name": "Example Person",
    "country": "US",
    "address": "1 Sample Street, Springfield",
    "tax_id": "900001234",
    "birth_date": "1980-01-31",
    "email": "person@example.test",
}

BODIES: Final[Mapping[str, object]] = {
    "propose": {
        "operation": "move_offer",
        "path": {"offer": f"ofr_{_ID}"},
        "body": {"to": "legal_review"},
        "if_match": '"1"',
        "sentence": "The terms are complete; counsel can read them.",
    },
    "confirm_proposal": {"version": '"3"'},
    "decline_proposal": {"because": "counsel asked for another price"},
    "open_offer": {
        "issuer": f"iss_{_ID}",
        "name": "Harbour Street Growth Fund I",
        "exemption": "506(c)",
        "unit_price": _PRICE,
        "units_total": "5000",
        "minimum_units": "5",
        "opens_at": "2026-03-01T09:00:00Z",
        "closes_at": "2026-06-30T21:00:00Z",
    },
    "move_offer": {"to": "legal_review"},
    "review_offer": {"accepted": True, "because": "the terms agree with the memorandum"},
    "fail_offer": {"ended_as": "withdrawn", "because": "the issuer has withdrawn the offer"},
    "open_investment": {"offer": f"ofr_{_ID}", "investor": f"ivr_{_ID}", "units": "25"},
    "decide_cancellation": {"granted": True, "because": "asked for within the window"},
    "cancel_investment": {"because": "the investor's account was closed"},
    "propose_allocation": {"units": "25"},
    "freeze_closing": {"members": "ready"},
    "decide_closing_case": {"status": "to_be_included", "because": "the officer has countersigned since"},
    "name_allocation_policy": {"policy": "pro_rata", "hold_minutes": 4320},
    "join_waitlist": {"investor": f"ivr_{_ID}", "units": "10"},
    "dry_run_allotment": {"wishes": {f"inv_{_ID}": "20"}},
    "decide_allotment": {
        "capacity": "issuer",
        "because": "the offer is oversubscribed",
        "wishes": {f"inv_{_ID}": "20"},
    },
    "scale_back": {"units": "20", "capacity": "issuer", "because": "the offer is oversubscribed"},
    "propose_amendment": {
        "sentence": "The minimum raise is lowered to 2,000,000.00 USD.",
        "is_material": True,
        "document_sha256": _SHA256,
    },
    "decide_amendment": {"accepted": True, "because": "counsel has read the supplement"},
    "state_filing_fact": {
        "fact": "year_end",
        "happened_on": "2026-12-31",
        "because": "The bylaws end the fiscal year with December.",
        "document_sha256": _SHA256,
    },
    "fill_filing": {"item": "jurisdiction", "value": "Delaware", "source": "certificate of formation"},
    "record_filing": {
        "filed_on": "2026-12-01",
        "reference": "0001234567-26-000001",
        "proof_sha256": _SHA256,
    },
    "end_filing": {"because": "The platform's own updates were frequent (17 CFR 227.203(a)(3))."},
    "reopen_filing": {"because": "The rules of the platform gave no such updates."},
    "propose_vote": {
        "resolution": "The fund may lend up to a tenth of its assets.",
        "document_sha256": _SHA256,
        "record_on": "2030-03-31",
        "ends_at": "2030-04-30T17:00:00Z",
        "quorum_bps": 5000,
        "needed_over": 1,
        "needed_of": 2,
    },
    "decide_vote": {"decision": "opened"},
    "cast_ballot": {"investor": f"ivr_{_ID}", "choice": "for"},
    "give_proxy": {"investor": f"ivr_{_ID}", "delegate": "ivr_01m7zb0000000000000000000q"},
    "answer_reconfirmation": {"reconfirmed": True},
    "acknowledge_item": {"kind": "risk", "code": "illiquidity", "version": 1},
    "state_particular": {"kind": "tax_form", "detail": {"form": "W-9"}},
    "give_consent": {"sample": f"csm_{_ID}", "code": "7Q4M2K"},
    "answer_deficiency": {"deficiency": f"dfc_{_ID}", "answer": "The trustee signs alone; see the deed."},
    "release_agreement": {"seen_sha256": _SHA256},
    "return_agreement": {
        "seen_sha256": _SHA256,
        "deficiencies": [
            {"page": 3, "field": "capacity", "reason": "capacity", "words": "Say in which capacity you sign."}
        ],
    },
    "sign_agreement": {"intent": "I sign this agreement and mean to be bound by it."},
    "countersign_agreement": {"intent": "I countersign these agreements for the issuer."},
    "hand_over_agreement": {"provider": "docusign", "expires_at": "2026-04-30T21:00:00Z"},
    "link_agreement_file": {"file": "executed", "reader": "usr_auditor", "minutes": 60},
    "accept_statement": {
        "programme": "prg_0123456789abcdef0123456789",
        "statement": "us_person",
        "fact": "tax_residence",
        "because": "moved this year, the new form is on file",
    },
    "withdraw_acceptance": {
        "programme": "prg_0123456789abcdef0123456789",
        "because": "the form was not signed",
    },
    "publish_questionnaire": {
        "questions": [
            {
                "id": "experience",
                "sentence": "How often have you invested in private companies?",
                "choices": ["never", "once or twice", "more often"],
                "knowing": ["more often"],
            }
        ],
        "knowledge_from": 1,
        "because": "first version",
    },
    "propose_release": {
        "closing": f"cls_{_ID}",
        "account": "DE89 3704 0044 0532 0130 00",
        "deductions": [
            {
                "kind": "platform_fee",
                "payee": "platform",
                "account": "DE02 1203 0000 0000 2020 51",
                "amount": {"amount": "1200.00", "currency": "USD"},
            }
        ],
    },
    "decide_distribution": {"decision": "approved"},
    "decide_release": {
        "decision": "approved",
        "account": "DE89 3704 0044 0532 0130 00",
        "amount": {"amount": "250000.00", "currency": "USD"},
        "net": {"amount": "248800.00", "currency": "USD"},
        "deductions": [
            {
                "kind": "platform_fee",
                "payee": "platform",
                "account": "DE02 1203 0000 0000 2020 51",
                "amount": {"amount": "1200.00", "currency": "USD"},
            }
        ],
    },
    "post_bank_statement": {"content": "OjIwOlNUTVQtMQo6MjU6RVNDUk9XLTEK"},
    "reject_wallet": {"because": "the holder asked for another one"},
    "link_wallet": {"beside": False},
    "assign_break": {"person": "fund.flo"},
    "answer_break": {"kind": "corrected", "answer": "the receipt was matched to its investment"},
    "accept_break": {"because": "both sides were told; the bank corrects it by Friday"},
    "answer_suitability": {
        "investor": f"ivr_{_ID}",
        "account": "acc_portal_17",
        "questionnaire": "1",
        "answers": {"experience": "once or twice"},
    },
    "certify_ownership": {
        "account": "acc_portal_17",
        "people": [{"id": "first", "name": "Example Person", "kind": "person", "controls": True}],
        "shares": [{"owned": f"ivr_{_ID}", "owner": "first", "share_bp": 10_000}],
        "certified": True,
    },
    "open_profile": {"account": "acc_portal_17", "kind": "individual", "detail": _DETAIL},
    "amend_profile": {"detail": _DETAIL},
    "look_at_profile": {"purpose": "to answer a letter of the investor"},
    "request_profile_change": {
        "detail": _DETAIL,
        "because": "the investor moved",
        "evidence_sha256": _SHA256,
    },
    "look_at_profile_change": {"purpose": "to decide on it"},
    "decide_profile_change": {**_UNDER, "approved": True},
    "open_identity_case": {"form": ""},
    "keep_file": {"content": "JVBERi0xLjcKJeLjz9MK"},
    "file_paper": {"code": "passport", "sha256": _SHA256, "valid_until": "2031-04-30T00:00:00Z"},
    "add_accreditation_evidence": {"kind": "credit_report", "sha256": _SHA256},
    "record_party": {"name": "Example Person", "role": "trustee"},
    "take_ownership": {"because": "read with the register of the company"},
    "open_clearance": {"investor": f"ivr_{_ID}"},
    "decide_identity": {
        **_UNDER,
        "decision": "verified",
        "elements": ["address", "birth_date", "identification_number", "name"],
        "documents": [f"doc_{_ID}"],
        "profile_sha256": _SHA256,
    },
    "reject_paper": _UNDER,
    "verify_owner": _UNDER,
    "verify_party": _UNDER,
    "decide_discrepancy": {**_UNDER, "decision": "resolved"},
    "decide_accreditation": {**_UNDER, "decision": "approved", "method": "net_worth"},
    "decide_diligence": {**_UNDER, "decision": "completed"},
    "complete_review": _UNDER,
    "decide_hit": {**_UNDER, "decision": "no_match"},
    "propose_on_receipt": {
        "act": "match",
        "investment": f"inv_{_ID}",
        "because": "the investor's letter names this wire",
    },
    "decide_on_receipt": {"approved": True},
    "request_transfer": {
        "kind": "sale",
        "route": "holder",
        "seller": f"ivr_{_ID}",
        "buyer": "ivr_01m7zb0000000000000000000q",
        "units": "10",
        "price": _PRICE,
    },
    "present_transfer_papers": {"papers": [{"paper": "instruction", "sha256": _SHA256}]},
    "approve_transfer": {"until": "2026-09-30T21:00:00Z"},
    "refuse_transfer": {"outcome": "returned", "reasons": ["the instruction is not signed"]},
    "name_delegate": {
        "delegate": f"dlg_{_ID}",
        "scope": "prepare",
        "ends_at": "2030-09-30T21:00:00Z",
    },
    "post_interest": {
        "investor": f"ivr_{_ID}",
        "side": "sell",
        "units": "10",
        "price": _PRICE,
        "ends_on": "2030-09-30",
    },
    "match_interest": {"investor": f"ivr_{_ID}"},
    "withdraw_interest": {"investor": f"ivr_{_ID}"},
    "ask_wallet": {
        "investor": f"ivr_{_ID}",
        "address": "0x52908400098527886E0F7030069857D2E4169EE7",
        "domain": "invest.example.com",
    },
    "claim_wallet": {"investor": f"ivr_{_ID}", "challenge": f"wch_{_ID}", "signature": "0x" + "1b" * 65},
    "request_institutional_allocation": {
        "entity": f"ivr_{_ID}",
        "tranche": "senior",
        "amount": {"amount": "250000.00", "currency": "USD"},
    },
    "move_institutional_allocation": {"status": "under_internal_review"},
    "take_institution_in": {
        "offer": f"ofr_{_ID}",
        "tranche": "senior",
        "amount": {"amount": "250000.00", "currency": "USD"},
        "statement": "We are the pension fund of 40,000 teachers.",
    },
    "register_webhook_endpoint": {
        "url": "https://hooks.example.com/bookrunner",
        "kinds": ["investment.confirmed", "closing.issued"],
    },
    "rotate_webhook_secret": {"overlap_hours": 48},
    "disable_webhook_endpoint": {"because": "the receiver moves to another address"},
    "resend_webhook_deliveries": {"first": 4700, "last": 4720},
    "initiate_escrow": {
        "offer": f"ofr_{_ID}",
        "allocation": f"iac_{_ID}",
        "investment": f"inv_{_ID}",
        "settlement_due_at": "2030-04-30T17:00:00Z",
    },
}
