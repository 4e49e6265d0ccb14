"""The tables of docs/providers.md, written from the data. Run as ``python -m tests.support_page`` it rewrites them."""

from __future__ import annotations

from pathlib import Path

from multicloud.deploy.support import FEATURES
from multicloud.provider import Level, load_provider, provider_entry_points

PAGE = Path(__file__).parents[1] / "docs" / "providers.md"
BEGIN = "<!-- support: written by python -m tests.support_page -->\n"
END = "<!-- end of support -->\n"
MARKS = {Level.NATIVE: "native", Level.EMULATED: "emulated", Level.REFUSED: "refused"}


def tables() -> str:
    """Return, for each provider, a table of features by flavours, and the notes that it refers to."""
    return "".join(_table(name) for name in provider_entry_points())


def _table(name: str) -> str:
    flavours = load_provider(name).flavours
    notes: dict[str, int] = {}
    rows = []
    for feature in FEATURES:
        cells = []
        for flavour in flavours:
            support = flavour.support[feature]
            number = notes.setdefault(support.note, len(notes) + 1) if support.note else 0
            cells.append(f"{MARKS[support.level]} ({number})" if number else MARKS[support.level])
        rows.append(f"| `{feature}` | {' | '.join(cells)} |\n")
    titles = " | ".join(flavour.title for flavour in flavours)
    head = f"### {name}\n\n| feature | {titles} |\n|---|{'---|' * len(flavours)}\n"
    return head + "".join(rows) + "\n" + "".join(f"{number}. {note}\n" for note, number in notes.items()) + "\n"


def main() -> None:
    """Rewrite the tables."""
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{tables()}{END}{rest.partition(END)[2]}", "utf-8")


if __name__ == "__main__":
    main()
