"""`manage.py copy_database`: all rows from any kind of database into any other, and killed in between."""

import io
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.models import QuerySet

from accounts.models import Topic, User
from billing.models import Posting
from hopps.rows.copy import CannotCopy, copy_rows, is_empty, verify_copy
from hopps.rows.facts import differences, export_rows, facts_of
from hopps.rows.models import stored_models
from hopps.rows.opened import CannotOpen, opened, without_password
from tests.hopps.conftest import KINDS, Open, ThreeKinds, address_of
from tests.live import ROOT, environment_of, manage

# From each kind to each other: the first step, from SQLite to PostgreSQL, is made for all tests.
WALK = ("postgresql", "mongodb", "sqlite", "mongodb", "postgresql", "sqlite")


def exported(using: str) -> bytes:
    out = io.BytesIO()
    export_rows(using, out)
    return out.getvalue()


def copy_words(source: str, target: str, *options: str) -> str:
    """Run the command; return what it printed."""
    out = io.StringIO()
    call_command("copy_database", source, target, *options, stdout=out)
    return out.getvalue()


def test_from_each_kind_to_each_other_the_rows_stay_the_same_to_the_byte(
    site: Path, three_kinds: ThreeKinds, open_database: Open
) -> None:
    addresses = [three_kinds.with_site(WALK[0], site), *(three_kinds.migrated(kind, site) for kind in WALK[1:])]
    for source, target in pairwise(addresses):
        words = copy_words(source, target)
        assert "rows are the same in both" in words
    first = exported(open_database(address_of(site)))
    assert first.count(b"\n") > 200
    for address in addresses:
        assert exported(open_database(address)) == first


def test_a_file_that_is_made_is_for_nobody_else_on_this_machine(site: Path, three_kinds: ThreeKinds) -> None:
    target = three_kinds.new("sqlite")
    copy_words(address_of(site), target)
    assert Path(target.removeprefix("sqlite:///")).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("kind", KINDS)
