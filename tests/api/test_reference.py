"""The reference as a page, in a browser."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

import app
from chalicelib.api import openapi, reference
from tests.pages.test_looks import violations

assert app.app
HOME = "https://api.house.example/v1/docs"


def opened(browser: Browser, at: str = "", html: str = "", **how: Any) -> tuple[Page, list[str]]:
    """The page as it is served, and what went wrong or was asked for elsewhere."""
    faults: list[str] = []
    page = browser.new_context(**how).new_page()
    headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": reference.policy()}

    def serve(route: Route) -> None:
        if route.request.url.partition("#")[0] != HOME:
            faults.append(route.request.url)
        route.fulfill(body=html or reference.page(), headers=headers)

    page.route("**/*", serve)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text))
    page.goto(HOME + at)
    return page, faults


def test_it_shows_each_operation_and_asks_no_other_host(browser: Browser) -> None:
    page, faults = opened(browser, "#reseller_put_alias")
    described = [one for verbs in openapi.document()["paths"].values() for one in verbs.values()]
    expect(page.locator(".op")).to_have_count(len(described))
    expect(page.locator(".op[open]")).to_have_count(1)
    alias = page.locator("#reseller_put_alias")
    expect(alias.get_by_role("heading", name="PUT /v1/domains/{domain}/aliases/{local}")).to_be_in_viewport()
    expect(alias).to_contain_text('-H "Authorization: Bearer $TOKEN"')
    expect(alias).to_contain_text("precondition_failed")
    assert not faults


def test_the_filter_narrows_and_a_link_leads_out_of_it(browser: Browser) -> None:
    page, faults = opened(browser)
    page.keyboard.press("/")
    page.keyboard.type("rename")
    expect(page.get_by_role("status")).to_have_text("1 operations")
    expect(page.locator(".op:visible")).to_have_count(1)
    page.goto(HOME + "#reseller_get_domain")
    expect(page.locator("#reseller_get_domain")).to_have_attribute("open", "")
    expect(page.locator("#reseller_get_domain")).to_be_in_viewport()
    assert not faults


def part() -> str:
    """The page for some operations and schemas: it repeats itself, and axe looks at each cell."""
    whole = openapi.document()
    paths = {path: verbs for path, verbs in whole["paths"].items() if path in ("/v1/orders", "/v1/domains")}
    schemas = dict(list(whole["components"]["schemas"].items())[:12])
    return reference.render(
        {**whole, "paths": paths, "components": {**whole["components"], "schemas": schemas}}
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_accessible_and_fits_the_screen(browser: Browser, scheme: Any, width: int) -> None:
    how: Any = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme, "bypass_csp": True}
    page, _ = opened(browser, "#reseller_place_order", part(), **how)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert violations(page) == []
