-- name: freeze_is_due$
-- Whether a freeze has no stored answer, on the list that was seen.
select api.freeze_is_due(:key, :request, :body_sha256, :offering, :version);

-- name: freeze_closing^
-- Claims the key, freezes a closing, stores the answer.
select answer, is_replay from api.freeze_closing(:key, :request, :body_sha256, :offering, :version, :closing, :chosen,
    cast(:investments as text[]));
