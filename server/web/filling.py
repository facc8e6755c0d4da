"""How templates are filled in quickly: what is known when a template is read is written into it, and what it says goes
through as few hands as may be.
"""

from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import Any

from jinja2 import Environment, Template, nodes
from jinja2.runtime import Context
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, _escape_inner, escape  # type: ignore[attr-defined]

Writing = Callable[..., Iterable[str]]


def written(value: Any) -> str:
    """A value as it stands in a page, escaped; what is markup already stays. Text that is about to be joined needs not
    be made into markup first, as `escape` does.
    """
    kind = type(value)
    if kind is str:
        return _escape_inner(value)
    return value if kind is Markup else escape(value)


def at_once(write: Writing) -> Writing:
    """A template's or a block's text in one piece: by itself each of its pieces would pass through every template that
    it extends.
    """

    def whole(context: Context) -> Iterator[str]:
        yield "".join(write(context))

    return whole


class Whole(Template):
    """A template that hands its text on in one piece."""

    @classmethod
    def _from_namespace(
        cls, environment: Environment, namespace: MutableMapping[str, Any], globals: MutableMapping[str, Any]
    ) -> Template:
        blocks = {name: at_once(write) for name, write in namespace["blocks"].items()}
        namespace.update(blocks=blocks, root=at_once(namespace["root"]), escape=written)
        return super()._from_namespace(environment, namespace, globals)


class Known(NodeTransformer):
    """Puts what calls of known functions with written arguments say in their place: `t("Save")`, `icon("bell", 16)`."""

    def __init__(self, functions: MutableMapping[str, Callable[..., Any]]) -> None:
        self.functions = functions

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        """A call, or what it says."""
        self.generic_visit(node)
        is_written = all(isinstance(one, nodes.Const) for one in node.args)
        has_more = node.kwargs or node.dyn_args or node.dyn_kwargs
        if isinstance(node.node, nodes.Name) and node.node.name in self.functions and is_written and not has_more:
            said = self.functions[node.node.name](*(one.as_const() for one in node.args))
            return nodes.Const(said, lineno=node.lineno, environment=node.environment)
        return node


class Quick(Environment):
    """Templates of one language, compiled for speed; `known` are functions that say the same as long as we run."""

    template_class = Whole

    def __init__(self, known: MutableMapping[str, Callable[..., Any]], **options: Any) -> None:
        super().__init__(**options)
        self.known = Known(known)
        self.globals.update(known)

    def _generate(self, source: nodes.Template, *arguments: Any, **options: Any) -> str:
        return super()._generate(self.known.visit(source), *arguments, **options)
