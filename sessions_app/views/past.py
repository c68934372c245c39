"""History."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.http import allowed, signed_in
from accounts.permissions import Do
from hopps.csv_files import csv_response
from sessions_app.first import may_ask_first_among
from sessions_app.forms import HistoryForm
from sessions_app.history import HistoryFilter, PaidAndEarned, csv_rows, history_of, role_in

PAGE_SIZE = 20


def _wanted(form: HistoryForm) -> HistoryFilter:
    """A filter that makes no sense filters nothing; the form says what is wrong with it."""
    return HistoryFilter(**form.cleaned_data) if form.is_valid() else HistoryFilter()


@login_required
@require_safe
@allowed(Do.SEE_OWN)
def history(request: HttpRequest) -> HttpResponse:
    """My sessions, as customer and as expert."""
    user = signed_in(request)
    form = HistoryForm(request.GET)
    page = Paginator(history_of(user, _wanted(form)), PAGE_SIZE).get_page(request.GET.get("page"))
    sessions = list(page)
    askable = may_ask_first_among([session for session in sessions if role_in(session, user) == "customer"])
    money = PaidAndEarned(user, [session.pk for session in sessions])
    rows = [
        {
            "session": session,
            "my_role": role_in(session, user),
            "other_person": session.other(user),
            "may_ask_first": session.pk in askable,
            "money": money.of(session),
        }
        for session in sessions
    ]
    query = request.GET.copy()
    query.pop("page", None)
    context = {"page": page, "rows": rows, "filter": form, "querystring": query.urlencode()}
    return render(request, "sessions/history.html", context)


@login_required
@require_safe
@allowed(Do.SEE_OWN)
def export(request: HttpRequest) -> HttpResponse:
    """The same sessions as CSV."""
    user = signed_in(request)
    rows = csv_rows(user, history_of(user, _wanted(HistoryForm(request.GET))))
    return csv_response(rows, name="hopps-sessions.csv")
