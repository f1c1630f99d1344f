"""What the books say to investors in English: names as they are stored, and whole sentences.

A page puts them into its reader's language where it shows them, so catalogues have them all. Tests compare
the lists with the books.
"""

from __future__ import annotations

from typing import Final

KEEPERS: Final = "portal compliance subscription treasury registry engine audit issuer reconciliation access"
STAGES: Final = "profile compliance subscription funding issuance"
CONDITIONS: Final = (
    "profile_is_complete investor_is_cleared materials_are_received risks_are_acknowledged "
    "representations_are_made agreement_is_signed agreement_is_countersigned allocation_is_approved "
    "funds_are_received funds_are_cleared wallet_is_linked holding_is_registered"
)
# The machines whose events stand on the pages of an investment.
MACHINES: Final = (
    "investment closing_member allotment waitlist_entry notice profile profile_change personal_view "
    "suitability ownership_statement wallet_challenge wallet_claim source_account kyc_case "
    "beneficial_owner accreditation clearance kyc_document risk_rating due_diligence acknowledgment "
    "agreement particular consent_sample application packet_review certificate signing_evidence "
    "deficiency allocation_approval reconfirmation payment_attempt receipt refund rate_snapshot release "
    "wallet_mapping issuance_instruction holding transfer_request interest data_key file_key"
)
TRIGGERS: Final = (
    "admitted amended answered applied approved approved_again asked attempted_again booked bounced "
    "cancellation_denied cancellation_requested cancelled carried_out certified chosen claimed cleared "
    "closed code_missed completed computed confirmed confirmed_again corrected correction_required "
    "countersigned created creation_failed decided declared declined deficient delivered destroyed "
    "divided due ended erased evidence_added exception_named exhausted expired failed filed found freed "
    "held identified info_required instructed issued joined kept lapsed left legally_confirmed linked "
    "made matched opened ordered papers_added part_received passed_over posted prepared prepared_again "
    "presented_again promoted proposed rated rated_again received reconfirmed recovered redeemed "
    "refund_bounced refund_started refunded registered rejected released released_from_hold rendered "
    "renewed reopened replaced requested rescinded resubmitted returned returned_further reverted revoked "
    "scaled_back screened sent sent_back sent_to_review set_beside settled signed signed_in_part started "
    "stated stopped stored submitted superseded taken taken_as_funding unmatched verified viewed voided "
    "withdrawn written"
)
# What these say together is another word in other languages than what each says alone.
EVENTS: Final = "clearance.cleared payment_attempt.released"
# The states of what an investor's pages name by its state: offers, investments, agreements, mail, money.
STATES: Final = (
    "new draft legal_review legal_declined legal_accepted published legally_closed closed_successfully "
    "closed_unsuccessfully exited confirmed legally_confirmed cancellation_requested "
    "cancelled_by_investor cancelled_by_manager countersigned declined expired investor_signed sent "
    "voided written delivered bounced unmatched matched cleared held divided refunding refunded returned "
    "redeemed stored complete correction_required pending under_internal_review escrow_initiated funded "
    "cancelled asked in_review approved unscored"
)
KINDS: Final = (
    "individual joint retirement entity trust nominee sale gift inheritance own ach_debit ach_credit wire "
    "stablecoin card cheque sepa_credit platform administration subscription_fee investor legal_name "
    "country address email tax_id birth_date representative lei tax_form records_consent authority "
    "ownership passkey password password_and_code password_and_recovery_code invitation provider "
    "provider_with_factors death_certificate letters_of_administration transfer_instruction "
    "purchase_agreement gift_statement trust_certification issuer_statement registration_statement "
    "family_statement divorce_decree trust_statement offer_failed reconfirm terms_changed "
    "reservation_ended payment_failed payment_returned"
)
# Rules of the books that what an investor asks for may break, in words as in the books.
REFUSALS: Final = (
    "address_is_given agreement_is_open_for_signature amount_fits_currency amount_is_decimal "
    "application_is_complete authority_lists_one_to_ten_signers "
    "authority_names_signer_capacity_and_source ballot_is_cast_in_time ballot_is_for_against_or_abstains "
    "birth_date_is_a_day birth_date_is_possible cancellation_is_before_its_cut_off challenge_exists "
    "challenge_has_not_expired change_says_why code_is_the_printed_one "
    "comma_stands_before_three_digits consent_is_ticked_by_the_investor "
    "country_is_two_letters credential_is_in_force currency_is_chosen_before_confirming "
    "currency_is_taken_by_the_offer decision_is_on_the_version_seen delegate_acts_for_its_principal_alone "
    "delegate_acts_for_others delegate_has_a_proxy delegate_has_an_account_of_its_own "
    "delegate_is_another_investor delegate_says_for_whom_it_acts delegation_ends_in_days_to_come "
    "delegation_ends_within_two_years delegation_has_a_known_scope delegation_waits_for_its_delegate "
    "email_has_an_at_sign ended_investment_is_in_no_running_set entity_names_its_representative "
    "erasure_is_meant export_is_agreed_to gate_is_closed gate_is_open intent_is_ticked_by_the_signer "
    "interest_ends_in_days_to_come interest_exists interest_has_not_ended interest_has_units "
    "investor_kind_is_known item_is_ticked_by_the_investor legal_name_is_printable "
    "lei_has_its_check_digits lei_is_twenty_characters lots_cover_the_units name_fits name_has_letters "
    "name_has_no_hidden_characters nobody_matches_itself offer_has_opened offer_is_open_to_new_money "
    "offered_units_are_free one_application_is_in_force one_change_is_open "
    "one_delegation_of_two_at_a_time one_proof_serves_once own_transfer_stays_with_its_holder "
    "ownership_lists_one_to_twenty_owners personal_data_is_not_erased poster_is_cleared profile_exists "
    "question_is_answered records_consent_comes_first retention_allows_erasure sale_states_its_price "
    "tax_form_is_of_a_known_kind tax_id_is_ein tax_id_is_itin tax_id_is_nine_digits tax_id_is_ssn "
    "transfer_goes_to_another_holder transfer_has_units transfer_papers_are_complete "
    "transition_is_listed_for_the_keeper units_are_left units_go_to_the_waitlist_first "
    "units_reach_the_minimum verified_fields_are_locked waitlist_opens_when_units_run_out "
    "wallet_address_is_twenty_bytes wallet_address_is_well_formed wallet_checksum_is_valid "
    "wallet_is_not_reserved wallet_is_not_zero wallet_proof_is_valid wallet_signature_is_65_bytes "
    "wallet_signature_is_low_s wallet_signature_is_recoverable"
)
NOTICES: Final = (
    "The offer has ended without success. Your money goes back in full.",
    "The offer has changed. Confirm your investment again in time, or it is cancelled and refunded.",
    "A term of the offer has changed; the offer page says which, and until when you may cancel.",
    "Your investment is cancelled. Money that has come goes back to where it came from.",
    "The reservation of your units has ended.",
    "Your payment has failed; the funding page says what comes next.",
    "Your payment came back; the investment is not funded any more.",
    "house policy",
)
# What is said of a payment that failed is put together of these.
FAILURES: Final = (
    "The payment failed.",
    "The payment came back.",
    "It may be tried again.",
    "It may be tried again from another account.",
    "An administrator will be in touch.",
    "A person decides.",
    "Such a payment is never tried again.",
    "It was tried as often as its rule allows.",
    "The days in which it may be tried again are over.",
    "The account did not hold enough money.",
    "The account is closed.",
    "There is no such account.",
    "The account number is not valid.",
    "A consumer's account was debited as a business account without authorization.",
    "The payer revoked the authorization.",
    "The payer stopped the payment.",
    "The money in the account was not collected yet.",
    "The payer says that the debit was not authorized.",
    "The account is frozen.",
    "The account does not take such payments.",
    "The company says that the debit was not authorized.",
    "The account is blocked.",
    "The chain undid the transfer.",
    "The bank that issued the card declined the payment.",
    "The card has expired.",
    "The holder of the card says that the payment was not authorized.",
    "The holder of the card disputes the payment.",
    "The payment was processed in error.",
    "The account of the drawer did not hold enough money.",
    "The drawer stopped the cheque.",
    (
        "The account to pay to has changed. "
        "Two administrators have confirmed the one that stands here; no e-mail can."
    ),
)
PAPERS: Final = (
    "The giver's signed instruction to transfer.",
    "The agreement between giver and taker.",
    "The giver's statement that nothing is paid.",
    "The certificate of the holder's death.",
    "The court's letters to whoever acts for the estate.",
    "The trustee's certification of the trust.",
    "The holder's signed instruction to move units between its own wallets.",
    "The issuer's statement that it takes the units itself.",
    "The registration of the offering in which the units are sold.",
    "The giver's statement that the taker is of the giver's family.",
    "The decree of the divorce in which the units go over.",
    "The statement that the giver controls the trust, or that it is for the giver's family.",
)
# What is withheld by which rule, as the rates that come with the engine name their source.
RATES: Final = (
    "26 U.S.C. 1441(a), 1442(a): 30 %; no valid form was given (second hand)",
    "26 CFR 1.1441-1(b)(1): a United States person by its Form W-9 (second hand)",
    "26 U.S.C. 3406(a)(1): the fourth lowest rate of section 1(c), 24 % (second hand)",
    "26 U.S.C. 1441(a), 1442(a): 30 %; the form claims no treaty that is listed (second hand)",
    *(
        f"IRS, Tax Treaty Table 1, {country} (unconfirmed)"
        for country in ["CA", "CH", "DE", "FR", "GB", "IE", "JP", "NL"]
    ),
)
FILINGS: Final = (
    "Notice of an exempt offering, after the first sale.",
    "Yearly amendment while the offer continues, on the anniversary of the last notice.",
    "Amendment after a material mistake or change.",
    "Notice in each state of a first sale.",
    "Offering statement, before the offer opens.",
    "Amendment on a material change, before the offer ends.",
    "Progress update at half of the target; the platform's own updates may stand for it.",
    "Progress update at the target; the platform's own updates may stand for it.",
    "Update with the total sold, after the end.",
    "Annual report, also on the site of the issuer.",
    "Notice that annual reports end.",
    "Offering statement; qualified before any sale.",
    "Annual report.",
    "Semiannual report.",
    "Current report of an event.",
    "Exit report after the end.",
)
SAID: Final = (
    "Restricted: 17 CFR 230.144",
    "compliance has something else on record",
    "no address is on record",
    "to hand over one's own data",
    "to change one's own profile",
    "to read one's own profile",
)


def sentences() -> frozenset[str]:
    """Return every name, as words, and every sentence."""
    lists = (KEEPERS, STAGES, CONDITIONS, MACHINES, TRIGGERS, EVENTS, STATES, KINDS, REFUSALS)
    names = [name for each in lists for name in each.split()]
    titles = {name.capitalize() for name in STAGES.split()}
    written = {name.replace("_", " ").replace(".", ", ") for name in names}
    return frozenset({*written, *titles, *NOTICES, *FAILURES, *PAPERS, *RATES, *FILINGS, *SAID})
