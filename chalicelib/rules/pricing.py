"""What a mailbox costs (S11, S13). Money is integer mills, a thousandth of a US dollar."""

from dataclasses import dataclass

from chalicelib.rules.figures import Figures

CURRENCY = "USD"


class StorageError(ValueError):
    """Not a storage size that is sold; the text says which are."""


@dataclass(frozen=True, slots=True)
class Price:
    """A mailbox for a month. IMAP is free (S13)."""

    base_mills: int
    steps: int  # above the base storage
    step_mills: int  # each

    @property
    def monthly_mills(self) -> int:
        """Base and steps together."""
        return self.base_mills + self.steps * self.step_mills


def steps(storage_mb: int, figures: Figures) -> int:
    """Storage steps above the base. Raises StorageError."""
    base, step, most = figures.base_storage_mb, figures.storage_step_mb, figures.max_storage_mb
    over, rest = divmod(storage_mb - base, step)
    if rest or over < 0 or storage_mb > most:
        raise StorageError(f"Storage is sold in steps of {step} MB, from {base} MB to {most} MB in all.")
    return over


def price(storage_mb: int, figures: Figures) -> Price:
    """The price of a mailbox of that size. Raises StorageError."""
    return Price(figures.mailbox_mills, steps(storage_mb, figures), figures.step_mills)


def dollars(mills: int) -> str:
    """Mills as a decimal number of dollars: 300 → "0.300". Exact, for a price list or a total."""
    sign = "-" if mills < 0 else ""
    return f"{sign}{abs(mills) // 1000}.{abs(mills) % 1000:03d}"
