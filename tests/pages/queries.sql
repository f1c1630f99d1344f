-- name: profile_digest$
-- The digest of the profile that the investor has now.
select p.detail_digest from portal.profile_fact p where p.investor_id = :investor;
