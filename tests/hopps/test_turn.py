"""Credentials for a TURN relay, against figures that others published or other programs computed."""

import base64

from hopps.turn import Credential, mint, sign


def test_it_signs_as_rfc_2202_says() -> None:
    # Test case 2 of HMAC-SHA1.
    digest = bytes.fromhex("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
    assert sign("Jefe", "what do ya want for nothing?") == base64.b64encode(digest).decode()


def test_the_name_says_until_when_and_whose_and_the_password_is_what_openssl_makes_of_it() -> None:
    # printf %s 1795737600:room.person | openssl dgst -sha1 -hmac north -binary | base64
    expected = Credential(username="1795737600:room.person", password="kYORnW0237Ul3YmNd2aw8lIeBvY=")
    assert mint(secret="north", holder="room.person", expires_at=1795737600) == expected


def test_another_holder_moment_or_secret_is_another_password() -> None:
    passwords = {
        mint(secret=secret, holder=holder, expires_at=moment).password
        for secret in ("north", "south")
        for holder in ("a.b", "a.c")
        for moment in (1, 2)
    }
    assert len(passwords) == 8
