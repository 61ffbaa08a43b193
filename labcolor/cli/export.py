"""``labcolor export``: write a model for other programs."""

from __future__ import annotations

import argparse
from typing import Any

from labcolor.cli.common import DONE, MODELS, add_flags, load

_EXAMPLES = """
examples:
  labcolor export efficientnet -o model.onnx
  labcolor export mine.labcolor -o small.labcolor --int8 photographs/
  labcolor export efficientnet -o whole.onnx --whole
"""


def add_to(commands: Any) -> None:
    """Add this command to the parser."""
    command = commands.add_parser(
        "export",
        help="write a model for other programs",
        description="Write a model as ONNX (.onnx), LiteRT (.tflite), Keras file (.keras) or SavedModel (a folder), or "
        "as a model file (.labcolor) that runs without TensorFlow.",
        epilog=_EXAMPLES,
    )
    command.set_defaults(run=run)
    command.add_argument("model", metavar="MODEL", help=f"a packaged model ({', '.join(MODELS)}) or a model file")
    output = "what to write; its ending selects the form"
    command.add_argument("-o", "--output", required=True, metavar="PATH", help=output)
    command.add_argument(
        "--int8",
        nargs="+",
        metavar="PICTURES",
        help="quantize to int8, which is faster on many processors, with ranges from some hundred of these color "
        "pictures, files or folders (default: float32)",
    )
    add_flags(command, ("--whole", "write an ONNX file that takes and returns the pixels of whole pictures"))


def run(arguments: argparse.Namespace) -> int:
    """Write the model."""
    load(arguments.model, "MODEL").export(arguments.output, int8=arguments.int8, whole=arguments.whole)
    print(arguments.output)
    return DONE
