"""Build small_charger.fmu with the C compiler of this machine: `python build.py`, or `python build.py FOLDER`.

An FMU is a ZIP archive: modelDescription.xml, and the library in binaries/<platform>/ under the name of its model.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAME = "small_charger"
SOURCES = (HERE / "charger.c", HERE / "fmi2.c")
FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-fvisibility=hidden", f"-I{HERE}")
PLATFORMS = {"linux": ("linux64", ".so"), "darwin": ("darwin64", ".dylib")}


def compiler() -> str | None:
    """The C compiler: CC, or the first of the usual ones; None where there is none."""
    return os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def build(folder: Path, sources: tuple[Path, ...] = SOURCES, description: str | None = None) -> Path:
    """The FMU in a folder. sources, description: others than the example's, for who changes it."""
    cc = compiler()
    if cc is None:
        raise SystemExit("no C compiler; install one (Debian: apt-get install build-essential)")
    if sys.platform not in PLATFORMS:
        raise SystemExit(f"this script builds on {' and '.join(PLATFORMS)}; elsewhere build the two C files by hand")
    platform, suffix = PLATFORMS[sys.platform]
    with tempfile.TemporaryDirectory() as work:
        library = Path(work) / f"{NAME}{suffix}"
        subprocess.run([cc, *FLAGS, *map(str, sources), "-o", str(library), "-lm"], check=True)
        fmu = folder / f"{NAME}.fmu"
        with zipfile.ZipFile(fmu, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("modelDescription.xml", description or (HERE / "modelDescription.xml").read_text("utf-8"))
            packed.write(library, f"binaries/{platform}/{library.name}")
    return fmu


if __name__ == "__main__":
    print(build(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE))
