-- Who may call what: one row per operation of the API. The API asks it before each call, docs/authority.md shows it, and
-- tests compare it with every route and with the rights of every login.

create table api.operation (
    operation text primary key,
    area text not null,
    kind text not null constraint operation_reads_or_acts check (kind in ('read', 'act')),
    -- What of a person it reads or takes: nothing, what a person under an id did, or who the person is.
    reveals text not null constraint operation_reveals_a_known_tier check (reveals in ('nothing', 'dealings', 'identity')),
    roles text[] not null constraint operation_is_for_known_roles check (roles <> '{}' and roles <@ array[
        'portal', 'compliance', 'subscription', 'treasury', 'registry', 'engine', 'audit', 'issuer', 'investor',
        'client', 'link', 'signature', 'anyone']),
    -- The verbs of schema api that carry it out, and the login that alone may execute them.
    verbs text[] not null default '{}',
    login text constraint verbs_belong_to_a_login check ((verbs <> '{}') = (login is not null)),
    -- The rule that asks for a second person.
    four_eyes text,
    -- Whether a tool may propose it. A proposal is kept for good, so none carries what the erasure of a person has to empty: not who
    -- a person is, no account that is paid, no words of an answer. Nor does it fill in the payee that a second person names.
    may_be_proposed boolean not null generated always as (kind = 'act' and reveals <> 'identity' and area not in
        ('agreements', 'breaks', 'compliance', 'institutions', 'ownership', 'profiles', 'proposals', 'releases', 'suitability')) stored
);

call audit.append_only('api.operation');
