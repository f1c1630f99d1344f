-- name: plans
-- The plans of reinvestment of an offer, the newest first, with their units.
select * from registry.plan_standing p where p.offering_id = :offering order by p.proposed_at desc, p.plan_id;

-- name: elections
-- What each holder of an offer elected last, with the first record date that it counts for.
select * from registry.election_standing e where e.offering_id = :offering order by e.investor_id;

-- name: reinvested
-- What a run makes of the elections of its holders, each with the rule that its units wait for.
select r.*, h.rule as waits_for from engine.reinvestment_standing r
left join registry.reinvestment_hindrances(:offering) h on h.line_id = r.line_id and r.state = 'open'
where r.offering_id = :offering and r.distribution_id = :distribution order by r.investor_id;

-- name: propose_plan^
-- Claims the key, proposes a plan of reinvestment, stores the answer.
select answer, is_replay from api.propose_plan(:key, :request, :body_sha256, :offering, :plan, cast(:terms as jsonb));

-- name: decide_plan^
-- Claims the key, decides a plan or its end on its version, stores the answer.
select answer, is_replay from api.decide_plan(:key, :request, :body_sha256, :offering, :plan, :version, :decision, :because);

-- name: elect_reinvestment^
-- Claims the key, records what a holder elects, stores the answer.
select answer, is_replay from api.elect_reinvestment(:key, :request, :body_sha256, :offering, :election, :investor, :share_bp, :paper_sha256);
