"""Why something of the operating system failed, in the words that it has for it."""

from __future__ import annotations

import os
import re
import socket


def os_reason(error: OSError) -> str:
    """ "Connection refused", where asyncio says "Connect call failed ('127.0.0.1', 8766)", once for each address."""
    if isinstance(error, socket.gaierror):
        return error.strerror or str(error)
    numbers = {error.errno} if error.errno else {int(found) for found in re.findall(r"\[Errno (\d+)\]", str(error))}
    reasons = [os.strerror(number) for number in sorted(numbers)]
    return ", ".join(reasons) or str(error) or type(error).__name__
