-- name: draft_redemption$
-- Drafts the distribution that pays an accepted buy-back.
select engine.draft_redemption(:actor, :request, :offering, :buyback, :distribution, :pay_on);

-- name: redemptions
-- The distributions that pay a buy-back, the newest first.
select distribution_id, status, pay_on, distributable_minor, drafted_by, approved_by, version from engine.redemption_standing
where offering_id = :offering and buyback_id = :buyback order by distribution_id desc;

-- name: redemptions_paying
-- The buy-backs of an offer whose money is set apart and whose lines are not all owed yet.
select r.buyback_id, r.distribution_id from engine.redemption_standing r where r.offering_id = :offering and r.status = 'paying'
    and not exists (select from treasury.declared_distribution x where x.offering_id = r.offering_id and x.distribution_id = r.distribution_id)
order by r.distribution_id;
