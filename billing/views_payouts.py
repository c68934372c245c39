"""What an expert earned, the statement of it, and where it is paid to."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.http import allowed, recently_signed_in, signed_in
from accounts.permissions import Do
from billing import payouts
from billing.earnings import charges_of, csv_rows, lines_of
from billing.gateways import gateway
from billing.gateways.base import GatewayError
from billing.gateways.demo import DemoGateway
from billing.models import Payout, PayoutAccount
from billing.payout_accounts import account_of, open_account, refresh_account
from hopps.csv_files import csv_response
from hopps.http import public_url

PER_PAGE = 20
PAYOUTS_SHOWN = 12


@login_required
@require_safe
@allowed(Do.SEE_EARNINGS)
def earnings(request: HttpRequest) -> HttpResponse:
    """Show what we owe an expert, what of it goes out when, and the statement per session."""
    person = signed_in(request)
    now = timezone.now()
    monday = payouts.next_payout(now)
    # As things will stand then: what ripens until Monday goes out on Monday.
    standings = payouts.standings(person, monday)
    account = account_of(person)
    page = Paginator(charges_of(person), PER_PAGE).get_page(request.GET.get("page"))
    made = list(Payout.objects.filter(expert=person))
    shown = made if request.GET.get("payouts") == "all" else made[:PAYOUTS_SHOWN]
    context = {
        "standings": standings,
        "balance": [(row.currency, row.balance_minor) for row in standings],
        "monday": monday,
        "minimum_minor": settings.PAYOUT_MINIMUM,
        "report_hours": settings.REPORT_HOURS,
        "account": account,
        "dashboard": _dashboard_name(account),
        "demo": DemoGateway.name == settings.PAYMENTS,
        "payouts": shown,
        "more_payouts": len(shown) < len(made),
        "page": page,
        "lines": lines_of(person, page.object_list),
        "now": now,
    }
    return render(request, "billing/earnings.html", context)


@login_required
@require_safe
@allowed(Do.SEE_EARNINGS)
def statement(request: HttpRequest) -> HttpResponse:
    """The whole statement as CSV."""
    return csv_response(csv_rows(signed_in(request)), name="hopps-earnings.csv")


@recently_signed_in
@require_POST
@allowed(Do.SEE_EARNINGS)
def account_setup(request: HttpRequest) -> HttpResponse:
    """Lead the expert to the gateway's page about their account, opening it where there is none."""
    person = signed_in(request)
    try:
        account = open_account(owner=person)
        page = gateway(account.gateway).account_page(
            ref=account.gateway_ref, return_url=public_url(reverse("payout_return"))
        )
    except GatewayError as problem:
        messages.error(request, f"Payouts could not be set up just now: {problem.sentence} Try again in a minute.")
        return redirect("earnings")
    return HttpResponseRedirect(page)


@login_required
@never_cache
@require_safe
@allowed(Do.SEE_EARNINGS)
def account_return(request: HttpRequest) -> HttpResponse:
    """Back from the gateway's page: look how the account stands and say so."""
    account = account_of(signed_in(request))
    if account is None:
        messages.info(request, "You have not set up payouts yet.")
        return redirect("earnings")
    try:
        account = refresh_account(account)
    except GatewayError:
        messages.warning(request, "We could not see how your account stands. We look again; this page will say so.")
        return redirect("earnings")
    if account.ready:
        messages.success(request, "Payouts are set up. What you earn goes out every Monday.")
    else:
        messages.warning(
            request, "Something is still missing before you can be paid. Go on with “Finish setting up payouts”."
        )
    return redirect("earnings")


@recently_signed_in
@require_POST
@allowed(Do.SEE_EARNINGS)
def dashboard(request: HttpRequest) -> HttpResponse:
    """Lead the expert to the gateway's own page about what arrived. Its address is good once, so it is asked for now."""
    account = account_of(signed_in(request))
    if account is None:
        messages.info(request, "You have not set up payouts yet.")
        return redirect("earnings")
    try:
        address = gateway(account.gateway).account_dashboard(account.gateway_ref)
    except GatewayError as problem:
        messages.error(request, f"That page could not be opened just now: {problem.sentence}")
        return redirect("earnings")
    if not address:
        messages.info(request, "All there is to see is on this page.")
        return redirect("earnings")
    return HttpResponseRedirect(address)


def _demo_account(ref: UUID) -> PayoutAccount | None:
    return PayoutAccount.objects.filter(gateway=DemoGateway.name, gateway_ref=str(ref)).first()


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@allowed(Do.USE_PAYOUT_ACCOUNT, _demo_account)
def demo_account(request: HttpRequest, account: PayoutAccount) -> HttpResponse:
    """The demo gateway's page about an account; pressing its button makes the account ready."""
    if request.method != "POST":
        return render(request, "billing/demo_account.html", {"account": account})
    DemoGateway().finish_account(account.gateway_ref)
    return redirect("payout_return")


def _dashboard_name(account: PayoutAccount | None) -> str:
    """Name the gateway whose own page shows what arrived; empty where there is none. Without asking it: pages are quick."""
    if account is None or not account.ready or account.gateway == DemoGateway.name:
        return ""
    return account.gateway.title()
