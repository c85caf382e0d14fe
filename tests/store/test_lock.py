import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.store.recorded import query, record, ticks
from tuistream.core.errors import RecordingError, RecordingLocked
from tuistream.store.lock import WriterLock, lock_path, writer_of

HOLDER = """
import sys, time
from pathlib import Path
from tuistream.store.lock import WriterLock
lock = WriterLock(Path(sys.argv[1]))
lock.take()
print("held", flush=True)
time.sleep(60)
"""


def test_one_writer_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    first, second = WriterLock(path), WriterLock(path)
    first.take()
    first.take()
    assert lock_path(path).read_text() == f"{os.getpid()}\n"
    with pytest.raises(RecordingLocked, match=f"is recorded by pid {os.getpid()}") as refused:
        second.take()
    assert refused.value.pid == os.getpid()
    second.release()
    assert writer_of(path) == os.getpid()
    first.release()
    first.release()
    assert writer_of(path) is None
    assert list(tmp_path.iterdir()) == []
    second.take()
    second.release()


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 and symbolic links")
async def test_another_process_holds_it_by_another_name(tmp_path: Path) -> None:
    path, link = tmp_path / "a.db", tmp_path / "link.db"
    await record(path, [ticks(count=5)])
    link.symlink_to(path)
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        before = path.read_bytes()
        with pytest.raises(RecordingLocked) as refused:
            await record(link, [ticks(count=5)])
        assert refused.value.pid == holder.pid
        assert writer_of(link) == holder.pid
        assert path.read_bytes() == before
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert lock_path(path).exists()
    assert writer_of(path) is None
    await record(link, [ticks(count=5, first=5)])
    assert query(path, "SELECT count(*) FROM ticks") == [(10,)]
    assert sorted(tmp_path.iterdir()) == [path, link]


def test_a_lock_whose_file_was_removed_is_taken_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    lock = WriterLock(path)
    lock.take()
    lock_path(path).unlink()
    lock.take()
    assert writer_of(path) == os.getpid()
    lock_path(path).unlink()
    other = WriterLock(path)
    other.take()
    with pytest.raises(RecordingLocked):
        lock.take()
    other.release()


def test_a_lock_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"cannot record into .*: No such file or directory"):
        WriterLock(tmp_path / "missing" / "a.db").take()


def test_a_lock_file_is_not_followed_elsewhere(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path = tmp_path / "a.db"
    lock_path(path).symlink_to(victim)
    with pytest.raises(RecordingError):
        WriterLock(path).take()
    assert victim.read_text() == "precious"
