-- Wallets: what one is asked to sign, and the claim of it.

create function api.ask_wallet(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_challenge text,
    p_investor text, p_asked jsonb, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform portal.issue_challenge(caller, p_request, p_offering, p_challenge, p_investor, p_asked);
    answer := json_build_object('id', p_challenge, 'offer', p_offering, 'investor', p_investor, 'status', 'issued',
        'message', p_asked ->> 'message', 'expires_at', p_asked ->> 'expires_at', 'version', '1');
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.claim_wallet(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_claim text,
    p_investor text, p_challenge text, p_signature bytea, p_proof_kind text, p_witness jsonb, p_held jsonb, out answer text,
    out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform portal.claim_wallet(caller, p_request, p_offering, p_claim, p_investor, p_challenge, p_signature, p_proof_kind,
        p_witness, p_held ->> 'controller', p_held ->> 'custodian');
    answer := json_build_object('id', p_claim, 'offer', p_offering, 'investor', p_investor, 'status', 'claimed',
        'challenge', p_challenge, 'proof', p_proof_kind, 'controller', p_held ->> 'controller',
        'custodian', p_held ->> 'custodian', 'version', '1');
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;
