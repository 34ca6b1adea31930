"""Runs a server, and ends it with all its processes when whoever asked for it is gone: ``watch.py PID COMMAND…``.

A program of its own, of the standard library alone: a process that is killed can end nothing itself.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time

#: Seconds between two looks; seconds that a server is given to end by itself.
_BETWEEN = 0.2
_GRACE = 15.0
_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Run the command until it ends, PID is no longer our parent, or SIGTERM comes; return its exit status."""
    asker, command = int(sys.argv[1]), sys.argv[2:]
    asked_to_stop: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: asked_to_stop.append(received))
    server = subprocess.Popen(command, start_new_session=True, preexec_fn=_end_with_parent)  # noqa: S603
    while server.poll() is None and not asked_to_stop and os.getppid() == asker:
        time.sleep(_BETWEEN)
    _end(server)
    return server.returncode


def _end_with_parent() -> None:
    """In the server: asked to stop if this program is killed. Linux alone knows how; elsewhere nothing is done."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _end(server: "subprocess.Popen[bytes]") -> None:
    """Ask the server to end; then end what is left of its processes, which share its process group."""
    if server.poll() is None:
        server.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(_GRACE)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


if __name__ == "__main__":
    sys.exit(main())
