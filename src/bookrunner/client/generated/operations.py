# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Every operation by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bookrunner.client.transport import Operation

OPERATIONS: Final[Mapping[str, Operation]] = {
    "accept_break": Operation("POST", "/v1/offers/{offer}/breaks/{break_id}/acceptances", True, True),
    "accept_statement": Operation("POST", "/v1/investments/{investment}/acceptances", True),
    "acknowledge_item": Operation("POST", "/v1/investments/{investment}/acknowledgments", True),
    "add_accreditation_evidence": Operation("POST", "/v1/investors/{investor}/accreditation/evidence", True),
    "amend_profile": Operation("POST", "/v1/investors/{investor}/versions", True, True),
    "answer_break": Operation("POST", "/v1/offers/{offer}/breaks/{break_id}/answers", True, True),
    "answer_deficiency": Operation("POST", "/v1/investments/{investment}/deficiency_answers", True),
    "answer_reconfirmation": Operation(
        "POST", "/v1/investments/{investment}/reconfirmations/{reconfirmation}/answer", True
    ),
    "answer_suitability": Operation("POST", "/v1/offers/{offer}/suitability", True),
    "approve_allocation": Operation(
        "POST", "/v1/investments/{investment}/allocations/{allocation}/approve", True, True
    ),
    "approve_transfer": Operation("POST", "/v1/offers/{offer}/transfers/{transfer}/approve", True, True),
    "approve_wallet": Operation("POST", "/v1/offers/{offer}/wallets/{mapping}/approvals", True, True),
    "ask_rescission": Operation("POST", "/v1/offers/{offer}/rescissions", True),
    "ask_wallet": Operation("POST", "/v1/offers/{offer}/wallet-challenges", True),
    "assign_break": Operation("POST", "/v1/offers/{offer}/breaks/{break_id}/assignments", True, True),
    "cancel_investment": Operation("POST", "/v1/investments/{investment}/cancellations", True, True),
    "cast_ballot": Operation("POST", "/v1/offers/{offer}/votes/{vote}/ballots", True),
    "certify_ownership": Operation("POST", "/v1/investors/{investor}/ownership", True),
    "claim_wallet": Operation("POST", "/v1/offers/{offer}/wallets", True),
    "clear_receipt": Operation("POST", "/v1/offers/{offer}/receipts/{receipt}/clear", True, True),
    "complete_review": Operation("POST", "/v1/investors/{investor}/reviews", True, True),
    "confirm_conversion_input": Operation("POST", "/v1/offers/{offer}/conversions/{conversion}/inputs", True),
    "confirm_filing_end": Operation("POST", "/v1/filings/{filing}/ends/confirmations", True, True),
    "confirm_investment": Operation("POST", "/v1/investments/{investment}/confirm", True),
    "confirm_investment_legally": Operation(
        "POST", "/v1/investments/{investment}/confirm_legally", True, True
    ),
    "confirm_proposal": Operation("POST", "/v1/proposals/{proposal}/confirmations", True, True),
    "countersign_agreement": Operation("POST", "/v1/agreements/{agreement}/countersign", True, True),
    "decide_accreditation": Operation("POST", "/v1/investors/{investor}/accreditation/decisions", True, True),
    "decide_allotment": Operation("POST", "/v1/offers/{offer}/allotments", True, True),
    "decide_amendment": Operation("POST", "/v1/offers/{offer}/amendments/{amendment}/decisions", True, True),
    "decide_buyback": Operation("POST", "/v1/offers/{offer}/buybacks/{buyback}/decisions", True, True),
    "decide_cancellation": Operation(
        "POST", "/v1/investments/{investment}/cancellation_decisions", True, True
    ),
    "decide_closing_case": Operation("POST", "/v1/offers/{offer}/closing_cases/{case}/decisions", True, True),
    "decide_conversion": Operation(
        "POST", "/v1/offers/{offer}/conversions/{conversion}/decisions", True, True
    ),
    "decide_coupon_fixing": Operation(
        "POST", "/v1/offers/{offer}/coupon_fixings/{fixing}/decisions", True, True
    ),
    "decide_coupon_schedule": Operation(
        "POST", "/v1/offers/{offer}/coupon_schedules/{schedule}/decisions", True, True
    ),
    "decide_diligence": Operation(
        "POST", "/v1/investors/{investor}/diligences/{diligence}/decisions", True, True
    ),
    "decide_discrepancy": Operation(
        "POST", "/v1/investors/{investor}/discrepancies/{discrepancy}/decisions", True, True
    ),
    "decide_distribution": Operation(
        "POST", "/v1/offers/{offer}/distributions/{distribution}/decisions", True, True
    ),
    "decide_hit": Operation("POST", "/v1/screenings/{subject}/hits/{hit}/decisions", True, True),
    "decide_identity": Operation("POST", "/v1/investors/{investor}/case/decisions", True, True),
    "decide_line_release": Operation(
        "POST", "/v1/offers/{offer}/buybacks/{buyback}/line_releases/{line_release}/decisions", True, True
    ),
    "decide_on_receipt": Operation(
        "POST", "/v1/offers/{offer}/receipts/{receipt}/proposals/{receipt_proposal}/decisions", True, True
    ),
    "decide_payee_account": Operation(
        "POST", "/v1/offers/{offer}/payee_accounts/{account}/decisions", True, True
    ),
    "decide_payee_mandate": Operation(
        "POST", "/v1/offers/{offer}/payee_mandates/{mandate}/decisions", True, True
    ),
    "decide_paying_wallet": Operation(
        "POST", "/v1/offers/{offer}/paying_wallets/{wallet}/decisions", True, True
    ),
    "decide_principal_terms": Operation(
        "POST", "/v1/offers/{offer}/principal_terms/{terms}/decisions", True, True
    ),
    "decide_profile_change": Operation(
        "POST", "/v1/investors/{investor}/changes/{change}/decisions", True, True
    ),
    "decide_reinvestment_plan": Operation(
        "POST", "/v1/offers/{offer}/reinvestment/plans/{plan}/decisions", True, True
    ),
    "decide_release": Operation("POST", "/v1/offers/{offer}/releases/{release}/decisions", True, True),
    "decide_remittance": Operation(
        "POST", "/v1/offers/{offer}/remittances/{remittance}/decisions", True, True
    ),
    "decide_split": Operation("POST", "/v1/offers/{offer}/splits/{split}/decisions", True, True),
    "decide_tax_year": Operation("POST", "/v1/offers/{offer}/tax_years/{tax_year}/decisions", True, True),
    "decide_vote": Operation("POST", "/v1/offers/{offer}/votes/{vote}/decisions", True, True),
    "decline_proposal": Operation("POST", "/v1/proposals/{proposal}/refusals", True, True),
    "disable_webhook_endpoint": Operation(
        "POST", "/v1/webhooks/endpoints/{endpoint}/disablements", True, True
    ),
    "draft_coupon": Operation("POST", "/v1/offers/{offer}/coupons/{number}/distributions", True),
    "draft_instalment": Operation("POST", "/v1/offers/{offer}/instalments/{number}/distributions", True),
    "draft_tax_year": Operation("POST", "/v1/offers/{offer}/tax_years", True),
    "dry_run_allotment": Operation("POST", "/v1/offers/{offer}/allotments/dry_run"),
    "dry_run_closing": Operation("POST", "/v1/offers/{offer}/closings/dry_run"),
    "elect_reinvestment": Operation("POST", "/v1/offers/{offer}/reinvestment/elections", True),
    "enable_webhook_endpoint": Operation("POST", "/v1/webhooks/endpoints/{endpoint}/enablements", True, True),
    "end_delegation": Operation("POST", "/v1/investors/{investor}/delegates/{delegation}/end", True),
    "end_filing": Operation("POST", "/v1/filings/{filing}/ends", True, True),
    "fail_offer": Operation("POST", "/v1/offers/{offer}/failures", True, True),
    "file_paper": Operation("POST", "/v1/investors/{investor}/papers", True),
    "fill_filing": Operation("POST", "/v1/filings/{filing}/values", True),
    "freeze_closing": Operation("POST", "/v1/offers/{offer}/closings", True, True),
    "get_agreement": Operation("GET", "/v1/agreements/{agreement}"),
    "get_bank_statement": Operation("GET", "/v1/offers/{offer}/bank_statements/{bank_statement}"),
    "get_cancellation_right": Operation("GET", "/v1/investments/{investment}/cancellation"),
    "get_consent_sample": Operation("GET", "/v1/investments/{investment}/consent_samples/{sample}"),
    "get_conversion_working": Operation("GET", "/v1/offers/{offer}/conversions/{conversion}"),
    "get_distribution": Operation("GET", "/v1/offers/{offer}/distributions/{distribution}"),
    "get_document": Operation("GET", "/v1/documents/{digest}", query=("reader", "until", "token")),
    "get_filing": Operation("GET", "/v1/filings/{filing}"),
    "get_identity_case": Operation("GET", "/v1/investors/{investor}/case"),
    "get_intake": Operation("GET", "/v1/ai-intake/{offer}/{intake}"),
    "get_investment": Operation("GET", "/v1/investments/{investment}"),
    "get_metrics": Operation("GET", "/metrics"),
    "get_offer": Operation("GET", "/v1/offers/{offer}"),
    "get_profile": Operation("GET", "/v1/investors/{investor}"),
    "get_proposal": Operation("GET", "/v1/proposals/{proposal}"),
    "get_receipt": Operation("GET", "/v1/offers/{offer}/receipts/{receipt}"),
    "get_reinvestment": Operation("GET", "/v1/offers/{offer}/reinvestment/distributions/{distribution}"),
    "get_release": Operation("GET", "/v1/offers/{offer}/releases/{release}"),
    "get_resource_metadata": Operation("GET", "/.well-known/oauth-protected-resource"),
    "get_units": Operation("GET", "/v1/offers/{offer}/units"),
    "get_version": Operation("GET", "/version"),
    "get_vote": Operation("GET", "/v1/offers/{offer}/votes/{vote}"),
    "get_vote_tally": Operation("GET", "/v1/offers/{offer}/votes/{vote}/tally", query=("cursor", "limit")),
    "give_consent": Operation("POST", "/v1/investments/{investment}/consents", True),
    "give_proxy": Operation("POST", "/v1/offers/{offer}/votes/{vote}/proxies", True),
    "hand_over_agreement": Operation("POST", "/v1/agreements/{agreement}/envelopes", True, True),
    "initiate_escrow": Operation("POST", "/v1/escrow-initiation", True),
    "is_alive": Operation("GET", "/livez"),
    "is_ready": Operation("GET", "/readyz"),
    "issue_consent_sample": Operation("POST", "/v1/investments/{investment}/consent_samples", True),
    "join_waitlist": Operation("POST", "/v1/offers/{offer}/waitlist", True),
    "keep_file": Operation("POST", "/v1/investors/{investor}/files", True),
    "leave_waitlist": Operation("POST", "/v1/offers/{offer}/waitlist/{entry}/withdraw", True),
    "link_agreement_file": Operation("POST", "/v1/agreements/{agreement}/links"),
    "link_wallet": Operation("POST", "/v1/offers/{offer}/wallets/{mapping}/links", True, True),
    "list_allotments": Operation("GET", "/v1/offers/{offer}/allotments"),
    "list_amendments": Operation("GET", "/v1/offers/{offer}/amendments"),
    "list_anchors": Operation("GET", "/v1/anchors"),
    "list_bank_statements": Operation("GET", "/v1/offers/{offer}/bank_statements", query=("cursor", "limit")),
    "list_breaks": Operation("GET", "/v1/offers/{offer}/breaks"),
    "list_buybacks": Operation("GET", "/v1/offers/{offer}/buybacks"),
    "list_closing_cases": Operation("GET", "/v1/offers/{offer}/closing_cases"),
    "list_closings": Operation("GET", "/v1/offers/{offer}/closings"),
    "list_contradictions": Operation("GET", "/v1/investments/{investment}/contradictions"),
    "list_conversions": Operation("GET", "/v1/offers/{offer}/conversions"),
    "list_coupon_fixings": Operation("GET", "/v1/offers/{offer}/coupon_fixings"),
    "list_coupon_schedules": Operation("GET", "/v1/offers/{offer}/coupon_schedules"),
    "list_coupons": Operation("GET", "/v1/offers/{offer}/coupons"),
    "list_deficiencies": Operation("GET", "/v1/investments/{investment}/deficiencies"),
    "list_delegates": Operation("GET", "/v1/investors/{investor}/delegates"),
    "list_distribution_lines": Operation(
        "GET", "/v1/offers/{offer}/distributions/{distribution}/lines", query=("cursor", "limit")
    ),
    "list_distributions": Operation("GET", "/v1/offers/{offer}/distributions", query=("cursor", "limit")),
    "list_events": Operation("GET", "/v1/events", query=("after", "limit")),
    "list_filings": Operation("GET", "/v1/filings", query=("offer", "missed")),
    "list_holdings": Operation("GET", "/v1/offers/{offer}/holdings", query=("investor", "cursor", "limit")),
    "list_institutional_allocations": Operation("GET", "/v1/offers/{offer}/institutional_allocations"),
    "list_instructions": Operation(
        "GET", "/v1/offers/{offer}/instructions", query=("status", "cursor", "limit")
    ),
    "list_interests": Operation("GET", "/v1/offers/{offer}/interests", query=("investor",)),
    "list_investments": Operation("GET", "/v1/investments", query=("offer", "status", "cursor", "limit")),
    "list_investor_notices": Operation("GET", "/v1/investments/{investment}/notices"),
    "list_line_releases": Operation("GET", "/v1/offers/{offer}/buybacks/{buyback}/line_releases"),
    "list_offers": Operation("GET", "/v1/offers", query=("after", "limit")),
    "list_own_votes": Operation("GET", "/v1/investors/{investor}/votes"),
    "list_payee_accounts": Operation("GET", "/v1/offers/{offer}/payee_accounts"),
    "list_payee_mandates": Operation("GET", "/v1/offers/{offer}/payee_mandates"),
    "list_paying_wallets": Operation("GET", "/v1/offers/{offer}/paying_wallets"),
    "list_payments": Operation(
        "GET", "/v1/offers/{offer}/payments", query=("status", "investment", "cursor", "limit")
    ),
    "list_principal_lots": Operation("GET", "/v1/offers/{offer}/principal_lots", query=("cursor", "limit")),
    "list_principal_terms": Operation("GET", "/v1/offers/{offer}/principal_terms"),
    "list_proposals": Operation("GET", "/v1/proposals"),
    "list_receipts": Operation(
        "GET",
        "/v1/offers/{offer}/receipts",
        query=("status", "investment", "bank_statement", "cursor", "limit"),
    ),
    "list_reconfirmations": Operation("GET", "/v1/investments/{investment}/reconfirmations"),
    "list_refunds": Operation("GET", "/v1/offers/{offer}/refunds", query=("status", "cursor", "limit")),
    "list_reinvestment_elections": Operation("GET", "/v1/offers/{offer}/reinvestment/elections"),
    "list_reinvestment_plans": Operation("GET", "/v1/offers/{offer}/reinvestment/plans"),
    "list_releases": Operation("GET", "/v1/offers/{offer}/releases", query=("cursor", "limit")),
    "list_remittances": Operation("GET", "/v1/offers/{offer}/remittances"),
    "list_rescissions": Operation("GET", "/v1/offers/{offer}/rescissions"),
    "list_splits": Operation("GET", "/v1/offers/{offer}/splits"),
    "list_tax_years": Operation("GET", "/v1/offers/{offer}/tax_years"),
    "list_transfers": Operation("GET", "/v1/offers/{offer}/transfers", query=("investor",)),
    "list_votes": Operation("GET", "/v1/offers/{offer}/votes"),
    "list_waitlist": Operation("GET", "/v1/offers/{offer}/waitlist"),
    "list_wallets": Operation("GET", "/v1/offers/{offer}/wallets", query=("address", "investor")),
    "list_webhook_deliveries": Operation(
        "GET", "/v1/webhooks/endpoints/{endpoint}/deliveries", query=("before", "status", "limit")
    ),
    "list_webhook_endpoints": Operation("GET", "/v1/webhooks/endpoints", query=("after", "limit")),
    "look_at_profile": Operation("POST", "/v1/investors/{investor}/looks"),
    "look_at_profile_change": Operation("POST", "/v1/investors/{investor}/changes/{change}/looks"),
    "match_interest": Operation("POST", "/v1/offers/{offer}/interests/{interest}/matches", True),
    "move_institutional_allocation": Operation(
        "POST", "/v1/offers/{offer}/institutional_allocations/{allocation}/moves", True, True
    ),
    "move_offer": Operation("POST", "/v1/offers/{offer}/moves", True, True),
    "name_allocation_policy": Operation("POST", "/v1/offers/{offer}/allocation_policy", True),
    "name_delegate": Operation("POST", "/v1/investors/{investor}/delegates", True),
    "name_payee_account": Operation("POST", "/v1/offers/{offer}/payee_accounts", True),
    "open_clearance": Operation("POST", "/v1/offers/{offer}/clearances", True),
    "open_identity_case": Operation("POST", "/v1/investors/{investor}/case", True),
    "open_investment": Operation("POST", "/v1/investments", True),
    "open_offer": Operation("POST", "/v1/offers", True),
    "open_profile": Operation("POST", "/v1/investors", True),
    "post_bank_statement": Operation("POST", "/v1/offers/{offer}/bank_statements", True),
    "post_interest": Operation("POST", "/v1/offers/{offer}/interests", True),
    "prepare_filing": Operation("POST", "/v1/filings/{filing}/preparations", True, True),
    "prepare_swap": Operation(
        "GET", "/v1/offers/{offer}/transfers/{transfer}/swap", query=("contract", "number", "investor")
    ),
    "present_transfer_papers": Operation(
        "POST", "/v1/offers/{offer}/transfers/{transfer}/papers", True, True
    ),
    "preview_countersignatures": Operation("GET", "/v1/offers/{offer}/countersignatures"),
    "propose": Operation("POST", "/v1/proposals", True),
    "propose_allocation": Operation("POST", "/v1/investments/{investment}/allocations", True),
    "propose_amendment": Operation("POST", "/v1/offers/{offer}/amendments", True),
    "propose_buyback": Operation("POST", "/v1/offers/{offer}/buybacks", True),
    "propose_conversion": Operation("POST", "/v1/offers/{offer}/conversions", True),
    "propose_coupon_fixing": Operation("POST", "/v1/offers/{offer}/coupon_fixings", True),
    "propose_coupon_schedule": Operation("POST", "/v1/offers/{offer}/coupon_schedules", True),
    "propose_line_release": Operation(
        "POST", "/v1/offers/{offer}/buybacks/{buyback}/line_releases", True, True
    ),
    "propose_on_receipt": Operation("POST", "/v1/offers/{offer}/receipts/{receipt}/proposals", True, True),
    "propose_payee_mandate": Operation("POST", "/v1/offers/{offer}/payee_mandates", True),
    "propose_paying_wallet": Operation("POST", "/v1/offers/{offer}/paying_wallets", True),
    "propose_principal_terms": Operation("POST", "/v1/offers/{offer}/principal_terms", True),
    "propose_reinvestment_plan": Operation("POST", "/v1/offers/{offer}/reinvestment/plans", True),
    "propose_release": Operation("POST", "/v1/offers/{offer}/releases", True),
    "propose_remittance": Operation("POST", "/v1/offers/{offer}/remittances", True),
    "propose_split": Operation("POST", "/v1/offers/{offer}/splits", True),
    "propose_vote": Operation("POST", "/v1/offers/{offer}/votes", True),
    "publish_questionnaire": Operation("POST", "/v1/offers/{offer}/questionnaires", True),
    "read_record": Operation("GET", "/v1/records/{record}", query=("scope", "at", "version")),
    "read_transfer": Operation("GET", "/v1/offers/{offer}/transfers/{transfer}", query=("investor",)),
    "read_webhook_delivery": Operation("GET", "/v1/webhooks/endpoints/{endpoint}/deliveries/{delivery}"),
    "read_webhook_endpoint": Operation("GET", "/v1/webhooks/endpoints/{endpoint}"),
    "record_filing": Operation("POST", "/v1/filings/{filing}/submissions", True, True),
    "record_party": Operation("POST", "/v1/investors/{investor}/parties", True),
    "record_repayment": Operation(
        "POST", "/v1/offers/{offer}/rescissions/{rescission}/repayments", True, True
    ),
    "refuse_transfer": Operation("POST", "/v1/offers/{offer}/transfers/{transfer}/refuse", True, True),
    "register_webhook_endpoint": Operation("POST", "/v1/webhooks/endpoints", True),
    "reject_paper": Operation("POST", "/v1/investors/{investor}/papers/{paper}/rejections", True, True),
    "reject_wallet": Operation("POST", "/v1/offers/{offer}/wallets/{mapping}/refusals", True, True),
    "release_agreement": Operation("POST", "/v1/agreements/{agreement}/release", True, True),
    "reopen_filing": Operation("POST", "/v1/filings/{filing}/reopenings", True, True),
    "request_cancellation": Operation("POST", "/v1/investments/{investment}/cancellation_requests", True),
    "request_institutional_allocation": Operation(
        "POST", "/v1/offers/{offer}/institutional_allocations", True
    ),
    "request_profile_change": Operation("POST", "/v1/investors/{investor}/changes", True, True),
    "request_transfer": Operation("POST", "/v1/offers/{offer}/transfers", True),
    "resend_webhook_deliveries": Operation("POST", "/v1/webhooks/endpoints/{endpoint}/resends", True),
    "resend_webhook_delivery": Operation(
        "POST", "/v1/webhooks/endpoints/{endpoint}/deliveries/{delivery}/resends", True
    ),
    "return_agreement": Operation("POST", "/v1/agreements/{agreement}/return", True, True),
    "review_offer": Operation("POST", "/v1/offers/{offer}/reviews", True, True),
    "rotate_webhook_secret": Operation("POST", "/v1/webhooks/endpoints/{endpoint}/rotations", True, True),
    "scale_back": Operation("POST", "/v1/investments/{investment}/cuts", True, True),
    "show_anchor": Operation("GET", "/v1/anchors/{record}", query=("version", "scope")),
    "show_limit": Operation("GET", "/v1/offers/{offer}/limit", query=("investor",)),
    "show_questionnaire": Operation("GET", "/v1/offers/{offer}/questionnaire"),
    "sign_agreement": Operation("POST", "/v1/agreements/{agreement}/sign", True, True),
    "state_filing_fact": Operation("POST", "/v1/offers/{offer}/filing_facts", True),
    "state_particular": Operation("POST", "/v1/investments/{investment}/particulars", True),
    "submit_accreditation": Operation("POST", "/v1/investors/{investor}/accreditation", True),
    "submit_application": Operation("POST", "/v1/investments/{investment}/applications", True),
    "take_institution_in": Operation("POST", "/v1/ai-intake", True),
    "take_ownership": Operation("POST", "/v1/investors/{investor}/ownership/{statement}/acceptances", True),
    "tender_units": Operation("POST", "/v1/offers/{offer}/buybacks/{buyback}/tenders", True),
    "test_webhook_endpoint": Operation("POST", "/v1/webhooks/endpoints/{endpoint}/tests", True),
    "verify_owner": Operation("POST", "/v1/investors/{investor}/owners/{owner}/verifications", True, True),
    "verify_party": Operation("POST", "/v1/investors/{investor}/parties/{party}/verifications", True, True),
    "why_not_transfer": Operation(
        "GET", "/v1/offers/{offer}/transfer-refusals", query=("seller", "buyer", "units")
    ),
    "withdraw_acceptance": Operation(
        "POST", "/v1/investments/{investment}/acceptances/{acceptance}/withdrawals", True, True
    ),
    "withdraw_consent": Operation("POST", "/v1/investments/{investment}/consent_withdrawals", True),
    "withdraw_interest": Operation("POST", "/v1/offers/{offer}/interests/{interest}/withdraw", True),
    "withdraw_investment": Operation("POST", "/v1/investments/{investment}/withdraw", True),
    "work_coupon": Operation("GET", "/v1/offers/{offer}/coupons/{number}/working", query=("record_on",)),
}
