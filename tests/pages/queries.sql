-- name: profile_digest$
-- The digest of the profile that the investor has now.
select p.detail_digest from portal.profile_fact p where p.investor_id = :investor;

-- name: names_for_investors
-- The names that stand on an investor's pages: conditions, stages, keepers, what happened, and states.
select condition as name from engine.condition union select stage from engine.condition union select keeper from engine.condition
union select trigger from engine.transition where machine = any (cast(:machines as text[]))
union select state from engine.state where machine in ('offer', 'investment', 'agreement', 'notice');

-- name: sentences_for_investors
-- The sentences that the books keep for investors.
select sentence from engine.notice_rule where audience in ('investor', 'investors')
union select sentence from treasury.failure_reason
union select sentence from registry.required_paper union select sentence from registry.permitting_paper
union select sentence from engine.filing_clock
union select r.source from (values ('dividend'), ('interest')) i (income) cross join lateral engine.rates_on(i.income, current_date) r;
