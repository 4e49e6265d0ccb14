#!/usr/bin/env bash
# Puts what tests need and setup.cfg cannot name in its place. Usage: install.sh <venv's python>
# Quick when it is done already. Needs pip and the package index; for the browser also root and Debian's archive, without
# which the tests of the documentation page are skipped.
set -euo pipefail
python=$1
if ! { command -v chromium && command -v chromedriver; } >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null
then
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium chromium-driver; } >/dev/null ||
    echo "install.sh: chromium could not be installed" >&2
fi
# Microsoft's Python worker, for tests/emulators/azure_host.py.
"$python" - <<'PY' && exit 0
import sys
from importlib.util import find_spec
sys.exit(not all(find_spec(name) for name in ("azure_functions_runtime", "azurefunctions", "protos")))
PY
# The worker's wheels say Python 3.13, the first version Azure runs them on; they work on 3.11 and 3.12 as well.
"$python" -m pip install --quiet --disable-pip-version-check --ignore-requires-python --no-deps \
  azure-functions-runtime azurefunctions-extensions-base
# The messages of the worker's gRPC stream are in no wheel of their own: Microsoft's generated classes are taken from the
# tests of the older worker's.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --ignore-requires-python --dest "$folder" \
  azure-functions-runtime-v1==1.2.0
"$python" - "$folder" <<'PY'
import pathlib, sys, sysconfig, zipfile
wheel = next(pathlib.Path(sys.argv[1]).glob("*.whl"))
target = pathlib.Path(sysconfig.get_path("purelib"), "protos")
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if name.startswith("tests/protos/") and not name.endswith("/"):
            file = target / name.removeprefix("tests/protos/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(archive.read(name))
PY
