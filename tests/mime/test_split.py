"""The tree: boundaries, defaults, offsets, caps; and which parts are shown."""

from chalicelib import mime
from chalicelib.mime import split
from chalicelib.rules.values import Part


def tree(raw: bytes) -> str:
    """A tree in one line: types, with children in brackets."""

    def show(part: Part) -> str:
        inner = ",".join(show(child) for child in part.parts)
        return part.type.split("/")[1] + (f"[{inner}]" if part.parts else "")

    return show(split.split(raw))


def many(*parts: bytes, boundary: bytes = b"b", kind: bytes = b"mixed") -> bytes:
    head = b"Content-Type: multipart/" + kind + b"; boundary=" + boundary + b"\r\n\r\n"
    return (
        head
        + b"".join(b"--" + boundary + b"\r\n" + p + b"\r\n" for p in parts)
        + b"--"
        + boundary
        + b"--\r\n"
    )


TEXT = b"Content-Type: text/plain\r\n\r\nhello"
HTML = b"Content-Type: text/html\r\n\r\n<b>hello</b>"
IMAGE = b"Content-Type: image/png\r\nContent-ID: <i>\r\n\r\npng"
PDF = b"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\npdf"


def bodies_of(raw: bytes, part: Part) -> list[bytes]:
    return [raw[leaf.body : leaf.end] for leaf in mime.leaves(part)]


def test_no_mime_at_all() -> None:
    raw = b"Subject: x\r\n\r\nhello\r\n"
    part = split.split(raw)
    assert (part.part_id, part.type, part.charset, part.size, part.lines) == (
        "1",
        "text/plain",
        "us-ascii",
        7,
        1,
    )


def test_parts_are_cut_exactly() -> None:
    raw = many(TEXT, PDF)
    part = split.split(raw)
    assert bodies_of(raw, part) == [b"hello", b"pdf"]
    assert [leaf.part_id for leaf in mime.leaves(part)] == ["1", "2"]
    assert raw[part.parts[1].start : part.parts[1].body].startswith(b"Content-Type: application/pdf")


def test_nested_numbers_follow_imap() -> None:
    raw = many(many(TEXT, HTML, boundary=b"inner", kind=b"alternative"), PDF)
    part = split.split(raw)
    assert tree(raw) == "mixed[alternative[plain,html],pdf]"
    assert [leaf.part_id for leaf in mime.leaves(part)] == ["1.1", "1.2", "2"]


def test_a_boundary_that_begins_like_another() -> None:
    raw = many(many(TEXT, HTML, boundary=b"outer-1"), PDF, boundary=b"outer")
    assert tree(raw) == "mixed[mixed[plain,html],pdf]"


def test_an_outer_delimiter_ends_inner_parts() -> None:
    inner = b"Content-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\n" + TEXT
    assert tree(many(inner, PDF)) == "mixed[mixed[plain],pdf]"


def test_line_ends_of_every_kind() -> None:
    raw = many(TEXT, PDF)
    for ending in (b"\n", b"\r"):
        other = raw.replace(b"\r\n", ending)
        assert bodies_of(other, split.split(other)) == [b"hello", b"pdf"]


def test_close_delimiter_missing() -> None:
    raw = many(TEXT, PDF).removesuffix(b"--b--\r\n")
    assert tree(raw) == "mixed[plain,pdf]"


def test_white_space_after_a_boundary() -> None:
    assert tree(many(TEXT, PDF).replace(b"--b\r\n", b"--b \t\r\n")) == "mixed[plain,pdf]"


def test_epilogue_and_preamble_are_no_parts() -> None:
    raw = many(TEXT).replace(b"\r\n\r\n--b", b"\r\n\r\npreamble\r\n--b", 1) + b"epilogue"
    assert bodies_of(raw, split.split(raw)) == [b"hello"]


def test_boundary_missing_or_never_used_is_text() -> None:
    assert tree(b"Content-Type: multipart/mixed\r\n\r\nhello") == "plain"
    assert tree(b"Content-Type: multipart/mixed; boundary=x\r\n\r\nhello") == "plain"


def test_misquoted_boundary_is_seen_from_the_first_part() -> None:
    raw = many(TEXT, HTML).replace(b"boundary=b", b"boundary=other")
    assert tree(raw) == "mixed[plain,html]"


def test_digest_holds_messages() -> None:
    raw = many(b"\r\nSubject: x\r\n\r\nhello", kind=b"digest")
    assert tree(raw) == "digest[rfc822]"


def test_message_is_a_leaf() -> None:
    raw = many(b"Content-Type: message/rfc822\r\n\r\n" + many(TEXT, boundary=b"c"))
    assert tree(raw) == "mixed[rfc822]"


def test_part_without_header_or_blank_line() -> None:
    raw = many(b"\r\nno header", b"not a header", b"")
    assert bodies_of(raw, split.split(raw)) == [b"no header", b"not a header", b""]


