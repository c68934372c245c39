"""Experts as operators see them: who waits for a decision, what they said, and the decision topic by topic."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.timesince import timesince
from django.utils.timezone import localtime

from accounts import deciding
from accounts.deciding import Decision
from accounts.experts import week_of
from accounts.hours_words import stretch_words
from accounts.models import ExpertProfile, ExpertTopic, User
from accounts.permissions import Do, may
from accounts.phones import phone_now

State = ExpertTopic.State
WHO = ("user", "email", "state", "applied_at")
SAID = ("headline", "about_shown", "links_shown")
REACHED = ("phone_shown", "hours_shown", "available", "board_seen_at", "quiet_until", "devices_tested_at")
READ_ONLY = (*WHO, *SAID, *REACHED)
_WAITS = Exists(ExpertTopic.objects.filter(expert=OuterRef("pk"), state=State.APPLIED))


class DecisionForm(forms.ModelForm[ExpertTopic]):
    """One topic: its state, and the reason where it is refused."""

    # What the operator saw. The row may have been decided by another one since.
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = ExpertTopic
        fields = ("state", "reason")
        widgets = {"reason": forms.Textarea(attrs={"rows": 2, "cols": 50})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["seen"].initial = self.stood = self.instance.state
        if not self.instance._state.adding:
            for name in ("state", "reason"):  # the table's heads are no labels
                self.fields[name].widget.attrs["aria-label"] = f"{name.capitalize()} of {self.instance.topic}"

    def clean(self) -> dict[str, Any]:
        """Refuse what cannot be: a refusal without a reason, going back to “applied for”, a page gone stale."""
        said = super().clean() or self.cleaned_data
        if not self.has_changed():
            return said
        if self.data.get(self.add_prefix("seen"), self.stood) != self.stood:
            raise ValidationError(
                f"{self.instance.decided_by or 'Somebody'} decided this meanwhile: {State(self.stood).label.lower()}. "
                "Load the page again before you decide."
            )
        state = said.get("state")
        if state == State.APPLIED and self.stood != State.APPLIED:
            self.add_error("state", "Approve it or refuse it: the applicant was told of a decision already.")
        if state == State.APPLIED and self.stood == State.APPLIED and "reason" in self.changed_data:
            self.add_error("state", "A reason goes with a refusal. Choose “Refused” to refuse it.")
        if state == State.REFUSED and not said.get("reason", "").strip():
            self.add_error("reason", "Say why: the applicant reads it.")
        return said

    @property
    def decision(self) -> Decision | None:
        """What the operator decided; None where they did not."""
        if not self.has_changed() or self.cleaned_data["state"] == State.APPLIED:
            return None
        topic = ExpertTopic(
            pk=self.instance.pk, expert_id=self.instance.expert_id, topic=self.instance.topic, state=self.stood
        )
        return Decision(topic, approved=self.cleaned_data["state"] == State.APPROVED, reason=self.cleaned_data["reason"])


class DecisionInline(admin.TabularInline[ExpertTopic, ExpertProfile]):
    """Topics applied for, decided one by one."""

    model = ExpertTopic
    form = DecisionForm
    fields = ("topic", "seen", "state", "reason", "decided_by", "decided_at")
    readonly_fields = ("topic", "decided_by", "decided_at")
    extra = 0
    can_delete = False
    verbose_name_plural = "topics: decide each, the applicant gets one mail about all you save"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ExpertTopic]:
        return super().get_queryset(request).select_related("topic", "decided_by").order_by("topic__area", "topic__name")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [name for name in self.fields if name != "seen" or self.has_change_permission(request, obj)]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request.user, Do.DECIDE_ON_EXPERTS)


class WaitingFilter(admin.SimpleListFilter):
    """Who has a topic that no operator decided."""

    title = "decision"
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [("yes", "Waiting for a decision")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(_WAITS) if self.value() == "yes" else queryset


@admin.register(ExpertProfile)
class ExpertAdmin(admin.ModelAdmin[ExpertProfile]):
    """Experts, those who wait for a decision first and of them the oldest. Nothing here is written but decisions.

    Suspended here, somebody does not help any more and may still ask; to keep a person out altogether there is
    `admin_suspending`.
    """

    list_display = ("user", "applies_for", "state", "age", "said")
    list_filter = (WaitingFilter, "state", "available", "topics__topic")
    list_select_related = ("user",)
    list_per_page = 50
    search_fields = ("user__email", "user__display_name", "headline")
    fieldsets = (
        (None, {"fields": WHO}),
        ("What they say", {"fields": SAID}),
        ("When and how", {"fields": REACHED}),
    )
    inlines = (DecisionInline,)
    actions = ("approve_all", "suspend", "lift_suspension")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ExpertProfile]:
        applied = (
            ExpertTopic.objects.filter(state=State.APPLIED).select_related("topic").order_by("topic__area", "topic__name")
        )
        return super().get_queryset(request).prefetch_related(Prefetch("topics", applied, "applied_topics"))

    def get_ordering(self, request: HttpRequest) -> Any:
        return (_WAITS.desc(), "applied_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # experts apply themselves

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request.user, Do.DECIDE_ON_EXPERTS)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # who must go is suspended: decisions and messages stay readable

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return READ_ONLY

    @admin.display(description="applied for")
    def applies_for(self, expert: ExpertProfile) -> str:
        return ", ".join(row.topic.name for row in getattr(expert, "applied_topics", ())) or "–"

    @admin.display(description="applied", ordering="applied_at")
    def age(self, expert: ExpertProfile) -> str:
        return f"{timesince(expert.applied_at, depth=1)} ago"

    @admin.display(description="says")
    def said(self, expert: ExpertProfile) -> SafeString:
        about = Truncator(expert.about).words(60)
        links = self.links_shown(expert) if expert.links else ""
        return format_html("<strong>{}</strong><br>{}<br>{}", expert.headline, about, links)

    @admin.display(description="about")
    def about_shown(self, expert: ExpertProfile) -> SafeString | str:
        return format_html("<blockquote>{}</blockquote>", _lines(expert.about.splitlines())) if expert.about else "–"

    @admin.display(description="links")
    def links_shown(self, expert: ExpertProfile) -> SafeString | str:
        links = [link for link in expert.links.splitlines() if link.startswith(("http://", "https://"))]
        if not links:
            return "–"
        return format_html_join(
            SafeString("<br>"),
            '<a href="{0}" target="_blank" rel="noopener nofollow noreferrer">{0}</a>',
            ((link,) for link in links),
        )

    @admin.display(description="hours")
    def hours_shown(self, expert: ExpertProfile) -> SafeString | str:
        stretches = [stretch_words(stretch) for stretch in week_of(expert)]
        return _lines([*stretches, f"({expert.user.time_zone})"]) if stretches else "–"

    @admin.display(description="phone")
    def phone_shown(self, expert: ExpertProfile) -> str:
        phone = phone_now(expert.user)
        return f"{phone.number}, verified {date_format(localtime(phone.verified_at), 'j F Y, H:i')}" if phone else "–"

    @admin.display(description="email")
    def email(self, expert: ExpertProfile) -> str:
        return expert.user.email

    # --- decisions ---

    def save_model(self, request: HttpRequest, obj: ExpertProfile, form: Any, change: bool) -> None:
        """Nothing of the profile is edited here."""

    def save_formset(self, request: HttpRequest, form: Any, formset: BaseInlineFormSet[Any, Any, Any], change: bool) -> None:
        """Decide, by the rules."""
        decisions = [row.decision for row in formset.forms if row.decision is not None]
        decided = deciding.decide_each(decisions=decisions, by=_operator(request))
        words = [_words(decision) for decision in decisions if decision.topic in decided]
        for decision in decisions:
            if decision.topic not in decided:
                self.message_user(
                    request,
                    f"{decision.topic.topic} was decided by somebody else meanwhile. Look again.",
                    messages.WARNING,
                )
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        formset.decided_words = words  # type: ignore[attr-defined]

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Return what the admin's log keeps: every decision with its reason."""
        return " ".join(word for formset in formsets for word in getattr(formset, "decided_words", [])) or "Nothing decided."

    @admin.action(description="Approve all topics applied for", permissions=["change"])
    def approve_all(self, request: HttpRequest, queryset: QuerySet[ExpertProfile]) -> None:
        approved = 0
        for expert in queryset:
            topics = deciding.approve_all(expert=expert, by=_operator(request))
            if topics:
                approved += 1
                self.log_change(request, expert, " ".join(f"{topic}: approved." for topic in topics))
        self._report(request, approved, "approved", "None of them had a topic that waits for a decision.")

    @admin.action(description="Suspend from helping (may still sign in and ask)", permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[ExpertProfile]) -> None:
        suspended = [expert for expert in queryset if deciding.suspend(expert=expert)]
        for expert in suspended:
            self.log_change(request, expert, "Suspended.")
        self._report(request, len(suspended), "suspended", "All of them were suspended already.")

    @admin.action(description="Lift suspension from helping", permissions=["change"])
    def lift_suspension(self, request: HttpRequest, queryset: QuerySet[ExpertProfile]) -> None:
        lifted = [expert for expert in queryset if deciding.lift_suspension(expert=expert)]
        for expert in lifted:
            self.log_change(request, expert, "Suspension lifted.")
        self._report(request, len(lifted), "no longer suspended", "None of them was suspended.")

    def _report(self, request: HttpRequest, number: int, what: str, nobody: str) -> None:
        if number:
            self.message_user(request, f"{number} {what}.", messages.SUCCESS)
        else:
            self.message_user(request, nobody, messages.WARNING)


def _operator(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _words(decision: Decision) -> str:
    return f"{decision.topic}: approved." if decision.approved else f"{decision.topic}: refused ({decision.reason})."


def _lines(lines: Iterable[str]) -> SafeString:
    return format_html_join(SafeString("<br>"), "{}", ((line,) for line in lines))
