"""S34 to S37 over HTTP: calendar, maintenance, incidents, announcements, notices, subscriptions."""

import json
import re
from hashlib import sha256
from typing import Any

import boto3

from chalicelib.events import jobs
from chalicelib.services import notify
from tests.registry import Answer, Registry

OUTAGE = {
    "starts_at": "2026-03-04T22:00:00Z",
    "ends_at": "2026-03-05T00:00:00+01:00",
    "components": ["webmail"],
    "text": "New disks.",
}
INCIDENT = {"title": "Slow", "kind": "degradation", "components": ["webmail"], "text": "We look."}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def operator(registry: Registry, method: str, path: str, body: Any = None, **how: Any) -> Answer:
    """A call as the operator."""
    return registry.call(method, f"/v1/operator{path}", body, key=registry.operator_key, **how)


def public(registry: Registry, method: str, path: str, body: Any = None, **how: Any) -> Answer:
    """A call as nobody."""
    return registry.call(method, f"/v1/status/{path}", body, key=None, **how)


def work(registry: Registry) -> list[dict[str, Any]]:
    """Do what waits in the jobs queue, and what follows from it; the messages."""
    client, url = boto3.client("sqs"), registry.platform.settings.jobs_queue
    done = []
    while found := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in found:
            done.append(json.loads(message["Body"]))
            jobs.one(registry.platform, done[-1])
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return done


def mails(registry: Registry) -> list[str]:
    """Mails on their way out."""
    loaded = [registry.platform.outbox.load(m["submission"]) for m in registry.outgoing()]
    return [registry.platform.blobs.get(one[0].raw).decode() for one in loaded if one]


# ------------------------------------------------------------------------------------------- calendar
def test_S34_the_operator_sets_the_calendar(registry: Registry) -> None:
    usual = operator(registry, "GET", "/calendar")
    assert (usual.status, usual.json["time_zone"], usual.json["notice_days"]) == (200, "UTC", 2)
    wanted = {
        "time_zone": "Europe/Berlin",
        "off_peak_from": "23:30",
        "off_peak_to": "04:00",
        "weekend": [5, 6],
        "holidays": ["2026-12-25"],
        "notice_days": 3,
    }
    put = operator(registry, "PUT", "/calendar", wanted, headers={"If-Match": usual.headers["ETag"]})
    assert (put.status, put.json) == (200, wanted)
    assert operator(registry, "GET", "/calendar").json == wanted
    stale = operator(registry, "PUT", "/calendar", wanted, headers={"If-Match": usual.headers["ETag"]})
    assert stale.status == 412
    event = registry.platform.journal.page("", 10, newest_first=True)[0][0]
    assert (event.type, event.after["time_zone"]) == ("calendar.changed", "Europe/Berlin")
    earliest = operator(registry, "GET", "/calendar/earliest?minutes=270")
    assert earliest.json == {"earliest": "2026-03-05T22:30:00Z"}, "Monday and three: Thursday"


def test_a_calendar_that_cannot_be_is_refused(registry: Registry) -> None:
    good = operator(registry, "GET", "/calendar").json
    wrong: list[tuple[str, Any, str]] = [
        ("time_zone", "Europe/Nowhere", "/time_zone"),
        ("time_zone", "/etc/localtime", "/time_zone"),
        ("off_peak_from", "24:00", "/off_peak_from"),
        ("off_peak_to", "22:00", "/off_peak_to"),
        ("weekend", [0], "/weekend"),
        ("holidays", ["2026-02-30"], "/holidays/0"),
        ("notice_days", 1, "/notice_days"),
    ]
    for name, value, pointer in wrong:
        refused = operator(registry, "PUT", "/calendar", good | {name: value})
        assert (refused.status, refused.json["errors"][0]["pointer"]) == (422, pointer)
    assert operator(registry, "GET", "/calendar").json == good


