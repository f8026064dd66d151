"""What a factory makes, as ``app``: the environment's ``HARNESS_FACTORY`` is ``module:factory(arguments)``.

Imported by every server in the same way, since each has its own way to call a factory, or none. It imports the
factory's module, nothing of this package.
"""

import ast
import os
import sys
from importlib import import_module


def _made(text: str) -> object:
    module, _, source = text.partition(":")
    call = ast.parse(source, mode="eval").body
    assert isinstance(call, ast.Call)
    factory = import_module(module)
    for name in ast.unparse(call.func).split("."):
        factory = getattr(factory, name)
    named = {keyword.arg or "": ast.literal_eval(keyword.value) for keyword in call.keywords}
    return factory(*map(ast.literal_eval, call.args), **named)  # type: ignore[operator]


sys.path.insert(0, os.getcwd())
app = _made(os.environ["HARNESS_FACTORY"])
