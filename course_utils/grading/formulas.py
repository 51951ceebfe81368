"""TeX in Markdown as MathML, which browsers show without fetching anything."""

import re
from functools import cache
from html import unescape
from xml.etree.ElementTree import tostring

# Code first: a dollar sign within it is no formula.
PIECES = re.compile(
    r"(?P<code>^```.*?^```\s*?$|``.+?``|`[^`\n]+`)|\$\$(?P<block>.+?)\$\$|(?<![\\$])\$(?P<inline>[^\s$][^$\n]*?)(?<!\\)\$(?![\d$])"
    r"|(?P<environment>\\begin\{(?P<name>align|equation|gather)(?P<star>\*?)\}.+?\\end\{(?P=name)(?P=star)\})",
    re.MULTILINE | re.DOTALL,
)


UNSAFE = re.compile(r"<[^>]*(href|src|style|\bon\w+)\s*=", re.IGNORECASE)
LONGEST = 20_000  # letters in which formulas are looked for: a text made for it would take the search hours


def to_mathml(text: str) -> str:
    """The text with every formula as MathML; a formula that cannot be read stays as it is."""
    return PIECES.sub(_replaced, text)


def as_text(text: str) -> str:
    """A student's text for a page that others open: formulas are shown, and all else stands as it was typed.

    Rendered as Markdown it could hold HTML, and links that run a script with the rights of whoever follows them.
    """
    shown, place, text = [], 0, text.strip()
    for match in PIECES.finditer(text if len(text) <= LONGEST else ""):
        made = None if match["code"] else _replaced(match)
        if made and made.startswith("<math") and not UNSAFE.search(made):
            shown += [literal(text[place : match.start()]), made]
            place = match.end()
    shown.append(literal(text[place:]))
    return "".join(shown).replace("\n", "<br>")


def _replaced(match: re.Match) -> str:
    if match["code"]:
        return match[0]
    tex, display = match["block"] or match["inline"] or match["environment"], "inline" if match["inline"] else "block"
    return _mathml(tex.strip(), display) or match[0]


@cache
def _mathml(tex: str, display: str) -> str | None:
    from latex2mathml.converter import convert_to_element

    try:
        math = convert_to_element(tex, display=display)
        for part in math.iter():  # the library names signs as HTML does, within a text that may hold <
            part.text, part.tail = unescape(part.text or ""), unescape(part.tail or "")
        made = tostring(math, encoding="unicode")
    except Exception:  # the library raises many kinds of errors on TeX that it does not know
        return None
    # On one line, and with no sign in its text that Markdown would take for its own.
    made = re.sub(r">([^<]*)<", lambda text: f">{literal(unescape(text[1]))}<", made)
    return made.replace("\n", " ")


def literal(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"[&<>\\`*_{}\[\]()#+!|~$:]", lambda sign: f"&#{ord(sign[0])};", text)
