"""A run for a console to watch, in this very process and without a bench: a post, and a journal that is written by
hand."""

from __future__ import annotations

import os
from pathlib import Path

from rig.evidence.documents import Document
from rig.evidence.journal import Journal
from rig.live.messages import Hello, Order, Standing
from rig.live.post import Post

TEST = "suites/a.py::test_one[90deg]"


class ConsoleRun:
    """live: folder of the socket. orders: what came."""

    def __init__(self, live: Path, folder: Path, file: str = "/no/bench.toml", supervisor: int = 0) -> None:
        self.journal = Journal(folder, lambda: 1.0)
        self.post, self.orders = Post(live), list[Order]()
        self.post.ordered = self.orders.append
        self.post.tell(
            Hello(
                pid=os.getpid(), bench="desk", file=file, profile="leaf", folder=str(folder), clock="virtual",
                tests=(TEST,), legs=2, power=6000.0, voltage=100.0, wired=True, supervisor=supervisor, paced=True,
            )
        )  # fmt: skip
        self.post.tell(Standing(state="running", test=TEST))

    def write(self, *documents: Document) -> None:
        for one in documents:
            self.journal.append(one)

    def close(self) -> None:
        self.post.close()
        self.journal.close()