# ------------------------------------------------------------------------------------------- maintenance
def test_S34_an_outage_is_announced_and_cancelled(registry: Registry) -> None:
    made = operator(registry, "POST", "/outages", OUTAGE)
    assert made.status == 201
    assert (made.json["ends_at"], made.json["state"]) == ("2026-03-04T23:00:00Z", "announced")
    assert made.json["notice_days"] == 2
    work(registry)
    told = mails(registry)
    assert sorted(re.findall(r"^To: .*<(.*)>", "\n".join(told), re.M)) == [
        "office@house.test",
        "office@other.test",
    ]
    path = f"/outages/{made.json['id']}"
    assert operator(registry, "GET", "/outages").json["outages"] == [made.json]
    gone = operator(registry, "PATCH", path, {"state": "cancelled"})
    assert (gone.status, gone.json["state"]) == (200, "cancelled")
    assert operator(registry, "PATCH", path, {"state": "cancelled"}).status == 409
    assert operator(registry, "PATCH", "/outages/out1", {"state": "cancelled"}).status == 404
    assert operator(registry, "PATCH", path, {"state": "announced"}).status == 422


def test_S34_what_breaks_the_rule_is_refused_with_the_earliest_time(registry: Registry) -> None:
    day = OUTAGE | {"starts_at": "2026-03-03T22:00:00Z", "ends_at": "2026-03-03T23:00:00Z"}
    refused = operator(registry, "POST", "/outages", day)
    assert (refused.status, refused.json["earliest"]) == (422, "2026-03-04T22:00:00Z")
    assert refused.json["errors"][0]["pointer"] == "/starts_at"
    forced = operator(registry, "POST", "/outages", day | {"emergency": "A disk fails."})
    assert (forced.status, forced.json["emergency"]) == (201, "A disk fails.")
    assert operator(registry, "POST", "/outages", day | {"emergency": ""}).status == 422
    assert operator(registry, "POST", "/outages", day | {"emergency": " "}).status == 422


def test_an_outage_that_makes_no_sense_is_refused(registry: Registry) -> None:
    wrong: list[tuple[str, Any]] = [
        ("starts_at", "2026-03-04 22:00"),
        ("starts_at", "0001-01-01T00:00:00+23:00"),
        ("starts_at", 5),
        ("ends_at", "2026-03-04T22:00:00Z"),
        ("ends_at", "2036-03-04T22:00:00Z"),
        ("components", []),
        ("components", ["everything"]),
        ("text", ""),
        ("text", "bell \a"),
    ]
    for name, value in wrong:
        for emergency in ({}, {"emergency": "It burns."}):
            refused = operator(registry, "POST", "/outages", OUTAGE | {name: value} | emergency)
            assert refused.status == 422, (name, value)


def test_S35_unplanned_maintenance_begins_now(registry: Registry) -> None:
    body = {"ends_at": "2026-03-02T12:00:00Z", "components": ["api"], "text": "A router."}
    made = operator(registry, "POST", "/maintenance", body)
    assert (made.status, made.json["kind"], made.json["state"]) == (201, "unplanned", "under_way")
    assert (
        operator(registry, "POST", "/maintenance", body | {"ends_at": "2026-03-02T09:00:00Z"}).status == 422
    )
    work(registry)
    page = registry.platform.pages.get("status/status.json").decode()
    assert json.loads(page)["state"] == "maintenance"


# ------------------------------------------------------------------------------------------- incidents
def test_S35_an_incident_from_opening_to_resolution(registry: Registry) -> None:
    made = operator(registry, "POST", "/incidents", INCIDENT)
    assert (made.status, made.json["state"]) == (201, "investigating")
    path = f"/incidents/{made.json['id']}"
    more = operator(registry, "POST", f"{path}/updates", {"state": "identified", "text": "A disk."})
    assert (more.status, len(more.json["updates"])) == (201, 2)
    old = {"If-Match": made.headers["ETag"]}
    assert operator(registry, "POST", f"{path}/resolve", {"text": "Over."}, headers=old).status == 412
    over = operator(registry, "POST", f"{path}/resolve", {"text": "Over."})
    assert (over.status, over.json["state"], over.json["resolved_at"]) == (
        200,
        "resolved",
        "2026-03-02T09:00:00Z",
    )
    assert operator(registry, "GET", path).json == over.json
    assert operator(registry, "GET", "/incidents?limit=1").json["incidents"] == [over.json]
    late = operator(registry, "POST", f"{path}/updates", {"state": "monitoring", "text": "?"})
    assert late.status == 409
    work(registry)
    assert "Over." in registry.platform.pages.get("status/index.html").decode()
    for absent in ("/incidents/inc1", "/incidents/inc1/updates", "/incidents/inc1/resolve"):
        body = {"text": "?"} | ({"state": "monitoring"} if "updates" in absent else {})
        method = "GET" if absent.endswith("inc1") else "POST"
        assert operator(registry, method, absent, None if method == "GET" else body).status == 404


