"""`python -m benchmarks.spoil_sealed`: single bytes of a sealed folder are changed at random; every change is found.

Any file, any byte, any other value, the seal itself included; big files are no likelier than small ones in every other
try, so that each byte and each file has its turn.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rig.evidence.keys import new_keys, read_public
from rig.evidence.verify import verify_run

TOP = Path(__file__).parents[1]


def missed(folder: Path, public: Path, changes: int, seed: int) -> Iterator[str]:
    """Change so many bytes, one at a time, and put each back: those whose change nobody would have noticed, or that was
    blamed on another file."""
    key, dice = read_public(public), random.Random(seed)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sizes = [path.stat().st_size for path in files]
    for number in range(changes):
        path = dice.choice(files) if number % 2 else dice.choices(files, sizes)[0]
        whole = path.read_bytes()
        place, flip = dice.randrange(len(whole)), dice.randrange(1, 256)
        spoiled = bytearray(whole)
        spoiled[place] ^= flip
        try:
            path.write_bytes(spoiled)
            found = verify_run(folder, key)
            name = path.relative_to(folder).as_posix()
            if found.proven or not found.problems:
                yield f"{name}, byte {place} ^ {flip}: not found"
            elif name not in found.problems[0]:
                yield f"{name}, byte {place} ^ {flip}: blamed on {found.problems[0]}"
        finally:
            path.write_bytes(whole)
    if not verify_run(folder, key).proven:
        yield "the folder was not put back as it was"


def main() -> None:
    """Make a sealed run, spoil it, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spoil_sealed", description=__doc__)
    parser.add_argument("--changes", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        private, public = new_keys(Path(place) / "key")
        folder = Path(place) / "run"
        some = ("--suite", "transfer_timing", "-k", "test_closes_in_step and nominal-half-turn")
        command = [sys.executable, "-m", "rig.cli", "certify", "--out", str(folder), "--key", str(private), *some]
        subprocess.run(command, cwd=TOP, stdout=subprocess.DEVNULL, check=False, timeout=600)
        wrong = list(missed(folder, public, chosen.changes, chosen.seed))
    print(f"sealed folder: {chosen.changes} single-byte changes, {len(wrong)} missed")
    print("\n".join(wrong[:20]))
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
