"""Write every reference page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from docs.generate.bench_file import bench_file
from docs.generate.catalogue import catalogue, requirement_file
from docs.generate.commands import commands
from docs.generate.interface import bench_page, fixtures_page, metrology_page
from docs.generate.journal import journal_format
from docs.generate.profiles import profile_file, vehicle_file

PAGES: Mapping[str, Callable[[], str]] = {
    "command-line": commands,
    "bench-file": bench_file,
    "profile-file": profile_file,
    "vehicle-file": vehicle_file,
    "requirement-file": requirement_file,
    "requirements": catalogue,
    "journal": journal_format,
    "fixtures": fixtures_page,
    "bench": bench_page,
    "metrology": metrology_page,
}
"""Name of a page -> who writes it."""
FOLDER = Path(__file__).parents[1] / "reference"


def main() -> None:
    """Write them all; a page of a former time goes."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.md"):
        if old.stem not in PAGES:
            old.unlink()
    for name, write in PAGES.items():
        (FOLDER / f"{name}.md").write_text(write(), encoding="utf-8")
    print(f"{len(PAGES)} pages in {FOLDER}")


if __name__ == "__main__":
    main()
