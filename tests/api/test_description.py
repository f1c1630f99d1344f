"""The description says all that the API answers: to requests that it allows and to others, under any key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky, Unsatisfiable
from requests import Session
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.core.failures import FailureGroup

from bookrunner.core.credentials import KEEPERS
from tests.api.conftest import PATIENCE_SECONDS, Api, problem
from tests.patience import PATIENT

# What the world of these tests has, so that calls reach further than "there is no such record".
KNOWN = {"offer": "ofr_one", "investment": "inv_one1"}
PLACES = KNOWN | {
    "acceptance": "sac_one",
    "agreement": "agr_one",
    "amendment": "amd_one",
    "case": "ccs_one",
    "account": "pac_one",
    "bank_statement": "stm_one",
    "break_id": "brk_one",
    "change": "chg_one",
    "delegation": "dgn_one",
    "delivery": "whd_one",
    "diligence": "edd_one",
    "discrepancy": "dsc_one",
    "distribution": "dst_one",
    "endpoint": "whe_one",
    "entry": "wle_one",
    "buyback": "bbk_one",
    "filing": "fil_one",
    "fixing": "fix_one",
    "hit": "hit_one",
    "interest": "itr_one",
    "line_release": "lnr_one",
    "investor": "ivr_one1",
    "mandate": "pmd_one",
    "mapping": "wal_one",
    "number": "1",
    "owner": "own_one",
    "paper": "doc_one",
    "party": "pty_one",
    "plan": "rpl_one",
    "proposal": "pps_one",
    "receipt": "rcp_one1",
    "receipt_proposal": "prp_one",
    "reconfirmation": "rcf_one",
    "record": "ofr_one",
    "release": "rel_one",
    "remittance": "rmt_one",
    "rescission": "rsn_one",
    "schedule": "csc_one",
    "split": "spl_one",
    "conversion": "cnv_one",
    "statement": "ows_one",
    "subject": "ivr_one1",
    "tax_year": "txy_one",
    "terms": "amo_one",
    "transfer": "xfr_one",
    "vote": "vot_one",
    "wallet": "pwl_one",
}
# Valid shapes are refused by rules of the field, and what is refused may exist.
LEFT_OUT = {
    "positive_data_acceptance",
    "use_after_free",
    "ensure_resource_availability",
    "ignored_auth",
    "object_level_authorization",
}
KEPT = [check for check in CHECKS.get_all() if check.__name__ not in LEFT_OUT]
IN_CHECK = 4
IN_TORTURE = 150


def operations(calls: Api) -> Iterator[APIOperation]:
    """Yield each operation of the description that the server gives out."""
    told = httpx.get(f"{calls.url}/v1/openapi.json", timeout=PATIENCE_SECONDS).json()
    for found in schemathesis.openapi.from_dict(told).get_all_operations():
        operation = found.ok()
        # A stream has no end that a call could wait for; it has tests of its own.
        if operation.path != "/v1/events/stream":
            yield operation


def strategy(operation: APIOperation, mode: GenerationMode) -> st.SearchStrategy[Case]:
    """Return requests of one operation, half of them with ids that exist."""
    named = {p.name for p in operation.path_parameters} & KNOWN.keys()
    known = operation.as_strategy(mode, path_parameters={name: KNOWN[name] for name in named})
    return known if named and mode is GenerationMode.POSITIVE else operation.as_strategy(mode)


def answers_as_told(calls: Api, session: Session, may: list[str], case: Case) -> None:
    """Send a request under each key until one may; every answer is one that the description has.

    Whoever may is asked first the next time: those who may not have been answered by then.
    """
    for keeper in [*may, *sorted(set(KEEPERS).difference(may))]:
        key = {"Authorization": f"Bearer {calls.key(keeper)}"}
        answer = case.call(base_url=calls.url, headers=key, session=session)
        case.validate_response(answer, checks=KEPT, headers=key)
        if answer.status_code != 403:
            may[:] = [keeper]
            return


def fault_of(requests: st.SearchStrategy[Case], most: int, asks: Callable[[Case], None]) -> str | None:
    """Play so many requests; return what was answered otherwise than told, if anything was."""

    @settings(
        max_examples=most,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=requests)
    def one(case: Case) -> None:
        asks(case)

    try:
        one()
    except Unsatisfiable:
        # Nothing that such a call reads could be wrong.
        return None
    except (FailureGroup, Flaky) as error:
        return str(error)
    return None


def play(calls: Api, most: int) -> list[str]:
    """Play so many requests of each kind to each operation; return what was answered otherwise than told."""
    faults = []
    with Session() as session:
        for operation in operations(calls):
            asks = partial(answers_as_told, calls, session, [])
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                fault = fault_of(strategy(operation, mode), most, asks)
                faults += [f"{operation.label} {mode.value}: {fault}"] if fault else []
    return faults


@pytest.mark.parametrize(
    "most", [IN_CHECK, pytest.param(IN_TORTURE, marks=[pytest.mark.torture, pytest.mark.timeout(3_000)])]
)
def test_every_answer_is_described(calls: Api, most: int) -> None:
    faults = play(calls, most)
    assert faults == [], "\n\n".join(faults)


def test_every_body_has_an_example_of_its_shape(calls: Api) -> None:
    told = httpx.get(f"{calls.url}/v1/openapi.json", timeout=PATIENCE_SECONDS).json()
    seen = 0
    for path, methods in told["paths"].items():
        for operation in methods.values():
            body = operation.get("requestBody", {})
            example = body.get("content", {}).get("application/json", {}).get("example")
            if body.get("required"):
                assert example is not None, operation["operationId"]
            if example is not None:
                seen += 1
                for keeper in sorted(KEEPERS):
                    known = path.replace("{allocation}", "iac_one" if "institutional" in path else "alc_one")
                    for name, value in PLACES.items():
                        known = known.replace(f"{{{name}}}", value)
                    answer = calls.post(known, example, keeper=keeper, seen='"1"')
                    if answer.status_code != 403:
                        break
                assert answer.json().get("code") != "request_has_the_agreed_shape", operation["operationId"]
    assert seen > 25


def test_another_method_is_answered_with_those_that_are_offered(calls: Api) -> None:
    answer = httpx.delete(f"{calls.url}/v1/offers/ofr_one", timeout=PATIENT)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert problem(answer)["code"] == "method_is_offered"
    assert problem(httpx.delete(f"{calls.url}/v1/nothing", timeout=PATIENT))["code"] == "path_exists"
