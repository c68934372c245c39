"""What every page's markup keeps to: the house's form fields, nothing inline that a strict policy would block."""

import re
from pathlib import Path

import pytest
from django import forms
from django.conf import settings
from django.test import Client
from django.urls import reverse

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
# A <script> without src, a <style>, style=… or on…=… would be stopped by the content security policy.
INLINE = re.compile(r"<script(?![^>]*\ssrc=)|<style\b|\sstyle=|\son[a-z]+=", re.IGNORECASE)


class Form(forms.Form):
    name = forms.CharField(help_text="As on the door.")
    colour = forms.ChoiceField(choices=[("r", "Red"), ("g", "Green")], widget=forms.RadioSelect, required=False)
    agreed = forms.BooleanField(label="I agree")


def test_a_form_opens_where_the_first_mistake_is() -> None:
    def focused(form: Form) -> list[str]:
        return [field.name for field in form if "autofocus" in field.as_field_group()]

    assert focused(Form({"colour": "blue"})) == ["name"]
    assert focused(Form({"name": "Alice", "colour": "blue"})) == ["colour"]
    assert focused(Form({"name": "Alice", "agreed": "on"})) == []
    assert focused(Form()) == []


def test_an_error_and_the_help_text_are_tied_to_their_field() -> None:
    html = Form({})["name"].as_field_group()
    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert 'id="id_name_helptext"' in html
    assert 'id="id_name_error"' in html
    assert 'aria-invalid="true"' in html


def test_radios_are_a_fieldset_and_what_is_optional_says_so() -> None:
    html = Form()["colour"].as_field_group()
    assert "<fieldset" in html
    assert re.search(r"<legend>Colour .*optional", html)
    assert "optional" not in Form()["name"].as_field_group()


def test_a_checkbox_stands_in_its_own_label() -> None:
    assert re.search(r'<label[^>]*for="id_agreed"><input type="checkbox"', Form()["agreed"].as_field_group())


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR / "templates")))
def test_no_template_has_inline_code_or_style(path: Path) -> None:
    assert INLINE.findall(path.read_text()) == []


@pytest.mark.parametrize(
    "name", ["account_login", "account_signup", "account_reset_password", "account_reset_password_done"]
)
@pytest.mark.django_db
def test_pages_of_accounts_stand_in_the_house_frame(client: Client, name: str) -> None:
    html = client.get(reverse(name)).content.decode()
    assert html.count("<h1") == 1
    assert 'href="#content"' in html
    assert "css/hopps" in html


@pytest.mark.django_db
def test_a_page_that_is_not_there_says_what_to_do(client: Client) -> None:
    answer = client.get("/nothing-here/")
    assert answer.status_code == 404
    html = answer.content.decode()
    assert "To the front page" in html
    assert f"{reverse('account_login')}?next=/nothing-here/" in html


@pytest.mark.django_db
def test_whoever_comes_from_the_ask_box_hears_that_the_words_are_kept(client: Client) -> None:
    address = reverse("account_signup")
    assert "Your request is kept" in client.get(address, {"next": reverse("ask")}).content.decode()
    assert "Your request is kept" not in client.get(address).content.decode()
