"""The file as a page: its sections, its width, its comments, its length."""
import ast
import builtins
import io
import tokenize

import pytest
from conftest import SOURCE

CODE_LINES = 332
TITLES = ["Setup", "Data and tokens", "Autograd", "Parameters", "Forward pass", "Loss", "Backward pass",
          "Adam", "Training loop", "Inference", "Encore: explicit backprop", "The two engines compared"]
LINES = SOURCE.split("\n")
TREE = ast.parse(SOURCE)
TOKENS = list(tokenize.generate_tokens(io.StringIO(SOURCE).readline))
SILENT = {getattr(tokenize, kind) for kind in ("COMMENT", "NL", "NEWLINE", "INDENT", "DEDENT", "ENDMARKER")}


def test_the_twelve_sections_stand_in_order_under_ruled_markers():
    markers = [line for line in LINES if line.startswith("# %%")]
    expected = [f"# %% {number}. {title} ".ljust(99, "-") for number, title in enumerate(TITLES, start=1)]
    assert markers == expected


def test_no_line_is_wide_or_ends_in_space_or_holds_a_tab_or_a_semicolon():
    assert max(map(len, LINES)) <= 99
    assert not [line for line in LINES if line != line.rstrip() or "\t" in line]
    assert SOURCE.endswith("\n") and not SOURCE.endswith("\n\n")
    assert not [token.line for token in TOKENS if token.type == tokenize.OP and token.string == ";"]


def test_comments_beside_the_code_stand_in_one_column_and_all_others_before_it():
    columns = {"beside": set(), "alone": set()}
    for token in TOKENS:
        if token.type == tokenize.COMMENT:
            alone = not token.line[:token.start[1]].strip()
            columns["alone" if alone else "beside"].add(token.start[1])
            assert token.string.startswith("# ") or token.string == "#"
    assert len(columns["beside"]) == 1
    assert columns["alone"] <= {0, 4, 8}


def test_every_import_is_used():
    imported = {name.name for node in TREE.body if isinstance(node, ast.Import) for name in node.names}
    used = {node.id for node in ast.walk(TREE) if isinstance(node, ast.Name)}
    assert imported and imported <= used


def test_neither_the_class_nor_a_function_is_longer_than_45_lines():
    blocks = [node for node in ast.walk(TREE) if isinstance(node, (ast.ClassDef, ast.FunctionDef))]
    assert [node.name for node in blocks if isinstance(node, ast.ClassDef)] == ["Value"]
    assert [node.name for node in blocks if node.end_lineno - node.lineno >= 45] == []


def test_the_lines_of_code_are_few():
    spans = [range(token.start[0], token.end[0] + 1) for token in TOKENS if token.type not in SILENT]
    assert len({line for span in spans for line in span}) <= CODE_LINES


def test_the_data_are_read_within_the_first_45_lines():
    reading, = [node for node in ast.walk(TREE) if getattr(node, "attr", "") == "read_text"]
    assert reading.end_lineno <= 45


def test_an_older_python_can_read_the_file():
    assert ast.parse(SOURCE, feature_version=(3, 8))


def test_no_misspelt_name_waits_where_a_run_may_not_come_by():
    """Every global name that a function uses is defined somewhere at the level of the module."""
    symtable = pytest.importorskip("symtable")  # PyPy has none
    table = symtable.symtable(SOURCE, "microgpt.py", "exec")
    known = set(table.get_identifiers()) | set(dir(builtins))
    scopes = [table]
    for scope in scopes:
        scopes += scope.get_children()
        used = {symbol.get_name() for symbol in scope.get_symbols() if symbol.is_global() or scope is table}
        assert used <= known, scope.get_name()
