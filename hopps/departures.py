"""Leaving for another site: by a page of ours in between, which says where to and goes on by itself (decision 0038).

Forms of ours may lead to ourselves alone (`form-action 'self'`), and browsers hold every redirect that follows a form to
that: Stripe's page, the bank it redirects to, a sign-in provider and the one behind that. No list of ours could name them
all, and what is not on it would not open, without a word. So a browser that is sent away gets a page, whose own way on is no
form's.
"""

from urllib.parse import urlsplit

from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase, HttpResponseRedirectBase
from django.template.loader import render_to_string
from django.utils.deprecation import MiddlewareMixin


class Departures(MiddlewareMixin):
    """Django middleware: turns a browser's redirect to another site into that page. Programs get the redirect."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Return the page where `response` leads a browser away; `response` otherwise."""
        if not isinstance(response, HttpResponseRedirectBase) or "text/html" not in request.headers.get("Accept", ""):
            return response
        to = urlsplit(response.url)
        if not to.netloc or to.netloc == request.get_host():
            return response
        # Without the request: sentences that wait to be shown are for the page people come back to.
        page = HttpResponse(render_to_string("pages/departure.html", {"address": response.url, "host": to.hostname}))
        # What the redirect would have kept in the browser is kept.
        page.cookies = response.cookies
        return page