def test_killed_again_and_again_it_ends_right(site: Path, three_kinds: ThreeKinds, open_database: Open, kind: str) -> None:
    target = three_kinds.migrated(kind, site)
    done = subprocess.run(
        [sys.executable, "-m", "tests.hopps.copy_killer", address_of(site), target, "21"],
        env=os.environ | environment_of(site, address_of(site)) | {"LOG_LEVEL": "ERROR"},
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 3
    assert exported(open_database(target)) == exported(open_database(address_of(site)))
    # Nothing of the copying is left.
    assert verify_copy(open_database(address_of(site)), open_database(target), say=print).differing == 0
    with pytest.raises(CommandError, match="not empty"):
        copy_words(address_of(site), target)


@pytest.mark.parametrize("kind", KINDS)
def test_new_rows_get_keys_after_those_that_were_copied(
    site: Path, three_kinds: ThreeKinds, open_database: Open, kind: str
) -> None:
    using = open_database(three_kinds.with_site(kind, site))
    before = list(QuerySet(Group, using=using).values_list("pk", flat=True))
    made = Group.objects.using(using).create(name="Later")
    assert made.pk > max(before)
    others = ContentType.objects.using(using)
    assert others.create(app_label="a", model="b").pk > others.earliest("-pk").pk - 1 >= 500


@pytest.mark.parametrize("kind", KINDS)
def test_a_database_with_rows_of_its_own_is_left_as_it_is(
    site: Path, three_kinds: ThreeKinds, open_database: Open, kind: str
) -> None:
    target = three_kinds.migrated(kind, site)
    using = open_database(target)
    Topic.objects.using(using).create(area="engineering", name="Mine", slug="mine", price_per_minute=100)
    before = exported(using)
    with pytest.raises(CommandError, match=r"The target is not empty, and is left as it is\. It has: accounts\.topic 1"):
        copy_words(address_of(site), target, "--restart")
    assert exported(using) == before


def test_an_unfinished_copy_from_elsewhere_is_not_mixed_with_this_one(
    site: Path, three_kinds: ThreeKinds, open_database: Open
) -> None:
    source, target = open_database(address_of(site)), open_database(three_kinds.migrated("sqlite", site))
    _copy_and_change(source, target)
    with pytest.raises(CannotCopy, match=r"an unfinished copy from the site\. Finish that"):
        copy_rows(source, target, origin="another", say=print, restart=True)


def test_what_is_written_meanwhile_is_seen_and_begun_again(site: Path, three_kinds: ThreeKinds, open_database: Open) -> None:
    source, target = (
        open_database(three_kinds.with_site("sqlite", site)),
        open_database(three_kinds.new("sqlite")),
    )
    changed = _copy_and_change(source, target)
    # Going on does not look at what is copied already.
    with pytest.raises(CannotCopy, match=f"accounts.topic {changed.pk} differs in name."):
        copy_rows(source, target, origin="the site", say=print)
    copy_rows(source, target, origin="the site", say=print, restart=True)
    assert exported(target) == exported(source)


def _copy_and_change(source: str, target: str) -> Topic:
    """Copy, with a row changed in the target where the copy had been there."""
    changed = Topic.objects.using(source).earliest("slug")

    def change(words: str) -> None:
        if words.startswith("copied accounts.topic"):
            Topic.objects.using(target).filter(pk=changed.pk).update(name="Changed")

    with pytest.raises(CannotCopy, match="The two differ in 1 rows"):
        copy_rows(source, target, origin="the site", say=change)
    return changed


@pytest.mark.parametrize("kind", KINDS)
def test_a_comparison_names_every_kind_of_difference_and_no_values(
    site: Path, three_kinds: ThreeKinds, open_database: Open, kind: str
) -> None:
    source, target = address_of(site), three_kinds.with_site(kind, site)
    using = open_database(target)
    olga = User.objects.using(using).get(email="olga@example.org")
    User.objects.using(using).filter(pk=olga.pk).update(display_name="Somebody else")
    gone = Session.objects.using(using).get(session_key="aB")
    gone.delete()
    Session(session_key="aA", session_data="", expire_date=gone.expire_date).save(using=using)
    QuerySet(Posting, using=using).filter(kind="refund")._raw_delete(using)
    with pytest.raises(CommandError, match=r"The two differ in 4 rows\. Nothing was changed\.") as told:
        copy_words(source, target, "--verify")
    assert f"accounts.user {olga.pk} differs in display_name." in str(told.value)
    assert "sessions.session aB is missing." in str(told.value)
    assert "sessions.session aA is there, and not in the source." in str(told.value)
    assert "Somebody" not in str(told.value)
    wrong = differences(facts_of(open_database(source)), facts_of(using))
    assert any(words.startswith("The sum ledger USD expert is ") for words in wrong)


def test_times_that_mongodb_cuts_are_told(site: Path, three_kinds: ThreeKinds, open_database: Open) -> None:
    source = open_database(address_of(site))
    olga = User.objects.using(source).get(email="olga@example.org")
    assert olga.date_joined.microsecond == 123_456
    target = three_kinds.migrated("mongodb", site)
    assert "a time was cut to milliseconds" in copy_words(address_of(site), target)
    assert User.objects.using(open_database(target)).get(pk=olga.pk).date_joined.microsecond == 123_000


def test_between_two_that_keep_microseconds_one_more_is_a_difference(
    site: Path, three_kinds: ThreeKinds, open_database: Open
) -> None:
    target = open_database(three_kinds.with_site("postgresql", site))
    olga = User.objects.using(target).get(email="olga@example.org")
    User.objects.using(target).filter(pk=olga.pk).update(date_joined=olga.date_joined.replace(microsecond=123_457))
    with pytest.raises(CannotCopy, match=f"accounts.user {olga.pk} differs in date_joined."):
        verify_copy(open_database(address_of(site)), target, say=print)


def test_a_row_the_target_does_not_take_is_named(site: Path, three_kinds: ThreeKinds, open_database: Open) -> None:
    source = three_kinds.migrated("sqlite", site)
    using = open_database(source)
    bad = Topic.objects.using(using).create(area="a", name="a\0b", slug="bad", price_per_minute=1)
    Topic.objects.using(using).create(area="a", name="good", slug="good", price_per_minute=1)
    with pytest.raises(CommandError, match=f"accounts.topic {bad.pk} was not taken by the target"):
        copy_words(source, three_kinds.migrated("postgresql", site))


def test_a_source_of_an_older_release_is_brought_up_to_date_first(three_kinds: ThreeKinds, site: Path) -> None:
    source = three_kinds.new("sqlite")
    Path(source.removeprefix("sqlite:///")).touch()
    with pytest.raises(CommandError, match=r"The source is of an older release: run `manage\.py prepare`"):
        copy_words(source, three_kinds.migrated("sqlite", site))


def test_a_source_that_is_not_there_is_said_and_no_file_is_made(
    site: Path, three_kinds: ThreeKinds, open_database: Open
) -> None:
    nowhere = [three_kinds.new("sqlite") for _ in range(3)]
    for source, target, *options in ((nowhere[0], nowhere[1]), (address_of(site), nowhere[2], "--verify")):
        with pytest.raises(CommandError, match=r"there is no such file\. See whether its path is right"):
            copy_words(source, target, *options)
    assert not any(Path(address.removeprefix("sqlite:///")).exists() for address in nowhere)


def test_an_unfinished_copy_is_no_source_and_nothing_to_serve_from(
    site: Path, three_kinds: ThreeKinds, open_database: Open, tmp_path: Path
) -> None:
    source, unfinished = three_kinds.with_site("sqlite", site), three_kinds.new("sqlite")
    _copy_and_change(open_database(source), open_database(unfinished))
    target = three_kinds.migrated("sqlite", site)
    with pytest.raises(CommandError, match=r"The source is itself an unfinished copy from the site\. Finish that first"):
        copy_words(unfinished, target)
    assert is_empty(open_database(target))
    with pytest.raises(
        RuntimeError, match=r"is an unfinished copy from the site\. Run `manage\.py copy_database` again"
    ) as told:
        manage(environment_of(tmp_path, unfinished), "prepare")
    assert "Traceback" not in str(told.value)
    copy_rows(open_database(source), open_database(unfinished), origin="the site", say=print, restart=True)
    manage(environment_of(tmp_path, unfinished), "prepare")


def test_a_source_of_a_newer_release_is_left_to_that(site: Path, three_kinds: ThreeKinds, open_database: Open) -> None:
    source, target = three_kinds.with_site("sqlite", site), three_kinds.migrated("sqlite", site)
    with connections[open_database(source)].cursor() as cursor:
        cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('billing', '0099_next', '2026-11-27')")
    for options in ((), ("--verify",)):
        with pytest.raises(CommandError, match=r"migrations of a newer release, such as billing\.0099_next"):
            copy_words(source, target, *options)
    assert is_empty(open_database(target))


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://hopps:hunter2@127.0.0.1:1/hopps",
        "mongodb://hopps:hunter2@127.0.0.1:1/hopps?serverSelectionTimeoutMS=100",
        "postgresql://127.0.0.1:1/hopps?user=hopps&password=hunter2",
        "postgresql://127.0.0.1:1/hopps?sslPassword=hunter2%40&user=hopps",
        "mysql://hopps:hunter2@db/hopps",
        "mysql://hopps:hunter2@db/hopps?user=me@corp&password=hunter2",
        "nonsense",
    ],
)
def test_a_database_out_of_reach_is_said_without_its_password(address: str, site: Path, open_database: Open) -> None:
    with pytest.raises(CommandError) as told:
        copy_words(address_of(site), address)
    assert without_password(address) in str(told.value)
    assert "hunter2" not in str(told.value)


def test_onto_itself_it_does_not_copy(site: Path) -> None:
    with pytest.raises(CommandError, match="the same database"):
        copy_words(address_of(site), address_of(site))


def test_every_table_comes_after_those_it_refers_to() -> None:
    seen: set[object] = set()
    for model in stored_models():
        targets = {field.related_model for field in model._meta.concrete_fields if field.related_model is not None}
        assert targets <= seen, model
        seen.add(model)


def test_a_migrated_database_without_rows_counts_as_empty(site: Path, three_kinds: ThreeKinds, open_database: Open) -> None:
    assert is_empty(open_database(three_kinds.migrated("sqlite", site)))
    with pytest.raises(CannotOpen), opened("postgresql://127.0.0.1:1/x"):
        pass
