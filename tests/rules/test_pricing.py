"""S11 and S13: prices in integer mills."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rules.figures import DEFAULT
from chalicelib.rules.pricing import StorageError, dollars, price, steps


@pytest.mark.parametrize(("mb", "mills"), [(250, 300), (500, 400), (1_000, 600), (5_000, 2_200)])
def test_S13_a_mailbox_costs_30_cents_and_each_step_10(mb: int, mills: int) -> None:
    assert price(mb, DEFAULT).monthly_mills == mills


@given(st.integers(-10_000, 20_000))
def test_S11_storage_is_sold_in_steps_only(mb: int) -> None:
    sold = mb in range(250, 5_001, 250)
    try:
        count = steps(mb, DEFAULT)
    except StorageError:
        assert not sold
    else:
        assert sold
        assert 250 + 250 * count == mb
        assert price(mb, DEFAULT).monthly_mills == 300 + 100 * count


@given(st.integers(-(10**12), 10**12))
def test_S13_dollars_are_exact(mills: int) -> None:
    text = dollars(mills)
    whole, _, part = text.lstrip("-").partition(".")
    assert len(part) == 3
    assert (int(whole) * 1000 + int(part)) * (-1 if text.startswith("-") else 1) == mills
