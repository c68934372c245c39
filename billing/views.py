"""Cards and receipts, and the ways to the bank and back."""

from uuid import UUID, uuid4

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.http import allowed, signed_in
from accounts.permissions import Do
from billing import cards, webhooks
from billing.customers import customer_ref
from billing.forms import BankAnswerForm, DemoCardForm
from billing.gateways import gateway
from billing.gateways.base import GatewayError, GatewayRefused
from billing.gateways.demo import TEST_CARDS, DemoGateway
from billing.holds import HoldDeclined, HoldInProgress, HoldNeedsAction, HoldOutcome, HoldPlaced, finish_hold
from billing.models import Card, Hold, Payment
from billing.tasks import look_into
from hopps.everybody import for_everybody
from hopps.http import public_url
from hopps.limiting import limited
from hopps.limits import Limit
from hopps.money import format_money

PER_PAGE = 20


@login_required
@require_safe
@allowed(Do.SEE_OWN)
def overview(request: HttpRequest) -> HttpResponse:
    """Show the person's cards and receipts."""
    return _overview(request, None if gateway().hosted else DemoCardForm())


@limited(Limit.CARD)
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@allowed(Do.SEE_OWN)
def card_add(request: HttpRequest) -> HttpResponse:
    """Add a demo card; go back to `next` where that is a page of ours."""
    if settings.PAYMENTS != "demo":
        raise Http404
    if request.method != "POST":
        return _overview(request, DemoCardForm())
    form = DemoCardForm(request.POST)
    if not form.is_valid():
        return _overview(request, form, status=422)
    chosen = next(card for card in TEST_CARDS if card.ref == form.cleaned_data["card"])
    card = cards.add(owner=signed_in(request), gateway_ref=chosen.ref, brand=chosen.brand, last4=chosen.last4)
    messages.success(request, f"{card} is saved. It is a demo card: no real money moves.")
    return HttpResponseRedirect(_next(request) or reverse("billing"))


@login_required
@require_POST
@allowed(Do.USE_CARD, cards.kept_card)
def card_remove(request: HttpRequest, card: Card) -> HttpResponse:
    """Take one of the person's own cards away."""
    cards.remove(card=card)
    messages.success(request, f"{card} is removed.")
    return redirect("billing")


@login_required
@require_POST
@allowed(Do.USE_CARD, cards.usable_card)
def card_default(request: HttpRequest, card: Card) -> HttpResponse:
    """Make one of the person's own cards the one they pay with."""
    cards.make_default(card=card)
    messages.success(request, f"You now pay with {card}.")
    return redirect("billing")


@limited(Limit.CARD)
@login_required
@require_POST
@allowed(Do.SEE_OWN)
def card_page(request: HttpRequest) -> HttpResponse:
    """Send the person to the gateway's own page to add a card."""
    person = signed_in(request)
    processor = gateway()
    if not processor.hosted:
        raise Http404
    after = urlencode({"next": _next(request) or reverse("billing")})
    back = f"{public_url(reverse('card_added'))}?{after}&ref={{ref}}"
    try:
        customer = customer_ref(owner=person, gateway_name=processor.name)
        return redirect(processor.card_page(key=f"card:{uuid4()}", customer_ref=customer, return_url=back))
    except GatewayError as problem:
        messages.error(request, problem.sentence)
        return redirect("billing")


@login_required
@never_cache
@require_safe
@allowed(Do.SEE_OWN)
def card_added(request: HttpRequest) -> HttpResponse:
    """Back from the gateway's page: the card is kept, whether or not its webhook came first."""
    try:
        card = cards.keep_added(owner=signed_in(request), ref=request.GET.get("ref", ""), gateway_name=settings.PAYMENTS)
    except GatewayError as problem:
        messages.error(request, problem.sentence)
    else:
        if card is not None:
            messages.success(request, f"{card} is saved.")
        else:
            messages.info(request, "No card was added.")
    return HttpResponseRedirect(_next(request) or reverse("billing"))


def _hold(pk: UUID) -> Hold | None:
    return Hold.objects.select_related("payment", "card").filter(pk=pk).first()


def _hold_at_demo_bank(pk: UUID) -> Hold | None:
    hold = _hold(pk)
    asked = hold is not None and hold.gateway_ref and hold.card is not None and hold.card.gateway == DemoGateway.name
    return hold if asked else None


@login_required
@never_cache
@require_safe
@allowed(Do.ANSWER_BANK, _hold)
def hold_continue(request: HttpRequest, hold: Hold) -> HttpResponse:
    """Go on to the bank's or the gateway's page, where the hold waits for the customer there."""
    match finish_hold(hold=hold):
        case HoldNeedsAction(url=url):
            return redirect(url)
        case outcome:
            return _back_from_the_bank(request, hold, outcome)


