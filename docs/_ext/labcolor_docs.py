"""What the documentation needs and no package has: links to the repository's files, and the help of commands."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

REPOSITORY = Path(__file__).parents[2]
PAGES = {  # files outside of docs/ that are pages of the site
    "CHANGELOG.md": "project/changelog",
    "CONTRIBUTING.md": "project/contributing",
    "README.md": "index",
    "SECURITY.md": "project/security",
    "labcolor/errors.py": "reference/errors",
    "labcolor/weights/efficientnet.md": "models/efficientnet",
    "labcolor/weights/reference.md": "models/reference",
}


class RepositoryLinks(SphinxTransform):
    """Turns links to files outside of docs/ into links to the pages that hold them, or into downloads of them.

    On a code host these links work as they stand.
    """

    default_priority = 1  # before MyST's links are resolved

    def apply(self, **kwargs: Any) -> None:
        """Change the links of one page."""
        for node in list(self.document.findall(addnodes.download_reference)):
            page = self._page(node["reftarget"])
            if page is not None:
                link = addnodes.pending_xref(
                    "", *node.children, refdoc=self.env.docname, refdomain="doc", reftype="myst", reftarget=page,
                    reftargetid=None, refexplicit=True,
                )  # fmt: skip
                node.replace_self(link)
        for node in self.document.findall(addnodes.pending_xref):
            if node.get("refdomain") == "doc" and node["reftarget"] not in self.env.found_docs:
                node["reftarget"] = self._page(f"{node['reftarget']}.md") or node["reftarget"]

    def _page(self, target: str) -> str | None:
        here = Path(self.env.doc2path(self.env.docname)).parent
        path = (here / target).resolve()
        if path.parent == REPOSITORY / "examples" / "gallery":
            return f"gallery/{path.stem}"
        return PAGES.get(path.relative_to(REPOSITORY).as_posix()) if path.is_relative_to(REPOSITORY) else None


class CommandHelp(Directive):
    """Shows what ``labcolor COMMAND --help`` prints."""

    required_arguments: ClassVar[int] = 1

    def run(self) -> list[nodes.Node]:
        """Run the command."""
        from labcolor.cli import main

        os.environ["COLUMNS"] = "76"  # of the page
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
            main([self.arguments[0], "--help"])
        text = output.getvalue()
        return [nodes.literal_block(text, text, language="none")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register both."""
    app.add_transform(RepositoryLinks)
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
