-- name: draft_tax_year$
-- Drafts the forms of a year from what was paid in it.
select engine.draft_tax_year(:actor, :request, :offering, :tax_year, cast(:year as integer));

-- name: decide_tax_year$
-- Releases a year as another person, or cancels it with a reason.
select engine.decide_tax_year(:actor, :request, :offering, :tax_year, cast(:is_released as boolean), :because, :seen);

-- name: attach_tax_file$
-- Names the printed form that the books keep for its recipient.
select engine.attach_tax_file(:actor, :request, :offering, :form, :sha256);

-- name: deliver_tax_form$
-- Notes that a recipient takes its form; answers how many times it did.
select engine.deliver_tax_form(:actor, :request, :offering, :form, :investor, :taken, :sha256);

-- name: tax_years
-- The tax years of an offer, the last first, with how many payments each draft does not count as they are.
select y.tax_year_id, y.status, y.year, y.currency, y.forms, y.gross_minor, y.withheld_minor, y.net_minor, y.drafted_by, y.decided_by,
    y.cancelled_because, y.version, engine.tax_year_differs(y.offering_id, y.tax_year_id, y.year) as differs
from engine.tax_year y where y.offering_id = :offering order by y.year desc, y.drafted_at desc limit 50;

-- name: tax_forms
-- The forms of a year, by recipient.
select * from engine.tax_form_standing f where f.offering_id = :offering and f.tax_year_id = :tax_year order by f.investor_id, f.form, f.form_id;

-- name: own_tax_forms
-- The released forms of a recipient over all offers, the last year first.
select f.*, o.name from engine.tax_form_standing f join engine.offer o using (offering_id)
where f.investor_id = :investor and f.status = 'released' order by f.year desc, o.name, f.form, f.form_id;