def test_an_incident_needs_words(registry: Registry) -> None:
    wrong: list[tuple[str, Any]] = [
        ("title", ""), ("title", "a\nb"), ("text", "\a"), ("state", "resolved"), ("components", [])
    ]  # fmt: skip
    for name, value in wrong:
        assert operator(registry, "POST", "/incidents", INCIDENT | {name: value}).status == 422, name


# ------------------------------------------------------------------------------------------- announcements
def test_S37_an_announcement_reaches_admins_under_their_brand(registry: Registry) -> None:
    registry.order()
    registry.order("y.test", caller=registry.other)
    for domain in ("x.test", "y.test"):
        registry.set_state(domain, "live")
    made = operator(registry, "POST", "/announcements", {"subject": "News", "text": "We have news."})
    assert (made.status, made.json["state"]) == (201, "under_way")
    work(registry)
    [letter] = registry.letters("ann@x.test")
    assert re.search(r"^From: House Mail <postmaster@x.test>", letter, re.M)
    assert "From: Other Mail" in registry.letters("ann@y.test")[0]
    assert not registry.letters("bob@x.test")
    [listed] = operator(registry, "GET", "/announcements").json["announcements"]
    assert (listed["state"], listed["told"], listed["failed"]) == ("done", 2, 0)
    assert not registry.call("GET", "/v1/announcements").json["announcements"]


def test_a_reseller_announces_to_its_own_domains(registry: Registry) -> None:
    registry.order()
    registry.order("y.test", caller=registry.other)
    for domain in ("x.test", "y.test"):
        registry.set_state(domain, "live")
    body = {"subject": "News", "text": "We have news."}
    made = registry.call("POST", "/v1/announcements", body)
    assert (made.status, made.json["resellers"]) == (201, ["house"])
    work(registry)
    assert len(registry.letters("ann@x.test")) == 1
    assert not registry.letters("ann@y.test")
    foreign = registry.call("POST", "/v1/announcements", body | {"domains": ["x.test", "y.test"]})
    absent = registry.call("POST", "/v1/announcements", body | {"domains": ["x.test", "z.test"]})
    assert foreign.status == absent.status == 422
    assert foreign.json["errors"] == absent.json["errors"]
    assert registry.call("POST", "/v1/announcements", body | {"resellers": ["other"]}).status == 422
    [listed] = registry.call("GET", "/v1/announcements").json["announcements"]
    assert listed["told"] == 1
    assert not registry.call("GET", "/v1/announcements", key=registry.other_key).json["announcements"]
    assert not operator(registry, "GET", "/announcements").json["announcements"]


def test_a_reseller_does_not_flood_its_admins(registry: Registry) -> None:
    body = {"subject": "News", "text": "We have news."}
    for _ in range(20):
        assert registry.call("POST", "/v1/announcements", body).status == 201
    refused = registry.call("POST", "/v1/announcements", body)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "54000")


