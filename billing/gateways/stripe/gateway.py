"""Stripe: cards on its own pages, holds by manual capture, refunds, disputes, and payouts by Connect Express.

Card numbers never reach us: Checkout takes them, saves the card, and places the first hold. What we made carries our key
in its metadata, so that it can be found again when Stripe has forgotten the idempotency key, and the site that made it.
"""

from functools import lru_cache

import stripe
from django.conf import settings

from billing.gateways.base import (
    AccountState,
    CardDetails,
    Declined,
    GatewayDispute,
    GatewayRefund,
    GatewayRefused,
    GatewayUnavailable,
    HoldResult,
    NeedsAction,
    Placed,
    RefundEntry,
    TransferEntry,
    minimum_charge,
)
from billing.gateways.stripe.books import PAGE, StripeBooks
from billing.gateways.stripe.reading import (
    PAGE_LEFT,
    card_details,
    declined,
    dispute_of,
    is_ready,
    key_of,
    marked,
    must_be_intent,
    page_url,
    refund_entry_of,
    refund_of,
    same_transfer,
    standing,
    transfer_of,
    translated,
    was_replayed,
)

CAPTURE_KEY = "hopps_capture_key"
# Seconds to connect and to wait for an answer; a web request of a customer hangs on it.
TIMEOUT = (5.0, 25.0)
NETWORK_RETRIES = 1


@lru_cache(maxsize=4)
def _client(api_key: str, api_base: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        api_key,
        base_addresses={"api": api_base},
        max_network_retries=NETWORK_RETRIES,
        http_client=stripe.RequestsClient(timeout=TIMEOUT),
    )


