"""What may stand in the place of a piece of code: small mistakes that a test would notice.

Messages, annotations, imports, decorators and what only prints are left alone.
"""

import ast
from collections.abc import Iterator

COMPARED = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
RECKONED = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
PAIRS = [
    *(("min", "max"), ("any", "all"), ("amin", "amax"), ("argmin", "argmax")),
    *(("minimum", "maximum"), ("floor", "ceil"), ("sin", "cos"), ("zeros", "ones")),
    *(("zeros_like", "ones_like"), ("clamp_min", "clamp_max"), ("cumsum", "cumprod")),
]
CALLED = {a: b for pair in PAIRS for a, b in (pair, pair[::-1])}
METHODS = CALLED | {"sum": "mean", "mean": "sum"}
"""The sum of Python has no mean beside it."""

NUMBERS = ("Float[", "Int[", "Shaped[", "Tensor", "float", "int")

Change = tuple[ast.AST, str]
"""A node, and the text in its place."""


def changes(node: ast.AST) -> Iterator[Change]:
    """Every change of one node; those of its children are their own."""
    match node:
        case ast.Compare():
            yield from _compared(node)
        case ast.BinOp(op=op) if type(op) in RECKONED and not _is_text(node):
            yield node, _code(ast.BinOp(node.left, RECKONED[type(op)](), node.right))
        case ast.BoolOp(op=op, values=values):
            swapped = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield node, _code(ast.BoolOp(swapped, values))
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert(), operand=operand):
            yield node, _code(operand)
        case ast.Constant(value=value):
            yield from ((node, repr(other)) for other in _other_constants(value))
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            yield from _negated([test])
        case ast.comprehension(ifs=tests):
            yield from _negated(tests)
        case ast.Slice(lower=lower, upper=upper, step=step):
            if lower:
                yield node, ast.unparse(ast.Slice(None, upper, step))
            if upper:
                yield node, ast.unparse(ast.Slice(lower, None, step))
        case ast.Call(func=ast.Name(id=name)) if name in CALLED:
            yield node.func, CALLED[name]
        case ast.Call(func=ast.Attribute(value=value, attr=name)) if name in METHODS:
            yield node.func, f"{_code(value)}.{METHODS[name]}"
        case ast.Break():
            yield node, "continue"
        case ast.Continue():
            yield node, "break"
        case ast.FunctionDef():
            yield from _in_the_body(node)
        case ast.Expr(value=ast.Call()) | ast.AugAssign():
            yield node, "pass"
        case _:
            pass


def _compared(node: ast.Compare) -> Iterator[Change]:
    for place, op in enumerate(node.ops):
        ops = [*node.ops]
        ops[place] = COMPARED[type(op)]()
        yield node, _code(ast.Compare(node.left, ops, node.comparators))


def _negated(tests: list[ast.expr]) -> Iterator[Change]:
    """Where the change of an operator does not say the same."""
    for test in tests:
        match test:
            case ast.UnaryOp(op=ast.Not()):
                pass
            case ast.Compare(ops=[ast.Eq() | ast.NotEq() | ast.Is() | ast.IsNot()]):
                pass
            case ast.Compare(ops=[ast.In() | ast.NotIn()]):
                pass
            case _:
                yield test, f"(not {_code(test)})"


def _other_constants(value: object) -> list[object]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int | float):
        others = dict.fromkeys((value + 1, value - 1, 2 * value))
        return [other for other in others if other != value]
    return []


def _in_the_body(function: ast.FunctionDef) -> Iterator[Change]:
    """What needs the function around it: the sign of what is returned, and names set anew."""
    returned = ast.unparse(function.returns) if function.returns else ""
    known = {arg.arg for arg in ast.walk(function.args) if isinstance(arg, ast.arg)}
    for node in _own_nodes(function):
        if isinstance(node, ast.Return) and node.value:
            if returned.startswith(NUMBERS) and not isinstance(node.value, ast.Constant):
                yield node.value, f"(-{_code(node.value)})"
            if returned == "bool":
                yield node.value, f"(not {_code(node.value)})"
        if isinstance(node, ast.Assign):
            stored = [each for target in node.targets for each in ast.walk(target)]
            names = {each.id for each in stored if isinstance(each, ast.Name)}
            if names <= known or not all(isinstance(t, ast.Name | ast.Tuple) for t in node.targets):
                yield node, "pass"
            known |= names


def _own_nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Without those of functions inside, in the order of the text."""
    rest: list[ast.AST] = list(function.body)
    while rest:
        node = rest.pop(0)
        yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            rest[:0] = ast.iter_child_nodes(node)


def _is_text(node: ast.BinOp) -> bool:
    sides = (node.left, node.right)
    return any(
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in sides
    )


def _code(node: ast.AST) -> str:
    text = ast.unparse(node)
    simple = isinstance(node, ast.Name | ast.Constant | ast.Call | ast.Attribute | ast.Subscript)
    return text if simple else f"({text})"


def left_alone(node: ast.AST, parent: ast.AST) -> bool:
    """What no test should be asked about, with all that is in it."""
    match node:
        case ast.Raise() | ast.JoinedStr() | ast.Import() | ast.ImportFrom():
            return True
        case ast.FunctionDef(name="__repr__" | "__str__"):
            return True
        case ast.FunctionDef(decorator_list=decorators) if "overload" in map(_word, decorators):
            return True
        case ast.ClassDef(bases=bases) if "Protocol" in map(_word, bases):
            return True
        case ast.If(test=test) if _word(test) == "TYPE_CHECKING":
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.AnnAssign(annotation=annotation) if _word(annotation) == "TypeAlias":
            return True
        case ast.Subscript(value=value) if _word(value) in {"Literal", "Float", "Int", "Bool"}:
            return True
        case ast.Call(func=func) if _word(func) in {"TypeVar", "warn", "cast", "isinstance"}:
            return _word(func) != "isinstance" or any(map(_is_union, ast.walk(node)))
        case ast.keyword(arg="strict"):  # two lengths that are equal anyway
            return True
        case _:
            return _is_declared(node, parent)


def _is_declared(node: ast.AST, parent: ast.AST) -> bool:
    """Annotations, decorators, base classes, and unions of types."""
    match parent:
        case ast.FunctionDef(returns=returns, decorator_list=decorators):
            return node is returns or node in decorators
        case ast.ClassDef(bases=bases, keywords=keywords, decorator_list=decorators):
            return node in bases or node in keywords or node in decorators
        case ast.arg(annotation=annotation) | ast.AnnAssign(annotation=annotation):
            return node is annotation
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return node is value and name[0].isupper() and _is_union(value)
        case _:
            return False


def _is_union(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr)


def _word(node: ast.AST) -> str:
    """The last name of an expression such as ``typing.overload`` or ``Protocol[T]``."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=inner) | ast.Call(func=inner):
            return _word(inner)
        case _:
            return ""
