"""What operators find on the first page of their admin."""

from django import template

from accounts.deciding import waiting_for_a_decision
from billing.admin_disputes import to_answer
from billing.models import Dispute
from sessions_app.answer import unanswered
from sessions_app.models import Case, PersonReport

register = template.Library()


@register.simple_tag
def waiting_experts() -> int:
    """How many experts wait for a decision about a topic."""
    return waiting_for_a_decision().count()


@register.simple_tag
def waiting_cases() -> int:
    """How many reported problems wait for an answer."""
    return Case.objects.filter(unanswered()).count()


@register.simple_tag
def waiting_person_reports() -> int:
    """How many reports of people are open."""
    return PersonReport.objects.filter(state=PersonReport.State.OPEN).count()


@register.simple_tag
def waiting_disputes() -> int:
    """How many disputes wait for our side."""
    return to_answer(Dispute.objects.all()).count()
