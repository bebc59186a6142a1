"""Email/set: bodies of new emails, part by part (RFC 8621 §4.6)."""

from typing import Any

from tests.jmap.client import Client
from tests.jmap.Email.test_create import names_of, upload

#: Of a single part with the text `t`: the properties that are refused, without the part's own name.
REFUSED_OF_A_PART: list[tuple[dict[str, Any], list[str]]] = [
    ({"header:Content-Transfer-Encoding": "8bit"}, ["header:Content-Transfer-Encoding"]),
    ({"header:MIME-Version": "1.0"}, ["header:MIME-Version"]),
    ({"type": "text/plain", "header:Content-Type": "text/plain"}, ["header:Content-Type"]),
    ({"header:Content-Type": "nonsense"}, ["header:Content-Type"]),
    ({"header:Content-Type": "text/plain; a\x01=b"}, ["header:Content-Type"]),
    ({"header:Content-Type:all": ["text/plain", "text/html"]}, ["header:Content-Type:all"]),
    ({"disposition": "inline", "header:Content-Disposition": "inline"}, ["header:Content-Disposition"]),
    ({"name": "a", "header:content-disposition": "inline"}, ["header:content-disposition"]),
    ({"cid": "a", "header:Content-ID:asMessageIds": ["a"]}, ["header:Content-ID:asMessageIds"]),
    ({"language": ["en"], "header:Content-Language": "en"}, ["header:Content-Language"]),
    ({"location": "a", "header:Content-Location": "a"}, ["header:Content-Location"]),
    ({"header:Content-Language:all": ["en", "de"]}, ["header:Content-Language:all"]),
    ({"header:X-A": "a", "header:x-a:asText": "b"}, ["header:x-a:asText"]),
    ({"header:From:asText": "a"}, ["header:From:asText"]),
    ({"size": 1}, ["size"]),
    ({"shoe": 1, "sock": 2}, ["shoe", "sock"]),
    ({"type": "multipart/mixed"}, ["type"]),
]


def test_refused_parts(jmap: Client) -> None:
    for given, names in REFUSED_OF_A_PART:
        for where in ("bodyStructure", "textBody"):
            part = {"partId": "t"} | given
            body = {where: part if where == "bodyStructure" else [part], "bodyValues": {"t": {"value": "x"}}}
            error = jmap.refused(**body)
            assert error["type"] == "invalidProperties", given
            assert error["properties"] == [f"{where}/{name}" for name in names]


def test_a_part_is_a_value_or_a_blob(jmap: Client) -> None:
    both = {"partId": "t", "blobId": upload(jmap, b"x")}
    error = jmap.refused(textBody=[both], bodyValues={"t": {"value": "x"}})
    assert (error["type"], error["properties"]) == ("invalidProperties", ["textBody"])


#: What the email gives, and its topmost part gives again (RFC 8621 §4.6).
TWICE: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"subject": "a"}, {"header:Subject:asText": "b"}),
    ({"subject": "a"}, {"header:subject": "b"}),
    ({"messageId": ["a@x.test"]}, {"header:Message-ID:asMessageIds": ["b@x.test"]}),
    ({"from": [{"email": "ann@far.test"}]}, {"header:From:asAddresses": [{"email": "uma@x.test"}]}),
    ({"from": [{"email": "ann@far.test"}]}, {"header:FROM": " uma@x.test"}),
    ({"header:X-A": "a"}, {"header:X-a:asText:all": ["b"]}),
]


def test_the_topmost_part_gives_no_field_again(jmap: Client) -> None:
    """Its header is the message's: of two From fields nobody knows who wrote it."""
    values = {"t": {"value": "x"}}
    for above, below in TWICE:
        part = {"partId": "t"} | below
        for where, body in (
            ("bodyStructure", part),
            ("bodyStructure", {"subParts": [{"partId": "t"}]} | below),
            ("textBody", [part]),
            ("htmlBody", [part]),
        ):
            error = jmap.refused(**above, bodyValues=values, **{where: body})
            assert error["type"] == "invalidProperties"
            assert error["properties"] == [f"{where}/{name}" for name in below]
        made = jmap.draft(**above, bodyValues=values, bodyStructure={"subParts": [part]})
        assert len(names_of(jmap.raw(made["id"]))) == len(set(names_of(jmap.raw(made["id"]))))


def test_fields_of_the_topmost_part_are_the_messages(jmap: Client) -> None:
    part = {
        "partId": "t",
        "header:Subject:asText": "ü",
        "header:Message-ID:asMessageIds": ["own@x.test"],
        "header:Date:asDate": "2024-02-03T04:05:06Z",
    }
    id = jmap.draft(bodyStructure=part, bodyValues={"t": {"value": "x"}})["id"]
    email = jmap.email(id)
    assert (email["subject"], email["messageId"]) == ("ü", ["own@x.test"])
    assert email["sentAt"] == "2024-02-03T04:05:06Z"
    assert len(names_of(jmap.raw(id))) == len(set(names_of(jmap.raw(id))))


def test_the_standards_own_example(jmap: Client) -> None:
    """RFC 8621 §4.10."""
    made = jmap.draft(
        **{"from": [{"name": "Joe Bloggs", "email": "joe@x.test"}]},
        subject="World domination",
        receivedAt="2018-07-10T01:03:11Z",
        sentAt="2018-07-10T11:03:11+10:00",
        bodyStructure={"type": "text/plain", "partId": "bd48", "header:Content-Language": "en"},
        bodyValues={"bd48": {"value": "I have the most brilliant plan.", "isTruncated": False}},
    )
    assert jmap.email(made["id"])["textBody"][0]["language"] == ["en"]
    assert b"Content-Language: en\r\n" in jmap.raw(made["id"])


def test_content_fields_of_parts(jmap: Client) -> None:
    pdf = {
        "blobId": upload(jmap, b"pdf"),
        "header:Content-Type": " application/pdf; name=ä.pdf",
        "header:Content-Disposition": ' inline; filename="ä.pdf"',
        "header:Content-ID:asMessageIds": ["c@x.test"],
        "header:Content-Description:asText": "ü",
        "size": 99,
    }
    text = {"partId": "t", "header:Content-Type": "Text/Plain; format=flowed; charset=utf-16"}
    structure = {"header:Content-Type": "multipart/related; start=c; boundary=b", "subParts": [text, pdf]}
    id = jmap.draft(bodyStructure=structure, bodyValues={"t": {"value": "ü"}})["id"]
    described = "header:Content-Description:asText"
    wanted = ["type", "charset", "disposition", "name", "cid", "size", "header:Content-Type", described]
    root = jmap.email(id, properties=["bodyStructure"], bodyProperties=[*wanted, "subParts"])["bodyStructure"]
    assert root["type"] == "multipart/related"
    assert "start=c" in root["header:Content-Type"]
    shown, file = root["subParts"]
    assert shown["header:Content-Type"] == " text/plain; charset=utf-8; format=flowed"
    assert [file[name] for name in ("type", "disposition", "name", "cid", "size", described)] == [
        "application/pdf", "inline", "ä.pdf", "c@x.test", 3, "ü",
    ]  # fmt: skip
    assert jmap.email(id, fetchAllBodyValues=True)["bodyValues"]["1"]["value"] == "ü"
    assert jmap.raw(id).isascii()


def test_types_have_no_case(jmap: Client) -> None:
    part = {"partId": "t", "type": "TEXT/PLAIN"}
    id = jmap.draft(textBody=[part], bodyValues={"t": {"value": "x"}})["id"]
    assert jmap.email(id)["textBody"][0]["type"] == "text/plain"
