import os
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

from tests.store.recorded import query, record, ticks
from tuistream.core.errors import RecordingError, RecordingLocked
from tuistream.store.lock import Holder, WriterLock, holder_of, lock_path, writer_of
from tuistream.store.segments import segment_path

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
    began = time.time_ns()
    pid, since, name = lock_path(path).read_text().splitlines()
    assert (pid, name) == (str(os.getpid()), "a.db")
    assert began - 60 * 10**9 < int(since) <= began
    shown = datetime.fromtimestamp(int(since) // 10**9).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    with pytest.raises(RecordingLocked, match=f"is recorded by pid {os.getpid()} since {shown}$") as refused:
        second.take()
    assert (refused.value.pid, refused.value.since) == (os.getpid(), int(since))
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


def test_all_segments_have_the_lock_of_their_base_and_one_of_them_is_written(tmp_path: Path) -> None:
    base = tmp_path / "a.db"
    old, new = segment_path(base, 10**18), segment_path(base, 2 * 10**18)
    lock = WriterLock(base)
    lock.take()
    for file in (old, new):
        lock.tell(file.name)
        assert lock_path(file) == lock_path(base)
        assert writer_of(base) == writer_of(file) == os.getpid()
        with pytest.raises(RecordingLocked):
            WriterLock(file).take()
    assert writer_of(old) is None
    holder = holder_of(old)
    assert holder is not None
    assert (holder.pid, holder.file) == (os.getpid(), new.name)
    lock.release()
    assert (writer_of(base), writer_of(new), holder_of(old)) == (None, None, None)


@pytest.mark.skipif(sys.platform == "win32", reason="flock")
@pytest.mark.parametrize(
    ("text", "holder"),
    [
        (b"", Holder()),
        (b"12\n", Holder(12)),
        (b"12\n99999999999999999999999\n\xff", Holder(12, None, "\udcff")),
        (b"-1\n\xc2\xb2\nx\ny", Holder(0, None, "x")),
    ],
)
def test_any_text_in_the_lock_of_another_process(tmp_path: Path, text: bytes, holder: Holder) -> None:
    path = tmp_path / "a.db"
    lock = WriterLock(path)
    lock.take()
    lock_path(path).write_bytes(text)
    assert holder_of(path) == holder
    with pytest.raises(RecordingLocked):
        WriterLock(path).take()
    lock.release()
