"""A web server on 127.0.0.1 that counts what it sends."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(SimpleHTTPRequestHandler):
    """Files, of the types that a browser wants of modules."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript", ".wasm": "application/wasm"}

    def log_message(self, *args):
        """Quiet."""

    def do_GET(self):
        super().do_GET()
        path = Path(self.translate_path(self.path))
        page = path / "index.html" if path.is_dir() else path
        self.server.sent[self.path.partition("?")[0]] = page.stat().st_size if page.is_file() else 0


@contextmanager
def serving(handler: Callable) -> Iterator[ThreadingHTTPServer]:
    """A server with its `address`, and `sent`: bytes by path."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.address, server.sent = f"http://127.0.0.1:{server.server_port}/", {}
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def served(folder: Path) -> AbstractContextManager[ThreadingHTTPServer]:
    """A folder's files."""
    return serving(partial(Handler, directory=str(folder)))
