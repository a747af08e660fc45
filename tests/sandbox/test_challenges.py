"""The stand-in of Turnstile and hCaptcha."""

import httpx
import pytest

HUMAN = {"secret": "sandbox", "response": "human-1"}


@pytest.mark.parametrize(
    ("path", "used"),
    [("/turnstile/v0/siteverify", "timeout-or-duplicate"), ("/siteverify", "already-seen-response")],
)
async def test_an_answer_is_good_once(buyer: httpx.AsyncClient, path: str, used: str) -> None:
    """A person passes once with an answer; the second time it is known."""
    answers = [(await buyer.post(path, data=HUMAN)).json() for _ in range(2)]

    assert [(True, []), (False, [used])] == [(answer["success"], answer["error-codes"]) for answer in answers]


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"response": "human"}, "missing-input-secret"),
        ({"secret": "wrong", "response": "human"}, "invalid-input-secret"),
        ({"secret": "sandbox"}, "missing-input-response"),
        ({"secret": "sandbox", "response": "robot"}, "invalid-input-response"),
    ],
)
async def test_what_is_refused(buyer: httpx.AsyncClient, form: dict[str, str], code: str) -> None:
    """Each thing that is wrong has its documented code."""
    answer = await buyer.post("/turnstile/v0/siteverify", data=form)

    assert (200, {"success": False, "error-codes": [code]}) == (answer.status_code, answer.json())


async def test_other_methods(buyer: httpx.AsyncClient) -> None:
    """It is asked by POST alone."""
    answer = await buyer.get("/siteverify")

    assert (405, False) == (answer.status_code, answer.json()["success"])
