"""What the child processes of these tests run: ``python serving.py serve|reload PORT [FOLDER]``."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

from multicloud.errors import StartError
from multicloud_local.reload import serve_reloading
from multicloud_local.server import serve

sys.path.insert(0, str(Path(__file__).parents[3]))


def load(folder: str) -> Any:
    """Run app.py of the folder and return its application."""
    source = Path(folder, "app.py").read_text()
    names: dict[str, Any] = {}
    exec(compile(source, "app.py", "exec"), names)
    return names["app"]


def main() -> int:
    from tests.providers.local.echo import echo

    command, port, *folders = sys.argv[1:]
    try:
        if command == "serve":
            serve(echo, port=int(port))
        else:
            serve_reloading(partial(load, folders[0]), [Path(folders[0])], port=int(port))
    except StartError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
