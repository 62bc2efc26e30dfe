"""`zsltf serve` in a process of its own, on ports of this machine only."""

import contextlib
import subprocess
import sys

MODEL = "animals"


@contextlib.contextmanager
def serve(path):
    """Yield the addresses by protocol; the process is stopped, and waited for, by the end."""
    command = (sys.executable, "-m", "zsltf", "serve", f"{MODEL}={path}", "--rest-port", "0", "--grpc-port", "0")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield dict(process.stdout.readline().split() for _ in range(2))
        finally:
            process.terminate()
            process.communicate(timeout=60)
