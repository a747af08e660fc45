"""The pages for developers: whole without a script and without a byte from elsewhere."""

import base64
import re
from hashlib import sha256

import httpx
import pytest
from litestar import Litestar

from service.api.openapi import document_of
from service.api.problems import PROBLEMS
from service.app import ROUTES

RESOURCE = re.compile(
    r"<(script|link|img|iframe|object|embed|video|audio|form|base)\b|url\(|@import|\bon[a-z]+=|style="
)


def check_page(answer: httpx.Response) -> str:
    """The text of a page that needs nothing else, under a policy that lets its one style sheet through."""
    text = answer.text
    [style] = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()

    assert 200 == answer.status_code
    assert "text/html; charset=utf-8" == answer.headers["content-type"]
    assert None is RESOURCE.search(text)
    assert f"style-src 'sha256-{digest}';" in answer.headers["content-security-policy"]
    assert "'unsafe" not in answer.headers["content-security-policy"]
    return text


def test_docs_show_the_whole_document(broker: httpx.Client) -> None:
    """Each operation, schema and used problem is on the page, and every link on it leads somewhere."""
    text = check_page(broker.get("/docs"))
    document = document_of(Litestar(ROUTES, openapi_config=None, logging_config=None))
    operations = [one["operationId"] for methods in document["paths"].values() for one in methods.values()]
    anchors = set(re.findall(r'id="([^"]+)"', text))
    links = set(re.findall(r'href="([^"]+)"', text))

    assert {*operations, *document["components"]["schemas"]} <= anchors
    assert {link[1:] for link in links if link.startswith("#")} <= anchors
    assert {"/openapi.json"} == {link for link in links if not link.startswith(("#", "/problems/"))}
    assert {link.removeprefix("/problems/") for link in links if link.startswith("/problems/")} <= PROBLEMS.keys()


@pytest.mark.parametrize("slug", PROBLEMS)
def test_problem_is_explained(broker: httpx.Client, slug: str) -> None:
    """The `type` of each problem leads to a page with its title, its status, how to mend it, and an example."""
    text = check_page(broker.get(f"/problems/{slug}"))

    assert f"<code>{slug}</code>, status {PROBLEMS[slug].status}" in text
    assert f"&quot;type&quot;: &quot;/problems/{slug}&quot;" in text


def test_unknown_problem(broker: httpx.Client) -> None:
    """There is no page for what is no problem of ours, and nothing of the address is shown."""
    answer = broker.get("/problems/%3Cscript%3E")

    assert (404, "/problems/not-found") == (answer.status_code, answer.json()["type"])
    assert "script" not in answer.text
