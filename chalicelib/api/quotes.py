"""What a change would cost, said before it is made: `?dry_run=true` (S13)."""

from collections.abc import Sequence

from pydantic import Field

from chalicelib.api.rest import Call, Out, Query, Reply
from chalicelib.rules.ledger import Entry
from chalicelib.rules.pricing import CURRENCY, dollars
from chalicelib.services import billing


class DryRun(Query):
    """Whether to do it, or to say what it would cost."""

    dry_run: bool = Field(False, description="true: nothing is changed, and the price is answered with 200.")


class CostOut(Out):
    """An amount as it is and as it would be. A mill is a thousandth of a dollar."""

    before_mills: int
    after_mills: int
    before: str
    after: str


class QuoteOut(Out):
    """What a change would do to the invoices: of this month, of each month after it, and of the last one."""

    this_month: CostOut
    monthly: CostOut
    last_month: CostOut
    currency: str


def quoted(call: Call, entries: Sequence[Entry]) -> Reply:
    """The answer to a dry run: made of the very entries that the change would write."""
    q = billing.quote(call.platform, call.caller.reseller, entries)
    out = QuoteOut(
        this_month=_cost(q.now_month_mills_before, q.now_month_mills_after),
        monthly=_cost(q.monthly_mills_before, q.monthly_mills_after),
        last_month=_cost(q.last_month_mills_before, q.last_month_mills_after),
        currency=CURRENCY,
    )
    return Reply(out, 200)


def _cost(before: int, after: int) -> CostOut:
    return CostOut(before_mills=before, after_mills=after, before=dollars(before), after=dollars(after))
