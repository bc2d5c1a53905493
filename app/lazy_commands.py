"""Groups of commands that import a command only when it is run: help pages, completions and other commands do not import it.

A command is named by its place, `package.module:function`. Its help is the docstring of the function, read from the source.
"""

from __future__ import annotations

import ast
import inspect
from collections import UserDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from app.quick_import import quick_import


@dataclass(frozen=True, slots=True)
class Group:
    """A group of commands: its help, and its commands and groups by name, in the order of the help page.

    alone: the function that runs where none of the commands is named, empty for the help page. It takes a `typer.Context` first, and
    does nothing where the context has an `invoked_subcommand`.
    """

    help: str
    commands: Mapping[str, str | Group]
    alone: str = ""


class LazyGroup(TyperGroup):
    """A command group whose tree is set by its class; `group_class` makes such a class.

    Listing the commands imports none of them. A look-up in `commands` and a run import the command.
    """

    tree: ClassVar[Mapping[str, str | Group]] = {}

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = _Imported(self.tree)

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.tree)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command as help pages and completions show it, None for an unknown name."""
        found = self.tree.get(cmd_name)
        if found is None:
            return None
        return TyperCommand(cmd_name, help=found.help if isinstance(found, Group) else docstring(found))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, shown, rest = super().resolve_command(ctx, args)
        return name, shown and self.commands[str(name)], rest


class _Imported(UserDict[str, Any]):
    """The commands of a tree by name, each imported when it is looked up."""

    def __getitem__(self, name: str) -> Any:
        found = self.data[name]
        if isinstance(found, Group):
            inner = typer.Typer(name=name, cls=group_class(found.commands), help=found.help, no_args_is_help=not found.alone)
            if found.alone:
                module, _, function = found.alone.partition(":")
                inner.callback(invoke_without_command=True)(getattr(quick_import(module), function))
            return get_group(inner)
        module, _, function = found.partition(":")
        alone = typer.Typer(add_completion=False)
        alone.command(name)(getattr(quick_import(module), function))
        return get_command(alone)


def group_class(tree: Mapping[str, str | Group]) -> type[LazyGroup]:
    """Return the class of a group with these commands, for `typer.Typer(cls=…)`."""
    return type("Commands", (LazyGroup,), {"tree": tree})


def docstring(place: str) -> str:
    """Return the docstring of the function at that place. Parses the module without importing it. Raises LookupError for none."""
    for node in _functions(place.partition(":")[0]):
        if node.name == place.partition(":")[2] and (text := ast.get_docstring(node, clean=False)):
            return inspect.cleandoc(text)
    raise LookupError(f"{place} is no function with a docstring")


def _functions(module: str) -> Iterator[ast.FunctionDef]:
    spec = find_spec(module)
    loader: Any = spec and spec.loader
    source = loader and loader.get_source(module)
    return (node for node in ast.parse(source or "").body if isinstance(node, ast.FunctionDef))
