"""What patterns of --allow-media cover, and which tricks with names they do not fall for."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuistream.core.errors import SettingsError
from tuistream.sources.media.names import MAX_ADDRESS, Named, NotOpened, named
from tuistream.sources.media.rules import Rules, glob


def allowed(pattern: str, address: str) -> bool:
    return Rules([pattern]).allow(named(address))


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("HTTP://Cam.Example:80/a b/é?q=1 2#part", "http://cam.example/a%20b/%C3%A9?q=1%202"),
        ("https://cam.example", "https://cam.example/"),
        ("https://cam.example:8443/%7euser/%c3%a9", "https://cam.example:8443/~user/%C3%A9"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("http://cam.example/100%", "http://cam.example/100%25"),
        ("file:///srv/a%20b.png", "/srv/a b.png"),
        ("file://localhost/srv/x.png", "/srv/x.png"),
        ("/srv/../etc/passwd", "/etc/passwd"),
    ],
)
def test_an_address_has_one_spelling(address: str, name: str) -> None:
    assert named(address).name == name
    assert named(name).name == name


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("mms://camera.example/1", "mms: only files, http://, https:// and rtsp:// can be opened"),
        ("udp://127.0.0.1:1337", "udp: only"),
        ("javascript:alert(1)", "javascript: only"),
        ("http://user:secret@cam.example/", "login"),
        ("http://cam.example\\@evil.example/", "login"),
        ("http://evil.example#@cam.example\n/", "control"),
        ("http:///x", "no such host"),
        ("http://exa mple/", "no such host"),
        ("http://[zz]/", "no such"),
        ("http://a:99999999/", "no such URL"),
        ("//server/share/x.png", "another machine"),
        ("\\\\server\\share\\x.png", "another machine"),
        ("file://server/share/x.png", "only those of this machine"),
        ("file:////server/share/x.png", "another machine"),
        ("file:///srv/a%00b", "no such path"),
        ("", "0 characters"),
        ("x" * (MAX_ADDRESS + 1), "4,097 characters"),
    ],
)
def test_what_nobody_here_can_open_is_said(address: str, told: str) -> None:
    with pytest.raises(NotOpened) as caught:
        named(address)
    assert told in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("pattern", "address"),
    [
        ("http://cam.example/*", "http://cam.example/a/b.png?x=1"),
        ("http://cam.example/*", "http://CAM.example:80/"),
        ("http://cam.example:*/*", "http://cam.example:8080/x"),
        ("http://*.example/*.png", "http://cam.example/a/b.png"),
        ("http://cam-*.example/*", "http://cam-7.example/x"),
        ("https://cam.example/live?id=*", "https://cam.example/live?id=9"),
        ("http://[::1]:8080/*", "http://[::1]:8080/x"),
        ("http://cam.example/my pictures/*", "http://cam.example/my%20pictures/a.png"),
        ("/srv/pictures/*", "/srv/pictures/a/b.png"),
        ("/srv/pictures/*", "file:///srv/pictures/a.png"),
        ("file:///srv/pictures/*", "/srv/pictures/a.png"),
        ("/srv/*.png", "/srv/x/../y.png"),
    ],
)
def test_what_a_pattern_covers(pattern: str, address: str) -> None:
    assert allowed(pattern, address)


@pytest.mark.parametrize(
    ("pattern", "address"),
    [
        ("http://cam.example/*", "https://cam.example/x"),
        ("http://cam.example/*", "http://cam.example:8080/x"),
        ("http://cam.example/*", "http://cam.example.evil.example/x"),
        ("http://cam.example/*", "http://evil.example/http://cam.example/x"),
        ("http://cam.example/*", "http://93.184.216.34/x"),
        ("http://cam.example/*", "http://cam.example./x"),
        ("http://*.example/*", "http://a.b.example/x"),
        ("http://10.0.0.*/*", "http://10.0.0.1.evil.example/x"),
        ("http://cam.example*/*", "http://cam.example.evil/x"),
        ("http://cam.example/pub/*", "http://cam.example/pub/../secret"),
        ("http://cam.example/pub/*", "http://cam.example/pub/%2e%2e/secret"),
        ("http://cam.example/pub/*", "http://cam.example/pub/%252e%252e/secret"),
        ("http://cam.example/pub/*", "http://cam.example/pub/..%2fsecret"),
        ("http://cam.example/pub/*", "http://cam.example/pub/..%5csecret"),
        ("http://cam.example/pub/*", "http://cam.example/pub/..;/secret"),
        ("http://cam.example/pub/*", "http://cam.example/PUB/x"),
        ("http://cam.example", "http://cam.example/x"),
        ("http://cam.example/*", "/srv/http://cam.example/x"),
        ("/srv/pictures/*", "/srv/pictures/../secret/x.png"),
        ("/srv/pictures/*", "/srv/pictures"),
        ("/srv/pictures/*", "http://srv/pictures/x.png"),
        ("/srv/pictures/*.png", "/srv/pictures/x.pngx"),
        ("*", "http://cam.example/x"),
    ],
)
def test_what_a_pattern_does_not_cover(pattern: str, address: str) -> None:
    assert not allowed(pattern, address)


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "ftp://x/*",
        "*://x/*",
        "http://",
        "http:///x",
        "http://u@x/*",
        "http://x:port/",
        "http://bü*.example/",
        "a\0b",
    ],
)
def test_a_pattern_that_cannot_be_is_refused_by_its_name(pattern: str) -> None:
    with pytest.raises(SettingsError, match="--allow-media"):
        Rules([pattern])


def test_without_patterns_nothing_is_allowed() -> None:
    assert not Rules().allow(named("/srv/x.png"))
    assert not Rules().allow_real("/srv/x.png")
    assert not Rules().allow(named("http://cam.example/x"))


def test_a_link_on_the_way_to_the_pattern_is_its_users_own(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "link").symlink_to("pictures")
    rules = Rules([f"{tmp_path}/link/*.png"])
    assert rules.allow(named(f"{tmp_path}/link/x.png"))
    assert rules.allow_real(str((tmp_path / "pictures").resolve() / "x.png"))
    assert not rules.allow_real(str(tmp_path.resolve() / "link" / "x.png"))


@given(st.text("a*b/", max_size=8), st.text("ab/", max_size=12))
def test_a_star_is_any_characters(pattern: str, text: str) -> None:
    told = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None
    assert glob(pattern, text) is told
    assert told is fnmatch.fnmatchcase(text, pattern)


@given(st.text(max_size=40) | st.text("htp:/.@%2e\\[]", max_size=30).map(lambda text: f"http://{text}"))
def test_any_address_is_named_in_one_way_or_refused(address: str) -> None:
    found: Named | str
    try:
        found = named(address)
    except NotOpened as error:
        found = str(error)
    if isinstance(found, str):
        assert found.isprintable()
    elif found.kind == "url":
        assert found.name.isascii()
        assert named(found.name) == found
