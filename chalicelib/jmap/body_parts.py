"""EmailBodyPart and EmailBodyValue objects (RFC 8621 §4.1.4)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib import mime
from chalicelib.jmap import arguments, blobs, headers, limits
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, MethodError
from chalicelib.rules.values import Part

DEFAULT = [
    "partId", "blobId", "size", "name", "type", "charset", "disposition", "cid", "language", "location",
]  # fmt: skip
_OF_PART: dict[str, Callable[[Part], Any]] = {
    "partId": lambda p: p.part_id,
    "size": lambda p: p.size,
    "name": lambda p: p.name,
    "type": lambda p: p.type,
    "charset": lambda p: p.charset,
    "disposition": lambda p: p.disposition,
    "cid": lambda p: p.cid,
    "language": lambda p: list(p.language) or None,
    "location": lambda p: p.location,
}
PROPERTIES = frozenset({*_OF_PART, "blobId", "headers", "subParts"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of parts."""

    properties: list[str]
    fields: Mapping[str, headers.Asked]
    text: bool
    html: bool
    every: bool
    most: int  # octets of a value

    @property
    def values(self) -> bool:
        """Whether any value is asked for."""
        return self.text or self.html or self.every

    @property
    def needs_raw(self) -> bool:
        """Whether parts' own header fields are."""
        return bool(self.fields) or "headers" in self.properties


def wanted(args: Json) -> Wanted:
    """From the arguments of an Email/get. Raises MethodError invalidArguments."""
    asked = arguments.strings(args, "bodyProperties")
    properties = list(dict.fromkeys(DEFAULT if asked is None else asked))
    fields = {p: found for p in properties if p not in PROPERTIES and (found := headers.parse(p))}
    unknown = [p for p in properties if p not in PROPERTIES and p not in fields]
    if unknown:
        raise MethodError(
            "invalidArguments", f"There is no property {unknown[0][:200]}.", arguments=["bodyProperties"]
        )
    most = arguments.integer(args, "maxBodyValueBytes", 0, least=0) or limits.MAX_BODY_VALUE
    return Wanted(
        properties,
        fields,
        arguments.boolean(args, "fetchTextBodyValues"),
        arguments.boolean(args, "fetchHTMLBodyValues"),
        arguments.boolean(args, "fetchAllBodyValues"),
        min(most, limits.MAX_BODY_VALUE),
    )


class Shower:
    """Shows parts of one email."""

    def __init__(self, email_id: str, raw: bytes, wanted: Wanted) -> None:
        self.email_id, self.raw, self.wanted = email_id, raw, wanted

    def tree(self, part: Part) -> Json:
        """A part with what it holds."""
        shown = self.part(part)
        if part.part_id is None:
            shown["subParts"] = [self.tree(inner) for inner in part.parts]
        return shown

    def part(self, part: Part) -> Json:
        """A part by itself."""
        fields = mime.header_fields(self.raw[part.start : part.body]) if self.wanted.needs_raw else []
        out: Json = {}
        for name in self.wanted.properties:
            if name in _OF_PART:
                out[name] = _OF_PART[name](part)
            elif name == "blobId":
                out[name] = blobs.part_blob(self.email_id, part.part_id) if part.part_id else None
            elif name == "headers":
                out[name] = headers.show_all(fields)
            elif name == "subParts":
                out[name] = None
            else:
                out[name] = headers.show(self.wanted.fields[name], fields)
        return out


def chosen(structure: Part, wanted: Wanted) -> dict[str, Part]:
    """The parts whose texts are asked for, by part id."""
    lists = mime.bodies(structure)
    out: dict[str, Part] = {}
    groups = (
        (wanted.text, lists.text), (wanted.html, lists.html), (wanted.every, tuple(mime.leaves(structure))),
    )  # fmt: skip
    for asked, parts in groups:
        if asked:
            out.update((p.part_id or "", p) for p in parts if p.type.startswith("text/"))
    return out


def values(ctx: Context, raw: bytes, structure: Part, wanted: Wanted) -> Json:
    """bodyValues: decoded texts by part id, each at most as long as asked, all of them within the budget."""
    out: Json = {}
    for part_id, part in chosen(structure, wanted).items():
        text, problem = mime.part_text(raw, part)
        value = _afforded(ctx, text, wanted.most, part.type == "text/html")
        truncated = len(value) < len(text)
        out[part_id] = {"value": value, "isEncodingProblem": problem, "isTruncated": truncated}
    return out


def _afforded(ctx: Context, text: str, most: int, html: bool) -> str:
    """As much of a text as was asked for and the answer has room for."""
    value = cut(text, most, html=html)
    while value and (weight := limits.weight(value)) > ctx.body_budget:
        most = min(len(value.encode()) // 2, most * max(ctx.body_budget, 0) // weight)
        value = cut(text, most, html=html)
    ctx.body_budget -= limits.weight(value)
    return value


def cut(text: str, most: int, *, html: bool) -> str:
    """At most so many octets of UTF-8, whole characters, and of HTML not within a tag."""
    octets = text.encode("utf-8", "replace")
    if len(octets) <= most:
        return text
    short = octets[:most].decode("utf-8", "ignore")
    opened = short.rfind("<")
    if html and opened > short.rfind(">") and opened >= 0:
        short = short[:opened]
    return short
