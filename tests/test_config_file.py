"""The configuration file: what it means, and an error for everything that cannot be, naming file, key and value."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tuistream.config import FILE_NAME, find_file
from tuistream.config_file import ConfigFile, load
from tuistream.core.errors import SettingsError

WHOLE = """
[recording]
db = "prices.db"
sync = "full"
retries = 3

[screen]
fps = 20
budget = "10kB/s"
averages = [15, 50]
memory = "1GB"

[keys]
pause = "p"
zoom_in = ["plus", "i"]

[[feeds]]
url = "wss://example.com/prices?token=abc"
name = "prices"
headers = { X-Key = "k1" }
fields = ["price", "size"]
max_frame = "1MB"

[[feeds]]
url = "kraken:BTC/USD"

[[feeds]]
url = "ws://example.com:8766"
bearer_env = "PRICES_TOKEN"

[[panels]]
stream = "BTC/USD"
range = "15m"
chart = "area"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / FILE_NAME
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_a_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRICES_TOKEN", "t0ken")
    config = load(written(tmp_path, WHOLE), named=True)
    assert config.options() == {
        "db": "prices.db",
        "sync": "full",
        "retries": 3,
        "fps": 20,
        "budget": "10kB/s",
        "averages": "15,50",
        "memory": "1GB",
    }
    prices, kraken, plain = config.feed_settings()
    assert (prices.name, prices.decoding.fields, prices.max_frame) == ("prices", ("price", "size"), 1_000_000)
    assert prices.headers == (("X-Key", "k1"),)
    assert (kraken.name, kraken.decoder) == ("kraken", "kraken")
    assert plain.headers == (("Authorization", "Bearer t0ken"),)
    assert "t0ken" in plain.secrets
    assert config.keys == {"pause": ("p",), "zoom_in": ("plus", "i")}
    assert (config.panels[0].stream, config.panels[0].chart) == ("BTC/USD", "area")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[screen]\nfsp = 3", "screen.fsp is not known; did you mean fps?"),
        ("[screen]\nfps = 90", "screen.fps = 90: Expected `int` <= 60"),
        ('[screen]\nfps = "ten"', 'screen.fps = "ten": Expected `int`, got `str`'),
        ('[screen]\nbudget = "fast"', "screen.budget 'fast': a size"),
        (
            '[screen]\nglyphs = "dots"',
            "screen.glyphs = \"dots\": Invalid enum value 'dots'; allowed are braille, blocks, ascii",
        ),
        ("[screen]\naverages = [1]", "screen.averages = [1]: Expected `int` >= 2"),
        ("[screen]\nallow_media = ['ftp://x/*']", "screen.allow_media 'ftp://x/*': a path, http://"),
        ("[scren]", "scren is not known; did you mean screen?"),
        ("screen = 3", "screen: a table is wanted, not 3"),
        ("[feeds]\nurl = 'ws://x'", "feeds: [[feeds]] is wanted"),
        ("[[feeds]]\nname = 'x'", "feeds[0]: url is missing"),
        ("[[feeds]]\nurl = 'listen+tcp://127.0.0.1:1'", "a listener belongs into [[listen]]"),
        ("[[feeds]]\nurl = 'ws://x'\nbearer = 'a'\nbearer_env = 'B'", "feeds[0]: bearer and bearer_env exclude"),
        ("[[feeds]]\nurl = 'ws://x'\ncoalesce = 'soon'", "feeds[0].coalesce"),
        ("[[listen]]\nurl = 'ws://x'", 'listen[0].url = "ws://x": one of listen+tcp://'),
        ("[[listen]]\nurl = 'listen+tcp://127.0.0.1:1'\nmax_conections = 3", "did you mean max_connections?"),
        (
            "[[listen]]\nurl = 'listen+tcp://127.0.0.1:1'\nmax_rate = 0",
            "listen[0].max_rate '0': a whole number from 1 up is wanted",
        ),
        ("[keys]\npause = 3", "keys.pause = 3: a key or a list of keys is wanted"),
        ("[screen", "Expected ']'"),
    ],
)
def test_an_error_names_file_key_and_value(tmp_path: Path, text: str, told: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        load(path, named=True)
    assert str(caught.value).startswith(f"{path}: ")
    assert told in str(caught.value)


def test_every_error_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(written(tmp_path, "[screen]\nfsp = 1\nfps = 0\n[[feeds]]\nulr = 'ws://x'"), named=True)
    assert len(str(caught.value).splitlines()) == 4


def test_a_feed_that_cannot_be_is_told_with_its_place(tmp_path: Path) -> None:
    config = load(written(tmp_path, "[[feeds]]\nurl = 'wss://a'\n[[feeds]]\nurl = 'nowhere'"), named=True)
    with pytest.raises(SettingsError, match=r"feeds\[1\]: 'nowhere' is neither a command nor a feed"):
        config.feed_settings()


def test_an_environment_variable_that_is_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOT_THERE", raising=False)
    config = load(written(tmp_path, "[[feeds]]\nurl = 'wss://a'\nbearer_env = 'NOT_THERE'"), named=True)
    with pytest.raises(SettingsError, match="bearer_env = NOT_THERE: this environment variable is not set"):
        config.feed_settings()


def test_names_are_made_unique(tmp_path: Path) -> None:
    config = load(written(tmp_path, "[[feeds]]\nurl = 'wss://a'\n" * 3), named=True)
    assert len({feed.name for feed in config.feed_settings()}) == 3


def test_a_file_that_merely_lies_here_starts_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, "[[feeds]]\nurl = 'exec:date'")
    found = find_file(None)
    assert found == Path(FILE_NAME)
    with pytest.raises(SettingsError, match="starts no program; name it: --config"):
        load(found, named=False)
    assert isinstance(load(found, named=True), ConfigFile)


def test_others_can_read_a_secret(tmp_path: Path) -> None:
    path = written(tmp_path, "[[feeds]]\nurl = 'wss://a'\nbearer = 'x'")
    assert load(path, named=True).warnings == ()
    path.chmod(0o644)
    (warning,) = load(path, named=True).warnings
    assert "others can read it" in warning


def test_the_example_of_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)
    monkeypatch.setenv("PRICES_TOKEN", "t0ken")
    config = load(written(tmp_path, example), named=True)
    assert [feed.name for feed in config.feed_settings()][:2] == ["prices", "kraken"]
    assert config.panels[0].range == "15m"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        load(tmp_path / "none.toml", named=True)