def test_odd_types() -> None:
    for value in (b"", b"text", b"nonsense", b"/", b";charset=x", b"text/"):
        assert split.split(b"Content-Type: " + value + b"\r\n\r\nx").type == "text/plain"
    assert split.split(b"Content-Type: TEXT/HTML\r\n\r\nx").type == "text/html"


def test_mbox_line_is_no_header() -> None:
    raw = b"From anna@x.test Tue Jan  2 10:00:00 2024\nSubject: x\n\nhello"
    assert mime.digest(raw).subject == "x"


def test_garbage_between_fields_is_skipped() -> None:
    raw = b"Subject: x\r\ngarbage\r\nTo: a@x.test\r\n\r\nhello"
    found = mime.digest(raw)
    assert (found.subject, found.to[0].email, found.preview) == ("x", "a@x.test", "hello")


def test_header_without_blank_line() -> None:
    raw = b"Subject: x\r\nhello there\r\nmore"
    assert mime.digest(raw).preview == "hello there more"


def shown(raw: bytes) -> tuple[list[str], list[str], list[str]]:
    found = mime.bodies(split.split(raw))
    return tuple([p.part_id or "" for p in parts] for parts in found)  # type: ignore[return-value]


def test_text_and_html() -> None:
    assert shown(many(TEXT, HTML, kind=b"alternative")) == (["1"], ["2"], [])


def test_only_one_form_serves_for_both() -> None:
    assert shown(HTML) == (["1"], ["1"], [])
    assert shown(many(HTML, kind=b"alternative")) == (["1"], ["1"], [])


def test_related_images_are_attachments_of_the_html() -> None:
    related = many(HTML, IMAGE, boundary=b"r", kind=b"related")
    raw = many(TEXT, related, kind=b"alternative")
    assert shown(raw) == (["1"], ["2.1"], ["2.2"])
    assert not mime.digest(raw).has_attachment


def test_attachments() -> None:
    raw = many(TEXT, PDF)
    assert shown(raw) == (["1"], ["1"], ["2"])
    assert mime.digest(raw).has_attachment


def test_text_with_a_name_after_the_first_is_an_attachment() -> None:
    raw = many(TEXT, b"Content-Type: text/plain; name=a.txt\r\n\r\nx", TEXT)
    assert shown(raw) == (["1", "3"], ["1", "3"], ["2"])


def test_the_example_of_rfc_8621() -> None:
    """RFC 8621 §4.1.4: A to K in nested multiparts."""
    inline = b"Content-Disposition: inline\r\nContent-Type: "
    attached = b"Content-Disposition: attachment\r\nContent-Type: "
    b_c = many(
        inline + b"text/plain\r\n\r\nB", inline + b"image/jpeg\r\n\r\nC", inline + b"text/plain\r\n\r\nD",
        boundary=b"m2")  # fmt: skip
    e_f = many(
        inline + b"text/html\r\n\r\nE", inline + b"image/jpeg\r\n\r\nF", boundary=b"m3", kind=b"related"
    )
    alternative = many(b_c, e_f, boundary=b"m1", kind=b"alternative")
    raw = many(
        inline + b"text/plain\r\n\r\nA",
        many(alternative, attached + b"image/jpeg\r\n\r\nG", attached + b"application/x-excel\r\n\r\nH",
             attached + b"message/rfc822\r\n\r\nJ", boundary=b"m0"),
        inline + b"text/plain\r\n\r\nK",
    )  # fmt: skip

    def letters(parts: tuple[Part, ...]) -> str:
        return "".join(raw[p.body : p.end].decode() for p in parts)

    found = mime.bodies(split.split(raw))
    assert letters(found.text) == "ABCDK"
    assert letters(found.html) == "AEK"
    assert letters(found.attachments) == "CFGHJ"


def test_preview() -> None:
    assert mime.digest(b"\r\n  a\r\n\r\n b \xc2\xa0 c").preview == "a b c"
    page = b"<style>p{}</style><p>Hello&nbsp;<b>th</b>ere</p><!-- no --><script>x<y</script>&lt;ok&gt;"
    assert mime.digest(b"Content-Type: text/html\r\n\r\n" + page).preview == "Hello there <ok>"
    assert len(mime.digest(b"\r\n" + b"word " * 1000).preview) <= 256
    assert mime.digest(many(b"\r\n ", HTML)).preview == "hello"


def test_automatic() -> None:
    assert mime.is_automatic(mime.header_fields(b"Auto-Submitted: auto-replied\r\n\r\n"))
    assert not mime.is_automatic(mime.header_fields(b"Auto-Submitted: no\r\nPrecedence: first-class\r\n\r\n"))
    assert mime.is_automatic(mime.header_fields(b"Precedence: bulk\r\n\r\n"))
    assert mime.is_automatic(mime.header_fields(b"List-Id: <x>\r\n\r\n"))
    assert mime.is_automatic(mime.header_fields(b"Return-Path: <>\r\n\r\n"))
    assert mime.is_automatic([], sender="")
    assert mime.is_automatic([], sender="list-request@x.test")
    assert not mime.is_automatic([], sender="anna@x.test")