# ------------------------------------------------------------------------------------------- the log
def test_a_reseller_reads_what_it_was_told_newest_first(registry: Registry) -> None:
    for n in range(3):
        notify.reseller(registry.platform, "house", f"n{n}", f"Notice {n}", "Read this.")
        registry.clock.advance(hours=1)
    first = registry.call("GET", "/v1/notices?limit=2").json
    assert [n["subject"] for n in first["notices"]] == ["Notice 2", "Notice 1"]
    rest = registry.call("GET", f"/v1/notices?limit=2&cursor={first['cursor']}").json
    assert rest == {
        "notices": [
            {"id": "n0", "sent_at": "2026-03-02T09:00:00Z", "subject": "Notice 0", "text": "Read this."}
        ],
        "cursor": None,
    }
    assert not registry.call("GET", "/v1/notices", key=registry.other_key).json["notices"]
    for cursor in ("x", "MSBh", "MSBhIw"):
        assert registry.call("GET", f"/v1/notices?cursor={cursor}").status in (200, 400)


# ------------------------------------------------------------------------------------------- subscriptions
def test_S35_subscribing_says_the_same_to_everybody(registry: Registry) -> None:
    answers = []
    for address in ("zoe@far.test", "zoe@far.test", "yan@far.test"):
        answers.append(public(registry, "POST", "subscriptions", {"email": address}))
        work(registry)
        for mail in mails(registry):
            token = re.search(r"confirm\?token=3?D?([\w.=\r\n-]+?)\s\s", mail.replace("=\r\n", ""))
            assert token
            form = f"token={token[1].removeprefix('3D')}"
            assert public(registry, "POST", "confirm", raw=form, headers=FORM).status == 200
    assert {(a.status, a.text) for a in answers} == {(202, answers[0].text)}
    assert len(registry.platform.subscribers.page(10, "")[0]) == 2
    assert public(registry, "POST", "subscriptions", {"email": "nobody"}).status == 422


def test_links_change_nothing_until_the_button_is_pressed(registry: Registry) -> None:
    public(registry, "POST", "subscriptions", {"email": "zoe@far.test"})
    [wish] = work(registry)
    token = f"{sha256(b'zoe@far.test').hexdigest()[:32]}.{wish['secret']}"
    shown = public(registry, "GET", f"confirm?token={token}")
    assert (shown.status, shown.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert f'value="{token}"' in shown.text
    assert '<form method="post" action="/v1/status/confirm">' in shown.text
    assert shown.headers["Referrer-Policy"] == "no-referrer"
    assert not registry.platform.subscribers.page(10, "")[0]
    assert public(registry, "POST", "confirm", raw=f"token={token}", headers=FORM).status == 200
    [id] = registry.platform.subscribers.page(10, "")[0]
    known = registry.platform.subscribers.get(id)
    assert known
    out = f"unsubscribe?token={id}.{known.leave}"
    assert "<button>Unsubscribe</button>" in public(registry, "GET", out).text
    assert registry.platform.subscribers.get(id)
    click = public(registry, "POST", out, raw="List-Unsubscribe=One-Click", headers=FORM)
    assert click.status == 200
    assert registry.platform.subscribers.get(id) is None
    again = {"Content-Type": "multipart/form-data; boundary=x"}
    assert public(registry, "POST", out, raw="--x--", headers=again).status == 200
    gone = public(registry, "POST", "confirm", raw=f"token={token}", headers=FORM)
    assert (gone.status, "no longer good" in gone.text) == (410, True)


def test_whatever_a_link_carries_is_shown_as_text(registry: Registry) -> None:
    for path in ("confirm", "unsubscribe"):
        page = public(registry, "GET", f"{path}?token=%22%3E%3Cscript%3E").text
        assert "<script" not in page
    assert public(registry, "GET", "confirm").status == 400
    assert public(registry, "GET", f"confirm?token={'x' * 201}").status == 400


def test_the_pages_own_form_subscribes(registry: Registry) -> None:
    done = public(registry, "POST", "subscribe", raw="email=zoe%40far.test", headers=FORM)
    assert (done.status, "Look into your mailbox" in done.text) == (202, True)
    assert [m["address"] for m in work(registry)] == ["zoe@far.test"]
    for raw in ("", "email=", "other=1", "\udcff", "email=" + "x" * 5_000, "&".join(["a=1"] * 50)):
        assert public(registry, "POST", "subscribe", raw=raw, headers=FORM).status in (400, 422)
    assert public(registry, "POST", "subscribe", {"email": "zoe@far.test"}).status == 415
