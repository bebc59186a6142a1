"""Email/query by words (RFC 8621 §4.4.1): found in the index, whatever came a moment ago included."""

import pytest

from chalicelib.jmap import limits
from chalicelib.services import indexing
from tests.jmap.client import Client, counted, letter


def search(jmap: Client, *operator: object, **given: object) -> list[str]:
    """Ids that a filter finds, newest first."""
    filter = {"operator": operator[0], "conditions": list(operator[1:])} if operator else given
    found: list[str] = jmap.call("Email/query", filter=filter)["ids"]
    return found


@pytest.fixture
def mails(jmap: Client) -> dict[str, str]:
    """Some emails by name."""
    plain, html = b"Content-Type: text/plain; charset=utf-8\r\n", b"Content-Type: text/html\r\n"
    page = "<p>An <b>invo</b>ice<script>secretcode</script></p>"
    report = "The annual report is attached."
    sent = letter("Re: lunch", "noon is fine", From="Uma <uma@x.test>", To="kim@far.test")
    return {
        "invoice": jmap.deliver(letter("Your invoice", report, Cc="Bob <bob@y.test>")),
        "cafe": jmap.deliver(letter("=?utf-8?b?Q2Fmw6k=?=", "Crème brûlée at noon")),
        "tokyo": jmap.deliver(plain + letter("Trip", "東京都に行く")),
        "html": jmap.deliver(html + letter("Page", page)),
        "sent": jmap.deliver(sent, "sent"),
    }


def test_words_are_found_where_they_are(jmap: Client, mails: dict[str, str]) -> None:
    def named(**given: object) -> list[str]:
        ids = search(jmap, **given)
        return [next(name for name, id in mails.items() if id == found) for found in ids]

    assert named(text="invoice") == ["html", "invoice"]
    assert named(text="INVO") == ["html", "invoice"]
    assert named(subject="invoice") == ["invoice"]
    assert named(body="invoice") == ["html"]
    assert named(text="creme brulee") == ["cafe"]
    assert named(subject="cafe") == ["cafe"]
    assert named(text="東京") == ["tokyo"]
    assert named(text="京都") == ["tokyo"]
    assert named(text="行") == ["tokyo"]
    assert named(text="都東") == []
    assert named(text="secretcode") == []
    assert named(cc="bob") == ["invoice"]
    assert named(**{"from": "zoe"}) == ["html", "tokyo", "cafe", "invoice"]
    assert named(**{"from": "uma@x.test"}) == ["sent"]
    assert named(to="kim") == ["sent"]
    assert named(text="annual missing") == []
    assert named(text="noon", inMailbox=jmap.roles["sent"]) == ["sent"]
    assert named(text="noon", notKeyword="$seen", minSize=1) == ["sent", "cafe"]
    assert named(text="") == ["sent", "html", "tokyo", "cafe", "invoice"]


def test_operators_join_words_and_rows(jmap: Client, mails: dict[str, str]) -> None:
    jmap.call("Email/set", update={mails["cafe"]: {"keywords/$flagged": True}})
    noon, flagged, trip = {"text": "noon"}, {"hasKeyword": "$flagged"}, {"subject": "trip"}
    assert search(jmap, "AND", noon, flagged) == [mails["cafe"]]
    assert search(jmap, "OR", trip, flagged) == [mails["tokyo"], mails["cafe"]]
    assert search(jmap, "NOT", noon, trip) == [mails["html"], mails["invoice"]]
    assert search(jmap, "AND", noon, {"operator": "NOT", "conditions": [flagged]}) == [mails["sent"]]
    assert search(jmap, "NOT", {"operator": "AND", "conditions": [noon, flagged]}) == [
        mails[n] for n in ("sent", "html", "tokyo", "invoice")
    ]


def test_pages_and_order(jmap: Client) -> None:
    ids = [jmap.deliver(letter(f"news {n}", "weekly")) for n in range(7)]
    args = {"filter": {"text": "weekly"}}
    page = jmap.call("Email/query", **args, position=2, limit=3)
    assert page["ids"] == ids[::-1][2:5]
    assert jmap.call("Email/query", **args, limit=2, calculateTotal=True)["total"] == 7
    assert jmap.call("Email/query", **args, anchor=ids[3], anchorOffset=1, limit=2)["ids"] == [ids[2], ids[1]]
    assert jmap.call("Email/query", **args, position=-2)["ids"] == [ids[1], ids[0]]
    upwards = jmap.call("Email/query", **args, sort=[{"property": "receivedAt", "isAscending": True}])
    assert upwards["ids"] == ids