@login_required
@never_cache
@require_safe
@allowed(Do.ANSWER_BANK, _hold)
def hold_return(request: HttpRequest, hold: Hold) -> HttpResponse:
    """Back from the bank's or the gateway's page, whatever was done there."""
    return _back_from_the_bank(request, hold, finish_hold(hold=hold))


def _back_from_the_bank(request: HttpRequest, hold: Hold, outcome: HoldOutcome) -> HttpResponse:
    match outcome:
        case HoldPlaced():
            messages.success(
                request, f"{format_money(hold.amount_minor, hold.payment.currency)} is held. Nothing is charged."
            )
        case HoldDeclined(sentence=sentence):
            messages.error(request, sentence)
        case HoldInProgress(sentence=sentence):
            messages.info(request, sentence)
        case HoldNeedsAction():
            messages.info(request, "Nothing is held yet. You can go on with the card, or throw the request away.")
    return HttpResponseRedirect(hold.return_url or reverse("session", args=[hold.payment.reference]))


@for_everybody
@csrf_exempt
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """Stripe tells us something: written down at once, looked into by a job. Told again: fine."""
    if not settings.STRIPE_WEBHOOK_SECRETS:
        raise Http404
    from billing.gateways.stripe.events import read_event  # late: a server without Stripe need not load its library

    try:
        news = read_event(
            body=request.body,
            signature=request.headers.get("Stripe-Signature", ""),
            secrets=settings.STRIPE_WEBHOOK_SECRETS,
        )
    except GatewayRefused as refusal:
        return JsonResponse({"error": refusal.sentence}, status=400)
    event = webhooks.receive(news=news, gateway_name="stripe")
    if event is not None:
        transaction.on_commit(lambda: look_into(str(event.pk)), robust=True)
    return JsonResponse({"ok": True})


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@allowed(Do.ANSWER_BANK, _hold_at_demo_bank)
def demo_bank(request: HttpRequest, hold: Hold) -> HttpResponse:
    """The demo bank's "is this you?" page. Its answer finishes the hold."""
    back = reverse("session", args=[hold.payment.reference])
    if hold.state != Hold.State.PENDING:
        messages.info(request, "The bank has your answer already.")
        return redirect(back)
    if request.method != "POST":
        return render(request, "billing/demo_bank.html", {"hold": hold, "payment": hold.payment})
    form = BankAnswerForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Press Approve or Refuse.")
        return render(request, "billing/demo_bank.html", {"hold": hold, "payment": hold.payment}, status=422)
    DemoGateway().answer(hold.gateway_ref, approved=form.cleaned_data["answer"] == "approve")
    match finish_hold(hold=hold):
        case HoldPlaced():
            messages.success(request, "Your bank approved it.")
        case HoldDeclined(sentence=sentence):
            messages.error(request, sentence)
        case _:
            messages.info(request, "We are waiting for your bank.")
    return redirect(back)


def _overview(request: HttpRequest, form: DemoCardForm | None, status: int = 200) -> HttpResponse:
    person = signed_in(request)
    # A payment that is open and holds nothing, or was closed and never held anything, is a try that came to nothing.
    held = Hold.objects.filter(payment__payer=person, payment__state=Payment.State.OPEN, state=Hold.State.PLACED)
    ever_held = Hold.objects.filter(payment__payer=person, payment__state=Payment.State.RELEASED, placed_at__isnull=False)
    came_to_something = (
        ~Q(state__in=[Payment.State.OPEN, Payment.State.RELEASED])
        | Q(pk__in=held.values("payment_id"))
        | Q(pk__in=ever_held.values("payment_id"))
    )
    receipts = Payment.objects.filter(came_to_something, payer=person).prefetch_related("holds__card", "refunds")
    context = {
        "cards": list(cards.cards_of(person)),
        "failed_cards": list(cards.failed_cards_of(person)),
        "add_form": form,
        "payments": Paginator(receipts, PER_PAGE).get_page(request.GET.get("page")),
        "demo": settings.PAYMENTS == "demo",
        "next": _next(request) or "",
    }
    return render(request, "billing/cards.html", context, status=status)


def _next(request: HttpRequest) -> str | None:
    """Return the address to go to afterwards, where it is one of ours."""
    address = request.POST.get("next") or request.GET.get("next")
    if (
        address
        and address.startswith("/")
        and url_has_allowed_host_and_scheme(address, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    ):
        return address
    return None
