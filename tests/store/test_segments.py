"""Which files a recording consists of."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuistream.core.errors import RecordingError
from tuistream.store.segments import files_of, segment_path, segments_of

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
    ):
        (tmp_path / name).touch()
    assert segments_of(base) == []
    with pytest.raises(RecordingError, match="no such file"):
        files_of([base])
    base.touch()
    assert files_of([base, base]) == [base]
