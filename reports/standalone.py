"""A drawing of reports.plot as a picture that stands alone: for paper, and for any program that shows SVG.

The drawing names its parts by class; a page gives them colours by its style sheet, this module by one of its own.
Renderers without non-scaling strokes (usvg, which typst uses) stretch a line with its panel, so lines inside a panel
are given as wide as they must be in the panel's own units.
"""

from __future__ import annotations

from markupsafe import Markup

from reports.plot import INSIDE, XSIZE

_SCALE = XSIZE / INSIDE
COLORS = ("#0067b1", "#d1530a", "#00866a", "#a64d88", "#7a6a00")
"""As in report.css: told apart by colour-blind readers, and by their grey on paper."""


def standalone(drawing: Markup, family: str = "sans-serif", letter: float = 11.0) -> str:
    """The drawing with its own style. letter: px; labels are laid out for 6.1 px a letter on average."""
    text = str(drawing)
    head, _, rest = text.partition(">")
    name = '<svg xmlns="http://www.w3.org/2000/svg"'
    return f"{head.replace('<svg', name, 1)}><style>{_style(family, letter)}</style>{rest}"


def _style(family: str, letter: float) -> str:
    inner, rules = f"stroke-width:{1.3 * _SCALE:.1f}", list[str]()
    for index, color in enumerate(COLORS):
        rules.append(f".m{index}{{stroke:{color}}}")
    rules += [
        f"text{{font-family:{family};font-size:{letter:g}px;fill:#4a5866}}",
        ".pt{font-weight:bold;fill:#17202a}.le{fill:#2b3847}",
        ".hl,.el,.sl{paint-order:stroke;stroke:#fff;stroke-width:3px}",
        ".hl.bad{fill:#b8321a}.hl.good{fill:#00755a}.el,.sl{font-weight:bold;fill:#17202a}",
        "svg.plot{background:#fff}path{fill:none}.bg{fill:none;stroke:#b9c4cf}.gr{stroke:#e1e6eb;stroke-width:1}",
        f".in path{{{inner};stroke-linejoin:round}}.lg{{stroke-width:1.6}}",
        f".in .as{{stroke:#2b3847;stroke-dasharray:{6 * _SCALE:.0f} {4 * _SCALE:.0f}}}",
        f".in .li{{stroke:#b8321a;stroke-dasharray:{8 * _SCALE:.0f} {3 * _SCALE:.0f}}}",
        ".in .ot{stroke:#5c6b7a}",
        ".as.lg{stroke:#2b3847;stroke-dasharray:6 4}.li.lg{stroke:#b8321a;stroke-dasharray:8 3}.ot.lg{stroke:#5c6b7a}",
        ".lv{stroke:#b8321a;stroke-dasharray:7 4;stroke-width:1.4}.nv{stroke:#5c6b7a;stroke-dasharray:2 3}",
        ".bd{fill:#bfe5d8;opacity:.35}",
        ".sp{opacity:.4}.sp.plain{fill:#c3cbd3}.sp.event{fill:#f6d68f}.sp.good{fill:#bfe5d8}.sp.bad{fill:#f3bcae}",
        ".sp.back{fill:#d1530a;opacity:.16}",
        ".ed{stroke:#17202a;stroke-width:1.2}",
        ".ln{fill:#2b3847}.phn{font-weight:bold;fill:#17202a}",
        ".st{fill:#eef2f6;stroke:#fff;stroke-width:.6}.st.even{fill:#dde3ea}.st.test{fill:#f6d68f}.st.flow{fill:#bfe5d8}",
        ".st.out{fill:#d1530a;fill-opacity:.45}.st.end{fill:#f3bcae}",
        ".st.vehicle{fill:#0067b1;stroke:none}.st.charger{fill:#00866a;stroke:none}.st.fault{fill:#b8321a;stroke:none}",
    ]
    return "".join(rules)
