"""What the house rules of the package and those of the lessons share: names and links."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

# One name per quantity: ours, and a pattern for the others.
OTHER_NAMES = {
    "logvar": r"(z_)?(log_?(var(iance)?|sigma)_?(2|sq|s)?|lv)",
    "x_hat": r"recons?|x_?recons?|recons?_?x|x_?rec|xhat|reconstructed",
    "latent_dim": r"(latent|code|z)_?size|(code|z)_?dims?|latent_dims|n_latents?",
    "hidden_dim": r"hidden_?size|(h|hid)_?dim|n_hidden",
    "epochs": r"(n|num|max)_epochs",
    "lr": r"learning_?rate",
    "encoder, decoder": r"enc|dec",
    "generator, discriminator": r"gen|disc|net_?[dg]",
    "x_real, x_fake": r"(real|fake)_(x|imgs?|images?)",
    "logits_real, logits_fake": r"(real|fake)_logits?",
}
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
LINK = re.compile(r"""\]\(<?([^\s)>]+)|(?:href|src)=["']([^"']+)""")
REMOTE_PICTURE = re.compile(r"""(?:!\[[^\]]*\]\(|<img[^>]*src=["'])(https?:[^\s)"']+)""")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def wrong_names(source: str) -> Iterator[str]:
    """Names that a source gives to a quantity which has another name here."""
    for node in ast.walk(ast.parse(source)):
        is_given = isinstance(getattr(node, "ctx", None), ast.Store)
        name = (
            node.arg
            if isinstance(node, ast.arg)
            else getattr(node, "id", getattr(node, "attr", ""))
            if is_given
            else ""
        )
        for ours, others in OTHER_NAMES.items():
            if name != ours and re.fullmatch(others, name, re.IGNORECASE):
                yield f"{name}: here it is {ours}"


def broken_links(text: str, folder: Path) -> Iterator[str]:
    """Relative links whose file or heading is not there, and pictures that are fetched from elsewhere."""
    prose = CODE.sub("", text)
    yield from REMOTE_PICTURE.findall(prose)
    for match in LINK.finditer(prose):
        link = match[1] or match[2]
        file, _, anchor = unquote(link).partition("#")
        if re.match(r"https?:|mailto:", link):
            continue
        target = folder / file
        if not target.exists() or (anchor and anchor not in _anchors(target.read_text() if file else text)):
            yield link


def _anchors(text: str) -> set[str]:
    """What headings can be linked by: GitHub's way, and JupyterLab's."""
    headings = [re.sub(r"[*`]", "", heading) for heading in HEADING.findall(text)]
    github = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return github | {heading.replace(" ", "-") for heading in headings}
