"""A person's photo: taken in, made a small square, given out to the few it is for."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from io import BytesIO
from typing import IO
from uuid import uuid4

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import IntegrityError, transaction
from django.utils import timezone
from PIL import Image, ImageOps

from accounts.models import Photo, User
from accounts.sign_in.second_factor import lacks_second_factor
from hopps.errors import Refused
from hopps.left_behind import sweep_folder

logger = logging.getLogger(__name__)

# Twice what the largest place on a page takes, for fine screens: some 5 KB.
SIDE = 160
FORMATS = ("JPEG", "PNG", "WEBP")
# More than phones make. Unpacked, a picture of so many takes 160 MB for a moment.
MOST_PIXELS = 40_000_000
FOLDER = "photos"

EMPTY = "Choose a picture first."
TOO_LARGE = f"That is larger than {settings.UPLOAD_BYTES // 1024 // 1024} MB. Choose a smaller picture."
TOO_MANY_PIXELS = f"That picture has more than {MOST_PIXELS // 1_000_000} million pixels. Make it smaller, then try again."
NOT_A_PICTURE = "This is no picture we can read. Use a JPEG, PNG or WebP."
NOT_KEPT = "Your photo could not be kept just now. Try again in a moment."

# One at a time: what several unpack at once must not fill the memory.
_unpacking = threading.Lock()
_acquainted: list[Callable[[User, User], bool]] = []


def shown_to(rule: Callable[[User, User], bool]) -> None:
    """Show photos also to whom `rule(viewer, owner)` says. For an app to call when it is ready."""
    if rule not in _acquainted:
        _acquainted.append(rule)


def may_see(viewer: User, owner: User) -> bool:
    """Return whether the photo of `owner` is for `viewer`: themself, an operator, or somebody they met."""
    return viewer.pk == owner.pk or _is_operator(viewer) or any(rule(viewer, owner) for rule in _acquainted)


def _is_operator(viewer: User) -> bool:
    """Whether they see the page of the person in the admin, which shows it."""
    return viewer.is_staff and viewer.has_perm("accounts.view_user") and not lacks_second_factor(viewer)


def photo_of(user: User) -> Photo | None:
    """Return the photo of `user`, if there is one; read once for each object."""
    with suppress(Photo.DoesNotExist):
        return user.photo
    return None


def set_photo(*, user: User, content: IO[bytes]) -> Photo:
    """Make `content` the photo of `user`. What was there before is deleted.

    Args:
        user: whose.
        content: a JPEG, PNG or WebP as it came from the person's computer.

    Raises:
        Refused: empty, too large, no picture, or it could not be kept.
    """
    stored = _store(small_square(content))
    try:
        before = _swap(user, stored)
    except BaseException:
        _drop(stored)
        raise
    if before is not None:
        _drop(before)
    if not User.objects.filter(pk=user.pk, erased_at=None).exists():
        # Deleted the account in another tab at this very moment: nothing of it may stay.
        remove_photo(user=user)
        raise Refused(NOT_KEPT)
    return Photo.objects.get(user=user)


def remove_photo(*, user: User) -> bool:
    """Delete the photo of `user`; return whether there was one.

    The row goes first: from then on nobody is shown it. Bytes that cannot be deleted now are swept away at night.
    """
    stored = Photo.objects.filter(user=user).values_list("stored", flat=True).first()
    if stored is None:
        return False
    Photo.objects.filter(user=user, stored=stored).delete()
    _drop(stored)
    return True


def read(photo: Photo) -> bytes:
    """Return the picture, a WebP. Raises FileNotFoundError, or whatever the storage has to say."""
    with storages["uploads"].open(photo.stored) as stored:
        content: bytes = stored.read()
    return content


def small_square(content: IO[bytes]) -> bytes:
    """Return the middle of a picture as a small WebP, the right way up, with nothing in it but the picture.

    Raises:
        Refused: it cannot be read, or is too large to be.
    """
    size = content.seek(0, 2)
    if size == 0:
        raise Refused(EMPTY)
    if size > settings.UPLOAD_BYTES:
        raise Refused(TOO_LARGE)
    content.seek(0)
    try:
        with _unpacking, Image.open(content, formats=FORMATS) as picture:
            # Known from its head; nothing is unpacked before this.
            if picture.width * picture.height > MOST_PIXELS:
                raise Refused(TOO_MANY_PIXELS)
            # A JPEG is unpacked no larger than is of use here.
            picture.draft("RGB", (SIDE * 4, SIDE * 4))
            upright = ImageOps.exif_transpose(picture)
            square = ImageOps.fit(upright.convert("RGBA"), (SIDE, SIDE), Image.Resampling.LANCZOS)
    except Refused:
        raise
    except Image.DecompressionBombError:
        raise Refused(TOO_MANY_PIXELS) from None
    except Exception as problem:  # a broken file may fail anywhere in the decoders, with whatever error
        logger.info("A photo could not be read: %s", type(problem).__name__)
        raise Refused(NOT_A_PICTURE) from None
    # A new picture: place, camera and date stay behind, as does what was see-through.
    clean = Image.new("RGB", (SIDE, SIDE), "white")
    clean.paste(square, mask=square.getchannel("A"))
    made = BytesIO()
    clean.save(made, "WEBP", quality=80, method=6)
    return made.getvalue()


def sweep_photos(*, now: datetime) -> None:
    """Delete stored photos that no row names, and tell the log of rows whose photo is gone, as of `now` (UTC)."""
    sweep_folder(
        FOLDER, named=lambda: set(Photo.objects.values_list("stored", flat=True)), named_as="somebody's photo", now=now
    )


def _store(picture: bytes) -> str:
    try:
        return storages["uploads"].save(f"{FOLDER}/{uuid4().hex}", ContentFile(picture))
    except Exception:
        # A full disk, a bucket out of reach: the person may try again.
        logger.exception("A photo could not be stored")
        raise Refused(NOT_KEPT) from None


def _swap(user: User, stored: str) -> str | None:
    """Write down the new photo; return the name of the one it took the place of."""
    for _ in range(3):
        before = Photo.objects.filter(user=user).values_list("stored", flat=True).first()
        if before is None:
            with suppress(IntegrityError), transaction.atomic():
                Photo.objects.create(user=user, stored=stored)
                return None
        elif Photo.objects.filter(user=user, stored=before).update(stored=stored, set_at=timezone.now()):
            return before
        # Another tab changed it at this moment: once more, over that one.
    raise Refused(NOT_KEPT)


def _drop(stored: str) -> None:
    try:
        storages["uploads"].delete(stored)
    except Exception:
        logger.exception("%s could not be deleted; the nightly sweep does it", stored)
