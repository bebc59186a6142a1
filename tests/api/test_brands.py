"""S1, S2: brands, logos and hosts by the API, and what a browser is told."""

import base64

from tests.registry import Registry

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PRO = {"product": "House Pro", "primary": "#112233", "accent": "#445566"}


def shown(registry: Registry, host: str) -> dict[str, object]:
    """What pages under a host are told."""
    return registry.call("GET", "/brand.json", key=None, headers={"Host": host}).json


def test_S1_a_brand_is_made_changed_and_removed(registry: Registry) -> None:
    made = registry.call("PUT", "/v1/brands/pro", PRO)
    assert (made.status, made.headers["Location"]) == (201, "/v1/brands/pro")
    again = registry.call("PUT", "/v1/brands/pro", {**PRO, "product": "House Pro 2"})
    assert (again.status, again.json["product"]) == (200, "House Pro 2")
    names = [b["name"] for b in registry.call("GET", "/v1/brands").json["brands"]]
    assert names == ["default", "pro"]
    stale = registry.call("PUT", "/v1/brands/pro", PRO, headers={"If-Match": made.headers["ETag"]})
    assert stale.status == 412
    assert registry.call("PUT", "/v1/brands/pro", PRO, headers={"If-None-Match": "*"}).status == 412
    assert registry.call("DELETE", "/v1/brands/pro").status == 204
    assert registry.call("GET", "/v1/brands/pro").status == 404
    assert registry.call("DELETE", "/v1/brands/default").status == 409


def test_S1_a_brand_is_its_resellers_alone(registry: Registry) -> None:
    registry.call("PUT", "/v1/brands/pro", PRO)
    for name in ("pro", "house.pro", "house", "nothing"):
        got = registry.call("GET", f"/v1/brands/{name}", key=registry.other_key)
        assert (got.status, got.json["detail"]) == (404, "There is no such brand.")
    mine = registry.call("PUT", "/v1/brands/pro", {**PRO, "product": "Other Pro"}, key=registry.other_key)
    assert mine.status == 201
    assert registry.call("GET", "/v1/brands/pro").json["product"] == "House Pro"


def test_S2_a_logo_is_uploaded_or_taken_from_a_snippet(registry: Registry) -> None:
    registry.order()
    url = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    snippet = f"<p onclick=x()><script>alert(1)</script><img src='{url}' alt='House'></p>"
    html = {"Content-Type": "text/html; charset=utf-8"}
    put = registry.call("PUT", "/v1/brands/default/logo", raw=snippet, headers=html)
    assert (put.status, put.json["logo"]) == (200, "image/png")
    assert shown(registry, "mail.x.test")["logo"] == url
    assert registry.call("DELETE", "/v1/brands/default/logo").status == 204
    assert shown(registry, "mail.x.test")["logo"] == ""
    put = registry.call("PUT", "/v1/brands/default/logo", raw=PNG, headers={"Content-Type": "image/png"})
    assert put.status == 200
    assert shown(registry, "mail.x.test")["logo"] == url


def test_S2_a_snippet_without_a_picture_is_refused_and_told_so(registry: Registry) -> None:
    html = {"Content-Type": "text/html"}
    refused = registry.call("PUT", "/v1/brands/default/logo", raw="<b>House</b>", headers=html)
    assert (refused.status, refused.json["code"]) == (422, "invalid")
    assert "<img>" in refused.json["detail"]
    for raw in ("<img src='data:image/png;base64,###'>", "<img src='data:image/png'>"):
        assert registry.call("PUT", "/v1/brands/default/logo", raw=raw, headers=html).status == 422
    bad = registry.call("PUT", "/v1/brands/default/logo", raw=b"\xff\xfe", headers=html)
    assert bad.status == 400
    text = {"Content-Type": "text/plain"}
    assert registry.call("PUT", "/v1/brands/default/logo", raw="x", headers=text).status == 415


def test_S1_a_host_shows_the_brand_it_was_given(registry: Registry) -> None:
    registry.order()
    registry.call("PUT", "/v1/brands/pro", PRO)
    assert (
        registry.call("PUT", "/v1/hosts/Mail.House.test", {"brand": "pro"}).json["host"] == "mail.house.test"
    )
    assert shown(registry, "mail.house.test")["product"] == "House Pro"
    assert registry.call("GET", "/v1/hosts").json["hosts"] == [{"host": "mail.house.test", "brand": "pro"}]
    other = {"key": registry.other_key}
    assert registry.call("PUT", "/v1/hosts/mail.house.test", {"brand": "default"}, **other).status == 409
    assert registry.call("PUT", "/v1/hosts/mail.x.test", {"brand": "default"}, **other).status == 409
    assert registry.call("DELETE", "/v1/hosts/mail.house.test", **other).status == 404
    assert registry.call("PUT", "/v1/hosts/web.emailmx.test", {"brand": "pro"}).status == 409
    assert registry.call("PUT", "/v1/hosts/no host", {"brand": "pro"}).status == 422
    assert registry.call("DELETE", "/v1/hosts/mail.house.test").status == 204
    assert shown(registry, "mail.house.test")["product"] == "Mail"


def test_S40_changes_of_a_brand_are_written_down(registry: Registry) -> None:
    registry.call("PUT", "/v1/brands/pro", PRO)
    registry.call("PUT", "/v1/brands/pro", {**PRO, "accent": "#000000"})
    registry.call("PUT", "/v1/brands/pro", {**PRO, "accent": "#000000"})
    found, _ = registry.platform.journal.page("house", 10)
    found = [e for e in found if e.subject == "pro"]
    assert [e.type for e in found] == ["brand.created", "brand.changed"]
    assert (found[1].before, found[1].after) == ({"accent": "#445566"}, {"accent": "#000000"})
