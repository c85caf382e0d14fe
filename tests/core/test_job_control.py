"""Processes that stop themselves, under a parent that looks after them and under none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

if sys.platform == "win32":
    pytest.skip("Windows has no job control", allow_module_level=True)

STOPPING = """
import os, signal, subprocess, sys
from tuistream.core import job_control
ready = []
signal.signal(signal.SIGTSTP, signal.SIG_IGN)
print(job_control.why_not(), flush=True)
job_control.stop(whole_job=sys.argv[1] == "job", until=lambda: bool(ready) or ready.append(1))
print("on", signal.getsignal(signal.SIGTSTP) is signal.SIG_IGN, signal.getsignal(signal.SIGCONT) is signal.SIG_DFL)
"""


@pytest.mark.parametrize(("what", "with_shell"), [("job", True), ("self", True), ("self", False)])
def test_it_stops_until_it_is_continued_and_may_go_on(what: str, with_shell: bool) -> None:
    options = {"process_group": 0} if with_shell else {"start_new_session": True}
    command = [sys.executable, "-c", STOPPING, what]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options) as process:
        assert process.stdout is not None
        assert bool(process.stdout.readline().strip()) is not with_shell
        numbers = []
        for _ in range(2):  # `until` does not hold the first time
            _, status = os.waitpid(process.pid, os.WUNTRACED)
            assert os.WIFSTOPPED(status), status
            numbers.append(os.WSTOPSIG(status))
            os.kill(process.pid, signal.SIGCONT)
        assert numbers == [signal.SIGTSTP if with_shell else signal.SIGSTOP, signal.SIGSTOP]
        assert process.stdout.read() == "on True True\n"


def test_the_whole_job_stops() -> None:
    """As a shell sees it: a wrapper waits for the program in the same process group."""
    command = ["sh", "-c", f"{sys.executable} -c '{STOPPING}' job; echo $?"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, process_group=0) as wrapper:
        assert wrapper.stdout is not None
        assert wrapper.stdout.readline().strip() == ""
        _, status = os.waitpid(wrapper.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        assert os.WSTOPSIG(status) == signal.SIGTSTP
        os.killpg(wrapper.pid, signal.SIGKILL)


BUSY = """
import threading, time
from tuistream.core import job_control

def work():
    while True:
        time.sleep(0.0005)
        sum(range(500))

for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
while True:
    job_control.stop(whole_job=False)
"""


def test_one_continuation_is_enough_whichever_thread_hears_of_it() -> None:
    with subprocess.Popen([sys.executable, "-c", BUSY], process_group=0) as process:
        try:
            for number in range(500):
                _, status = os.waitpid(process.pid, os.WUNTRACED)
                assert os.WIFSTOPPED(status)
                assert os.WSTOPSIG(status) == signal.SIGTSTP, f"stopped again by itself after {number} times"
                os.kill(process.pid, signal.SIGCONT)
        finally:
            process.kill()
