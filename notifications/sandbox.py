"""Run templates in a sandbox: they see the values they are given, reach nothing else, and end after a fixed amount of work.

RevOps may write their own templates. A mistake in one (a loop in a loop, a text doubled in each round) must not stop Baton.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from inspect import signature
from types import CodeType
from typing import Any

from jinja2 import BaseLoader, BytecodeCache, StrictUndefined, Template, TemplateSyntaxError, nodes, select_autoescape
from jinja2.bccache import Bucket
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context as TemplateValues
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

WORK_MAX = 200_000
"""How much work one template may do. A round of a loop, a call and sixteen new characters count one each, a file counts fifty."""
TEXT_MAX = 500_000
"""Longest text that a template may build, in characters, also between two steps."""

_KEPT_MAX = 1_000
_RANGE_MAX = 10_000
_NUMBER_BITS = 200
#: Filters that no message needs. With them a template could turn a lead's words into links, or fill the memory.
_NOT_HERE = "attr batch center filesizeformat indent pprint random slice tojson urlize wordwrap xmlattr".split()
_OF_TEXTS = frozenset(
    """
    capitalize casefold count endswith find isalnum isalpha isdigit islower isspace istitle isupper lower lstrip partition
    removeprefix removesuffix rfind rpartition rsplit rstrip split splitlines startswith strip swapcase title upper
    """.split()
)
_WIDE = re.compile(r"%[^%a-zA-Z]*(?:\d{4,}|\*)")
_left: ContextVar[list[int] | None] = ContextVar("work left for the template", default=None)


class TooMuchWork(SecurityError):
    """The template would run for too long, or write a text that is too long."""


class Compiled(BytecodeCache):
    """Keeps compiled templates in memory. A changed text is another template."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Put the code of this file and text into the bucket, where it is kept."""
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template. At the limit, begin anew."""
        if len(self._kept) >= _KEPT_MAX:
            self._kept.clear()
        if bucket.code is not None:
            self._kept[bucket.key, bucket.checksum] = bucket.code


class Sandbox(ImmutableSandboxedEnvironment):
    """Templates of one or more folders. HTML is escaped, an unknown name is an error, and `measured` limits the work.

    compiled: shared by sandboxes with the same filters.
    """

    intercepted_binops = frozenset({"*", "**", "%", "+"})

    def __init__(self, loader: BaseLoader, *, compiled: Compiled | None = None, **filters: Callable[..., Any]) -> None:
        super().__init__(
            loader=loader,
            bytecode_cache=compiled,
            undefined=StrictUndefined,
            autoescape=select_autoescape(enabled_extensions=("html",), default_for_string=False),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            finalize=_made,  # checks the size of a value before it becomes text
        )
        for name in _NOT_HERE:
            del self.filters[name]
        self.filters.update(filters)
        self.filters = {name: _counted(name, one) for name, one in self.filters.items()}
        self.filters |= {"_rounds": _rounds, "_made": _made}
        self.globals = {"range": _range, **{name: self.globals[name] for name in ("dict", "namespace", "joiner", "cycler")}}

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Allow no attribute of a number, those of a text that cannot lengthen it, and of other values what jinja2 holds safe."""
        if isinstance(obj, str):
            return attr in _OF_TEXTS
        return not isinstance(obj, int | float | bytes) and super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> None:
        """Offer no `format`: it is as unsafe here as every other method that can lengthen a text."""

    def call(__self, __context: TemplateValues, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: B902, N805
        """Make a call for a template and count it as work."""
        _work(1)
        return _made(super().call(__context, __obj, *args, **kwargs))

    def call_binop(self, context: TemplateValues, operator: str, left: Any, right: Any) -> Any:
        """Return the result of an operator, where it is not too large."""
        if operator == "%" and isinstance(left, str):
            _narrow(left, right)
        elif operator == "*":
            _work(_size(left) * right if isinstance(right, int) else 0)
            _work(_size(right) * left if isinstance(left, int) else 0)
        elif operator == "**" and (abs(left) > 1_000_000 or not 0 <= right <= 9):
            raise TooMuchWork("a power is too large")
        result = _made(super().call_binop(context, operator, left, right))
        if isinstance(result, int) and result.bit_length() > _NUMBER_BITS:
            raise TooMuchWork("a number is too large")
        return result

    def _load_template(self, name: str, globals: MutableMapping[str, Any] | None) -> Template:
        _work(50)
        return super()._load_template(name, globals)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parsed = super()._parse(source, name, filename)
        changed = _CountsRounds(name).visit(parsed)
        assert isinstance(changed, nodes.Template)
        return changed

    def written(self, file: str, values: dict[str, Any]) -> str:
        """Render the template of that file with these values. Raises TooMuchWork, and any error that a template can cause."""
        with measured():
            return "".join(_made(part) for part in self.get_template(file).generate(values))


@contextmanager
def measured() -> Iterator[None]:
    """Limit the work of templates that are rendered inside this context."""
    token = _left.set([WORK_MAX])
    try:
        yield
    finally:
        _left.reset(token)


class _CountsRounds(NodeTransformer):
    """Makes every loop count its rounds, and every expression that joins texts check the length of the result."""

    def __init__(self, name: str | None) -> None:
        self._name = name

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802
        if node.recursive:
            raise TemplateSyntaxError("a loop cannot be recursive here", node.lineno, self._name)
        written = sum(len(one.data) for one in node.find_all(nodes.TemplateData))
        written += sum(_size(one.value) for one in node.find_all(nodes.Const))
        self.generic_visit(node)
        node.iter = _through("_rounds", node.iter, nodes.Const(1 + written // 16))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:  # noqa: N802
        self.generic_visit(node)
        node.nodes = [_through("_made", one) for one in node.nodes]
        return _through("_made", node)

    def visit_List(self, node: nodes.List) -> nodes.Expr:  # noqa: N802
        return self._looked_at(node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Expr:  # noqa: N802
        return self._looked_at(node) if node.ctx == "load" else node

    def visit_Dict(self, node: nodes.Dict) -> nodes.Expr:  # noqa: N802
        return self._looked_at(node)

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> nodes.AssignBlock:  # noqa: N802
        self.generic_visit(node)
        node.filter = _through("_made", node.filter, line=node.lineno)
        return node

    def _looked_at(self, node: nodes.Expr) -> nodes.Expr:
        """Check the size of a list: small lists inside one another can take endless time to show or to compare."""
        self.generic_visit(node)
        return _through("_made", node)


def _through(name: str, node: nodes.Node | None, *args: nodes.Expr, line: int = 0) -> nodes.Filter:
    made = nodes.Filter(node, name, list(args), [], None, None)
    return made.set_lineno(node.lineno if node else line)  # type: ignore[return-value]


def _work(amount: int) -> None:
    left = _left.get()
    if amount > TEXT_MAX:
        raise TooMuchWork("a text becomes too long")
    if left is not None:
        left[0] -= max(amount, 0)
        if left[0] < 0:
            raise TooMuchWork("it does too much: look for a loop in a loop, or a text that grows in each round")


def _size(value: Any) -> int:
    """Count the characters and items in a value and in everything inside it. Counting ends at the limit."""
    if isinstance(value, str):
        return len(value)
    if not isinstance(value, _HOLDERS):
        return 0
    size, waiting = 0, [value]
    while waiting and size <= TEXT_MAX:
        one = waiting.pop()
        if isinstance(one, str):
            size += len(one)
        elif isinstance(one, _HOLDERS):
            inner = _inside(one)
            size += 1 + len(inner)
            if size <= TEXT_MAX:
                waiting += inner
    return size


_HOLDERS = (list, tuple, dict, Namespace)


def _inside(value: Any) -> list[Any]:
    if isinstance(value, Namespace):
        value = object.__getattribute__(value, "_Namespace__attrs")
    return [*value, *value.values()] if isinstance(value, dict) else list(value)


def _made(value: Any) -> Any:
    if (size := _size(value)) > TEXT_MAX:
        raise TooMuchWork("a text becomes too long")
    _work(size // 16)
    return value


def _rounds(values: Iterable[Any], cost: int = 1) -> Iterator[Any]:
    """Yield the values and count each round as work. cost: higher where the loop writes much."""
    for value in values:
        _work(cost)
        yield value


def _range(*bounds: int) -> range:
    rounds = range(*bounds)
    if len(rounds) > _RANGE_MAX:
        raise TooMuchWork(f"a range has more than {_RANGE_MAX} numbers")
    return rounds


def _counted(name: str, one: Callable[..., Any]) -> Callable[..., Any]:
    shape, guard = signature(one), _GUARDS.get(name)

    @wraps(one)
    def filtered(*args: Any, **kwargs: Any) -> Any:
        sizes = [_size(arg) for arg in (*args, *kwargs.values())]
        if max(sizes, default=0) > TEXT_MAX:
            raise TooMuchWork("a text becomes too long")
        _work(1 + sum(sizes) // 16)
        if guard is None:
            return _made(one(*args, **kwargs))
        given = shape.bind(*args, **kwargs)
        given.apply_defaults()
        guard(given.arguments)
        return _made(one(*given.args, **given.kwargs))

    return filtered


def _join(given: dict[str, Any]) -> None:
    given["value"] = list(_rounds(given["value"]))
    _work((_size(given["value"]) + len(given["value"]) * _size(given["d"])) // 16)
    _refuse_long(_size(given["value"]) + len(given["value"]) * _size(given["d"]))


def _replace(given: dict[str, Any]) -> None:
    _work(str(given["s"]).count(str(given["old"])) * len(str(given["new"])))


def _format(given: dict[str, Any]) -> None:
    _narrow(str(given["value"]), given["kwargs"] or tuple(given["args"]))


def _sum(given: dict[str, Any]) -> None:
    if not isinstance(given["start"], int | float):
        raise TooMuchWork("only numbers are added up")


def _round(given: dict[str, Any]) -> None:
    if abs(given["precision"]) > 20:
        raise TooMuchWork("a number has too many digits")


#: Checks to make before these filters run, because afterwards would be too late.
_GUARDS: dict[str, Callable[[dict[str, Any]], None]] = {
    "join": _join,
    "replace": _replace,
    "format": _format,
    "sum": _sum,
    "round": _round,
}


def _narrow(form: str, values: Any) -> None:
    """Refuse a format that would write a number too wide, or too much text in all."""
    if _WIDE.search(form):
        raise TooMuchWork("a number is written too wide")
    size = _size(values)
    _refuse_long(len(form) + size + form.count("%") * (1000 + (size if isinstance(values, dict) else 0)))


def _refuse_long(size: int) -> None:
    if size > TEXT_MAX:
        raise TooMuchWork("a text becomes too long")