def test_conversations_are_collapsed(jmap: Client) -> None:
    first = jmap.deliver(letter("plan", "harbour", Message_ID="<1@far.test>"))
    reply = jmap.deliver(letter("Re: plan", "harbour", Message_ID="<2@far.test>", In_Reply_To="<1@far.test>"))
    assert search(jmap, text="harbour") == [reply, first]
    assert jmap.call("Email/query", filter={"text": "harbour"}, collapseThreads=True)["ids"] == [reply]


def test_what_is_gone_moved_or_new_is_seen_at_once(jmap: Client, mails: dict[str, str]) -> None:
    assert search(jmap, text="noon") == [mails["sent"], mails["cafe"]]
    jmap.call("Email/set", destroy=[mails["cafe"]])
    late = jmap.deliver(letter("late", "noon again"))
    assert search(jmap, text="noon") == [late, mails["sent"]]
    trash = jmap.roles["trash"]
    jmap.call("Email/set", update={late: {"mailboxIds": {trash: True}}})
    assert search(jmap, text="noon", inMailbox=trash) == [late]


def test_a_search_keeps_to_its_folders(jmap: Client) -> None:
    roles = jmap.roles
    ids = {
        role: jmap.deliver(letter(role, "harvest"), role) for role in ("inbox", "junk", "trash", "archive")
    }
    apart = [roles["junk"], roles["trash"]]
    assert search(jmap, text="harvest") == list(ids.values())[::-1]
    assert search(jmap, text="harvest", inMailboxOtherThan=apart) == [ids["archive"], ids["inbox"]]
    for role, id in ids.items():
        assert search(jmap, text="harvest", inMailbox=roles[role]) == [id]
    assert search(jmap, text="harvest", inMailbox="f999") == []
    jmap.call("Email/set", update={ids["inbox"]: {"mailboxIds": {roles["trash"]: True}}})
    assert search(jmap, text="harvest", inMailboxOtherThan=apart) == [ids["archive"]]
    assert search(jmap, text="harvest", inMailbox=roles["inbox"]) == []
    jmap.call(
        "Email/set",
        destroy=[ids["inbox"]],
        update={ids["trash"]: {f"mailboxIds/{roles['inbox']}": True, f"mailboxIds/{roles['trash']}": None}},
    )
    assert search(jmap, text="harvest", inMailbox=roles["inbox"]) == [ids["trash"]]
    assert search(jmap, text="harvest") == [ids["archive"], ids["trash"], ids["junk"]]