class StripeGateway(StripeBooks):
    """Implements `Gateway` over Stripe's own library."""

    name = "stripe"
    hosted = True

    @classmethod
    def from_settings(cls) -> "StripeGateway":
        """Return the gateway of the account whose key is in the settings."""
        return cls(_client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE))

    def minimum_minor(self, currency: str) -> int:
        """Return the least that can be charged in `currency`."""
        return minimum_charge(currency)

    # --- payers and cards ---

    def customer(self, *, key: str, email: str, name: str) -> str:
        """Return the customer's id at Stripe."""
        with translated():
            customer = self._api.customers.create(
                {"email": email, "name": name, "metadata": marked(key)}, {"idempotency_key": key}
            )
        return customer.id

    def card_page(self, *, key: str, customer_ref: str, return_url: str) -> str:
        """Return the address of a Checkout page that saves a card."""
        with translated():
            session = self._api.checkout.sessions.create(
                {
                    "mode": "setup",
                    "customer": customer_ref,
                    "payment_method_types": ["card"],
                    "success_url": return_url.replace("{ref}", "{CHECKOUT_SESSION_ID}"),
                    "cancel_url": return_url.replace("{ref}", ""),
                    "metadata": marked(key),
                },
                {"idempotency_key": key},
            )
        return page_url(session)

    def added_card(self, *, ref: str, customer_ref: str) -> CardDetails | None:
        """Return the card a visit to the Checkout page saved."""
        if not ref.startswith("cs_"):
            return None
        with translated():
            session = self._api.checkout.sessions.retrieve(ref, {"expand": ["setup_intent.payment_method"]})
        if session.customer != customer_ref or session.status != "complete":
            return None
        intent = session.setup_intent
        return card_details(intent.payment_method) if isinstance(intent, stripe.SetupIntent) else None

    def remove_card(self, *, card_ref: str) -> None:
        """Detach a card from its customer."""
        try:
            with translated():
                self._api.payment_methods.detach(card_ref)
        except GatewayRefused:  # detached before, or unknown by now: gone either way
            return

    # --- holds ---

    def place_hold(
        self,
        *,
        key: str,
        card_ref: str | None,
        customer_ref: str = "",
        amount_minor: int,
        currency: str,
        description: str,
        return_url: str,
    ) -> HoldResult:
        """Confirm a saved card for manual capture; without a card, open a Checkout page that does it and saves the card."""
        if card_ref is None:
            return self._open_checkout(key, customer_ref, amount_minor, currency, description, return_url)
        try:
            with translated():
                intent = self._api.payment_intents.create(
                    {
                        "amount": amount_minor,
                        "currency": currency.lower(),
                        "customer": customer_ref,
                        "payment_method": card_ref,
                        "payment_method_types": ["card"],
                        "capture_method": "manual",
                        "confirm": True,
                        "return_url": return_url,
                        "description": description,
                        "metadata": marked(key),
                    },
                    {"idempotency_key": key},
                )
        except stripe.CardError as error:
            return declined(error)
        if was_replayed(intent):
            return self.hold_state(intent.id)
        return standing(intent)

    def _open_checkout(
        self, key: str, customer_ref: str, amount_minor: int, currency: str, description: str, return_url: str
    ) -> HoldResult:
        with translated():
            session = self._api.checkout.sessions.create(
                {
                    "mode": "payment",
                    "customer": customer_ref,
                    "payment_method_types": ["card"],
                    "line_items": [
                        {
                            "quantity": 1,
                            "price_data": {
                                "currency": currency.lower(),
                                "unit_amount": amount_minor,
                                "product_data": {
                                    "name": description,
                                    "description": "The most it may cost. Only the time used is charged.",
                                },
                            },
                        }
                    ],
                    "payment_intent_data": {
                        "capture_method": "manual",
                        # The customer is there when the next session begins, and for its 3-D Secure.
                        "setup_future_usage": "on_session",
                        "description": description,
                        "metadata": marked(key),
                    },
                    "success_url": return_url,
                    "cancel_url": return_url,
                    "metadata": marked(key),
                },
                {"idempotency_key": key},
            )
        if was_replayed(session):
            return self.hold_state(session.id)
        return NeedsAction(session.id, page_url(session))

    def hold_state(self, ref: str) -> HoldResult:
        """Return how a hold, or the Checkout page that leads to one, stands."""
        if ref.startswith("cs_"):
            return self._checkout_state(ref)
        return standing(self._intent(ref))

    def _checkout_state(self, ref: str) -> HoldResult:
        session = self._checkout(ref)
        intent = session.payment_intent
        if session.status == "complete" and isinstance(intent, stripe.PaymentIntent):
            result = standing(intent)
            return Placed(result.ref, card_details(intent.payment_method)) if isinstance(result, Placed) else result
        if session.status == "open":
            return NeedsAction(session.id, page_url(session))
        return Declined(session.id, PAGE_LEFT)

    def capture(self, *, key: str, ref: str, amount_minor: int) -> None:
        """Capture part or all of an intent; Stripe gives the rest back."""
        must_be_intent(ref)
        try:
            with translated():
                self._api.payment_intents.capture(
                    ref,
                    {"amount_to_capture": amount_minor, "metadata": {CAPTURE_KEY: key}},
                    {"idempotency_key": key},
                )
        except stripe.CardError as error:
            raise GatewayRefused("The bank refused the charge.", f"Stripe: {error.user_message}") from error
        except GatewayRefused:
            # Done before, and the key forgotten since?
            intent = self._intent(ref)
            if intent.status != "succeeded" or intent.metadata.to_dict().get(CAPTURE_KEY) != key:
                raise
            if intent.amount_received != amount_minor:
                raise

    def release(self, *, key: str, ref: str) -> None:
        """Cancel an intent, or expire the Checkout page that leads to one."""
        if ref.startswith("cs_"):
            ref = self._expire_checkout(ref)
            if not ref:
                return
        must_be_intent(ref)
        try:
            with translated():
                self._api.payment_intents.cancel(
                    ref, {"cancellation_reason": "requested_by_customer"}, {"idempotency_key": key}
                )
        except GatewayRefused:
            if self._intent(ref).status != "canceled":
                raise

    def _expire_checkout(self, ref: str) -> str:
        """Close the page. Returns the intent to cancel where the customer was quicker, otherwise nothing."""
        session = self._checkout(ref)
        if session.status == "open":
            try:
                with translated():
                    self._api.checkout.sessions.expire(ref)
            except GatewayRefused:  # paid in this very moment, or just being paid
                session = self._checkout(ref)
                if session.status == "open":
                    raise GatewayUnavailable("The card is being asked at this moment. Try again in a minute.") from None
        intent = session.payment_intent
        return intent.id if session.status == "complete" and isinstance(intent, stripe.PaymentIntent) else ""

    # --- after the charge ---

    def refund(self, *, key: str, ref: str, amount_minor: int) -> GatewayRefund:
        """Refund part or all of a capture. Looked up by its key first: Stripe forgets idempotency keys, we must not."""
        must_be_intent(ref)
        with translated():
            made = self._api.refunds.list({"payment_intent": ref, "limit": PAGE})
            for earlier in made.auto_paging_iter():
                if key_of(earlier) == key:
                    if earlier.amount != amount_minor:
                        raise GatewayRefused("This key was used for another refund.")
                    return refund_of(earlier)
            new = self._api.refunds.create(
                {"payment_intent": ref, "amount": amount_minor, "metadata": marked(key)}, {"idempotency_key": key}
            )
        return refund_of(new)

    def refund_state(self, ref: str) -> GatewayRefund:
        """Return how a refund stands."""
        if not ref.startswith(("re_", "pyr_")):
            raise GatewayRefused("There is no such refund.")
        with translated():
            return refund_of(self._api.refunds.retrieve(ref))

    def refund_entry(self, ref: str) -> RefundEntry:
        """Return a refund as it is in the books."""
        with translated():
            return refund_entry_of(self._api.refunds.retrieve(ref))

    def dispute_state(self, ref: str) -> GatewayDispute:
        """Return how a dispute stands."""
        with translated():
            return dispute_of(self._api.disputes.retrieve(ref))

    # --- payouts ---

    def open_account(self, *, key: str) -> AccountState:
        """Open a Connect Express account. Who the expert is, Stripe asks them itself."""
        with translated():
            account = self._api.accounts.create(
                {
                    "type": "express",
                    "capabilities": {"transfers": {"requested": True}},
                    "metadata": marked(key),
                },
                {"idempotency_key": key},
            )
        return AccountState(account.id, is_ready(account))

    def account_page(self, *, ref: str, return_url: str) -> str:
        """Return the address of Stripe's onboarding; it works once and for a few minutes."""
        with translated():
            link = self._api.account_links.create(
                {"account": ref, "type": "account_onboarding", "return_url": return_url, "refresh_url": return_url}
            )
        return link.url

    def account_state(self, ref: str) -> AccountState:
        """Return whether Stripe pays this account out."""
        with translated():
            return AccountState(ref, is_ready(self._api.accounts.retrieve(ref)))

    def account_dashboard(self, ref: str) -> str:
        """Return the address of the expert's own Express dashboard, good for one visit."""
        with translated():
            return self._api.accounts.login_links.create(ref).url

    def transfer(self, *, key: str, account_ref: str, amount_minor: int, currency: str) -> TransferEntry:
        """Transfer to a connected account. Looked up by its key first, as refunds are."""
        with translated():
            for earlier in self._api.transfers.list({"transfer_group": key, "limit": 1}):
                return same_transfer(transfer_of(earlier), account_ref, amount_minor)
            new = self._api.transfers.create(
                {
                    "amount": amount_minor,
                    "currency": currency.lower(),
                    "destination": account_ref,
                    "transfer_group": key,
                    "metadata": marked(key),
                },
                {"idempotency_key": key},
            )
        return transfer_of(new)

    def transfer_state(self, ref: str) -> TransferEntry:
        """Return a payout as it is in the books."""
        with translated():
            return transfer_of(self._api.transfers.retrieve(ref))

    # --- reading ---

    def _intent(self, ref: str) -> stripe.PaymentIntent:
        must_be_intent(ref)
        with translated():
            return self._api.payment_intents.retrieve(ref)

    def _checkout(self, ref: str) -> stripe.checkout.Session:
        with translated():
            return self._api.checkout.sessions.retrieve(ref, {"expand": ["payment_intent.payment_method"]})
