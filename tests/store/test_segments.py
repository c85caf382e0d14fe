"""Which files a recording consists of."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tuistream.core.errors import RecordingError
from tuistream.store.segments import base_of, files_of, following, segment_path, segments_of, started

HOUR = 3_600_000_000_000
START = 1_795_269_600_000_000_000


def test_segments_follow_one_another_after_the_base_that_was_there_before(tmp_path: Path) -> None:
    base = tmp_path / "btc.usd.db"
    paths = [
        segment_path(base, START),
        segment_path(base, START, 2),
        segment_path(base, START, 10),
        segment_path(base, START + HOUR),
    ]
    assert paths[0].name == "btc.usd.20261121T140000Z.db"
    for path in [*reversed(paths), base]:
        path.touch()
    assert segments_of(base) == paths
    assert files_of([base]) == [base, *paths]
    base.unlink()
    assert files_of([base, paths[1]]) == paths


def test_what_is_only_named_alike_is_no_segment(tmp_path: Path) -> None:
    base = tmp_path / "btc.db"
    for name in (
        "btc.20261121T140000Z.db-wal",
        "btc.20261121.db",
        "btc.20261121T140000Z.txt",
        "btc2.20261121T140000Z.db",
        "btc.20260231T140000Z.db",
        "btc.usd.20261121T140000Z.db",
    ):
        (tmp_path / name).touch()
    assert segments_of(base) == []
    with pytest.raises(RecordingError, match="no such file"):
        files_of([base])
    base.touch()
    assert files_of([base, base]) == [base]


def test_a_name_tells_the_base_and_the_start(tmp_path: Path) -> None:
    base = tmp_path / "btc.usd.db"
    for number in (1, 2, 77):
        path = segment_path(base, START + 5, number)
        assert (base_of(path), started(path)) == (base, START)
    assert (base_of(base), started(base)) == (None, None)
    assert base_of(tmp_path / ".20261121T140000Z.db") is None


def test_the_next_one_comes_after_all_that_are_there(tmp_path: Path) -> None:
    base = tmp_path / "btc.db"
    made = []
    for now in (START, START + HOUR, START + HOUR, START, START + HOUR + 999_999_999, START + 2 * HOUR):
        made.append(following(base, now))
        made[-1].touch()
    assert segments_of(base) == made
    assert len(set(made)) == 6
    made[1].unlink()
    assert segments_of(base) == [made[0], *made[2:]]


@pytest.mark.skipif(os.name == "nt", reason="symbolic links")
def test_the_segments_of_a_link_are_where_it_leads(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    link = tmp_path / "link.db"
    link.symlink_to(place / "btc.db")
    path = following(link, START)
    assert path == segment_path(place / "btc.db", START)
    path.touch()
    assert files_of([link]) == [path]
