-- Wallets with their dates: which is effective, which step another lacks, and whose an address was at any time.

create view registry.wallet_standing as
select m.offering_id, m.mapping_id, m.investor_id, m.chain_id, m.address, m.status, m.proof_kind, m.claim_fact,
    m.screening_fact, m.claimed_at, m.screened_at, m.approved_by, m.approved_at, m.linked_by, m.linked_at, m.superseded_by,
    m.ended_by, m.ended_at, m.refused_because, m.version, m.status = 'linked' as is_effective,
    case m.status when 'claimed' then 'screening' when 'screened' then 'issuer_consent'
        when 'issuer_approved' then 'agent_link' end as missing_step,
    case when m.status in ('claimed', 'screened', 'issuer_approved') then e.mapping_id end as replaces,
    case when m.status in ('claimed', 'screened', 'issuer_approved') then e.address end as effective_address
from registry.wallet_mapping m
left join registry.wallet_mapping e on e.offering_id = m.offering_id and e.investor_id = m.investor_id and e.status = 'linked';
