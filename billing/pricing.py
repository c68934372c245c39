"""How seconds become money: pure functions, integers only (DESIGN §3)."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Price:
    """The terms one session is billed by.

    Attributes:
        currency: ISO 4217 code.
        per_minute: price of a minute, in minor units.
        free_seconds: the fit window; the first seconds with an expert new to the customer.
        cap_minutes: billed minutes the hold covers.
    """

    currency: str
    per_minute: int
    free_seconds: int
    cap_minutes: int

    @property
    def cap_minor(self) -> int:
        """The most the session may cost, in minor units; equals what is held."""
        return self.per_minute * self.cap_minutes

    @property
    def cap_seconds(self) -> int:
        """Billable seconds, the free ones included, at which the cap is reached."""
        return self.free_seconds + self.cap_minutes * 60

    @property
    def warn_seconds(self) -> int:
        """Billable seconds at which 80 % of the cap is used."""
        return self.free_seconds + self.cap_minutes * 48


def amount_due(billable_seconds: int, price: Price) -> int:
    """Return what `billable_seconds` cost, in minor units.

    The free seconds first, then per second; rounded up to the next minor unit, once, on the total; never above the cap.
    """
    charged = max(0, billable_seconds - price.free_seconds)
    return min(-(-charged * price.per_minute // 60), price.cap_minor)
