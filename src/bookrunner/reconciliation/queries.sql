-- name: run$
-- Runs the comparisons: new differences become breaks, breaks that agree again are resolved by this run.
select reconciliation.run(:actor, :request, :offering, :run, cast(:chain as jsonb));

-- name: unbroken_damage
-- Offers with damage in the archive that no break names yet, or with such a break of what is repaired.
select f.offering_id from subscription.damage_fact f
left join reconciliation.break b on b.offering_id = f.offering_id and b.comparison = 'archive' and b.subject_id = f.sha256
where f.status = 'found' and coalesce(b.status, 'resolved') = 'resolved' or f.status = 'repaired' and b.status = 'open'
group by f.offering_id order by f.offering_id;