def test_a_search_before_the_index_is_ready_says_so(jmap: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [jmap.deliver(letter(f"number {n}", "harvest")) for n in range(4)]
    monkeypatch.setattr(indexing, "AT_ONCE", 3)
    answer = jmap.error("Email/query", filter={"text": "harvest"})
    assert answer["type"] == "serverUnavailable"
    assert "0 of 4 messages are ready" in answer["description"]
    jmap.post.settle()
    assert search(jmap, text="harvest") == ids[::-1]


def test_parts_are_merged_and_nothing_is_lost(jmap: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "BATCH", 2)
    monkeypatch.setattr(indexing, "FAN", 4)
    ids = []
    for n in range(9):
        ids.append(jmap.deliver(letter(f"number {n}", f"common word{n}")))
        assert search(jmap, text=f"word{n}") == [ids[-1]]
    p, acct = jmap.post.p, jmap.account.id
    before = p.indexes.get(acct)
    assert before
    assert len(before.parts) == 9
    while indexing.merge(p, acct):
        pass
    after = p.indexes.get(acct)
    assert after
    assert len(after.parts) == 3
    assert search(jmap, text="common") == ids[::-1]
    assert search(jmap, text="word3 ") == [ids[3]]


def test_an_index_whose_log_is_gone_is_written_anew(jmap: Client, mails: dict[str, str]) -> None:
    assert search(jmap, text="noon") == [mails["sent"], mails["cafe"]]
    late = jmap.deliver(letter("late", "noon again"))
    jmap.post.clock.advance(days=31)
    p, acct = jmap.post.p, jmap.account.id
    for item in list(p.mailboxes._table.query_all(f"A#{acct}#L")):
        p.mailboxes._table.delete({"pk": item["pk"], "sk": item["sk"]})
    assert search(jmap, text="noon") == [late, mails["sent"], mails["cafe"]]


def test_a_second_search_reads_ranges_and_no_mail(jmap: Client, mails: dict[str, str]) -> None:
    assert search(jmap, text="noon") == [mails["sent"], mails["cafe"]]
    with counted() as calls:
        search(jmap, text="noon")
    assert calls.count("GetObject") == 2  # the words, the documents; the directory is known
    assert calls.count("PutObject") == 0


@pytest.fixture
def reports(jmap: Client) -> dict[str, str]:
    """Emails with the same words in another order."""
    return {
        "phrase": jmap.deliver(letter("one", "see the annual\r\nreport of may")),
        "apart": jmap.deliver(letter("annual", "the report of the annual feast")),
        "subject": jmap.deliver(letter("Annual Report", "see there", Cc="Annual Report <ar@far.test>")),
    }


def test_words_between_quotes_are_a_phrase(jmap: Client, reports: dict[str, str]) -> None:
    phrase, apart, subject = reports.values()
    assert search(jmap, text="annual report") == [subject, apart, phrase]
    assert search(jmap, text='"annual report"') == [subject, phrase]
    assert search(jmap, text="'annual report' may") == [phrase]
    assert search(jmap, body='"annual report"') == [phrase]
    assert search(jmap, subject='"annual report"') == [subject]
    assert search(jmap, cc='"annual report"') == [subject]
    assert search(jmap, "NOT", {"text": '"annual report"'}) == [apart]
    assert search(jmap, text='"report annual"') == []
    args = {"filter": {"text": '"annual report"'}, "limit": 1, "calculateTotal": True}
    answer = jmap.call("Email/query", **args, anchor=subject, anchorOffset=1)
    assert (answer["ids"], answer["total"], answer["position"]) == ([phrase], 2, 1)
    [shown] = jmap.call("SearchSnippet/get", emailIds=[phrase], filter={"text": '"annual report"'})["list"]
    assert shown["preview"] == "see the <mark>annual</mark> <mark>report</mark> of may"


def test_header_fields_are_looked_for_in_the_messages(jmap: Client, reports: dict[str, str]) -> None:
    extra = {"List_Id": "The Weekly <weekly.far.test>", "X_Mood": "=?utf-8?q?fr=C3=B6hlich?="}
    news = jmap.deliver(letter("news", "weekly report", **extra))
    assert search(jmap, header=["List-Id"]) == [news]
    assert search(jmap, header=["list-id", "WEEKLY.far"]) == [news]
    assert search(jmap, header=["X-Mood", "frohlich"]) == [news]
    assert search(jmap, header=["List-Id", "other"]) == []
    assert search(jmap, header=["From", "zoe"], inMailbox=jmap.roles["sent"]) == []
    assert search(jmap, header=["Subject", "annual"], text="feast") == [reports["apart"]]
    assert search(jmap, "NOT", {"header": ["List-Id"]}) == list(reports.values())[::-1]


def test_messages_are_opened_eight_by_eight_and_not_without_end(
    jmap: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [jmap.deliver(letter(f"n{n}", "the annual report")) for n in range(20)]
    monkeypatch.setattr(limits, "MAX_OPENED", 16)
    for given in ({"text": '"annual report"'}, {"header": ["Subject"]}):
        assert jmap.call("Email/query", filter=given, limit=3)["ids"] == ids[:-4:-1]
        with counted() as calls:
            jmap.call("Email/query", filter=given, limit=3)
        assert calls.count("GetObject") <= 8 + 3  # the messages; two words and documents of the index
        assert jmap.error("Email/query", filter=given)["type"] == "unsupportedFilter"


def test_bad_searches_are_refused(jmap: Client) -> None:
    wrong_headers: list[object] = ["X", [], ["X", "y", "z"], ["X", 1], [None]]
    headers = [{"header": wrong} for wrong in wrong_headers]
    for given in ({"text": 1}, {"subject": None}, {"body": ["x"]}, *headers):
        assert jmap.error("Email/query", filter=given)["type"] == "invalidArguments"
    many = {"text": " ".join(f"w{n}" for n in range(50))}
    assert jmap.error("Email/query", filter=many)["type"] == "unsupportedFilter"
    deep: dict[str, object] = {"text": "x"}
    for _ in range(25):
        deep = {"operator": "AND", "conditions": [deep]}
    assert jmap.error("Email/query", filter=deep)["type"] == "unsupportedFilter"
