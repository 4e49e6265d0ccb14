"""What of a project never goes into a function: the rules by name, by content, and ``.multicloudignore``."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from multicloud.errors import BundleError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".multicloudignore"


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    """Compile shell patterns into one that ignores case: on some machines ``.ENV`` is ``.env``."""
    return re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns), re.IGNORECASE)


_SECRET_FILES = _any_of(
    [
        ".env*", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "id_rsa*", "id_dsa*", "id_ecdsa*",
        "id_ed25519*", "credentials.json", ".netrc", "_netrc", ".npmrc", ".pypirc", ".git-credentials", ".htpasswd",
        "*.tfstate", "*.tfstate.backup", "*.publishsettings", "local.settings.json",
    ]
)  # fmt: skip
_SECRET_FOLDERS = _any_of([".aws", ".azure", ".gcloud", ".gnupg", ".kube", ".ssh", ".docker", ".env*"])
_VERSION_CONTROL = _any_of([".git", ".hg", ".svn", ".bzr", ".jj"])
_BESIDE_THE_SOURCE = _any_of(
    [
        "__pycache__", "node_modules", "*.egg-info", ".multicloud", ".*_cache", ".hypothesis", ".tox", ".nox", ".eggs",
        ".idea", ".vscode", ".DS_Store", "*.pyc", "*.pyo", ".coverage", IGNORE_FILE, ".gitignore", ".gitattributes",
    ]
)  # fmt: skip
_AT_THE_ROOT = _any_of(
    [
        "multicloud.toml", "pyproject.toml", "setup.py", "setup.cfg", "requirements*.txt", "constraints*.txt",
        "Pipfile", "Pipfile.lock", "poetry.lock", "uv.lock", "uv.toml", "pdm.lock",
    ]
)  # fmt: skip
_BUILDS = ("build", "dist")

_KEY_BLOCK = re.compile(rb"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----")
_LARGEST_KEY = 1_000_000  # bytes; no key file is larger, and large files are not searched


@attrs.frozen
class Verdict:
    """taken: whether the file goes in. reason: what the user is told if it does not. kept: the user asks for it."""

    taken: bool = True
    reason: str = ""
    kept: bool = False


@attrs.frozen
class Rules:
    """The rules for one project. asked: what its ``.multicloudignore`` says, None without one."""

    asked: GitIgnoreSpec | None = None

    @classmethod
    def read(cls, root: Path) -> Rules:
        """Read a project's ``.multicloudignore``. Raises BundleError if it cannot be read or understood."""
        try:
            lines = (root / IGNORE_FILE).read_text("utf-8").splitlines()
        except FileNotFoundError:
            return cls()
        except (OSError, UnicodeDecodeError) as error:
            raise BundleError(f"{root / IGNORE_FILE}: expected patterns as UTF-8 text: {error}") from None
        from pathspec import GitIgnoreSpec  # here, as most projects have no such file and it is slow to import

        try:
            return cls(GitIgnoreSpec.from_lines(lines))
        except ValueError as error:
            raise BundleError(f"{root / IGNORE_FILE}: a line is not a pattern as in .gitignore: {error}") from None

    def judge(self, name: str, is_folder: bool, location: str) -> Verdict:
        """Say whether a file or folder goes in. name: its path from the root. location: where it is on disk."""
        asked = self.asked.check_file(f"{name}/" if is_folder else name).include if self.asked else None
        if asked is not None:
            return Verdict(taken=not asked, kept=not asked)
        own_name = name.rpartition("/")[2]
        if _VERSION_CONTROL.match(own_name):
            return Verdict(taken=False, reason="version control")
        if (_SECRET_FOLDERS if is_folder else _SECRET_FILES).match(own_name):
            return Verdict(taken=False, reason="its name is that of a secret")
        if _BESIDE_THE_SOURCE.match(own_name) or (own_name == name and self._at_the_root(name, is_folder, location)):
            return Verdict(taken=False)
        return Verdict()

    def _at_the_root(self, name: str, is_folder: bool, location: str) -> bool:
        if is_folder:
            return name in _BUILDS and not os.path.exists(os.path.join(location, "__init__.py"))
        return bool(_AT_THE_ROOT.match(name))


def secret_content(name: str, content: bytes) -> str:
    """Return why a file's content is a secret, or an empty string. Source code is taken at its word."""
    if name.endswith(".py"):
        return ""
    if name.lower().endswith(".json") and b'"private_key"' in content:
        return "it holds a service account's private key"
    if len(content) <= _LARGEST_KEY and _KEY_BLOCK.search(content):
        return "it holds a private key"
    return ""
