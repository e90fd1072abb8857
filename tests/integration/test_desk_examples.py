"""The examples for a desk: the notebook's cells run, and an editor's tasks name what is there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from rig.cli.main import COMMANDS

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def test_the_cells_of_the_notebook_run_and_leave_the_bench_at_rest(capsys: Any) -> None:
    cells = json.loads((EXAMPLES / "outage.ipynb").read_text())["cells"]
    names: dict[str, Any] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    said = capsys.readouterr().out
    assert 0.0 < float(re.search(r"t_transfer = ([\d.]+) ms", said)[1]) < 1000.0
    assert names["svg"].startswith("<svg xmlns=")
    assert "leaves" in names["svg"]
    plant = names["bench"].world.plant
    assert [plant.at(port).u for port in ("grid_l1", "house_l1")] == [0.0, 0.0]
    assert plant.at("dc").i == 0.0


def test_an_editors_tasks_name_what_is_there() -> None:
    tasks = json.loads((EXAMPLES / "vscode" / "tasks.json").read_text())["tasks"]
    for task in tasks:
        if task["command"].endswith("v2hrig"):
            assert task["args"][0] in COMMANDS
    launches = json.loads((EXAMPLES / "vscode" / "launch.json").read_text())["configurations"]
    assert {one["module"] for one in launches} == {"pytest", "rig.cli"}
    assert all(one["args"][0] in COMMANDS for one in launches if one["module"] == "rig.cli")
