"""The file as a page: its length, its width, its sections, its comments, and what it may import."""
import ast
import builtins
import io
import re
import sys
import tokenize

import pytest
from conftest import SOURCE

LINES = SOURCE.split("\n")[:-1]
TREE = ast.parse(SOURCE)
MARKERS = [(i, line) for i, line in enumerate(LINES) if line.startswith("# %%")]
TITLES = ["Setup", "Data and tokens", "Autograd", "Parameters", "Forward pass", "Loss", "Backward pass", "Adam",
          "Training loop", "Inference", "Encore: explicit backprop", "The speed of the two"]


def tokens():
    return tokenize.generate_tokens(io.StringIO(SOURCE).readline)


def comments():
    return [token for token in tokens() if token.type == tokenize.COMMENT]


def test_the_twelve_sections_stand_in_the_learners_order_under_ruled_markers_of_one_width():
    assert [re.fullmatch(r"# %% (\d+)\. (.+?) -+", line).groups() for _, line in MARKERS] == [
        (str(number), title) for number, title in enumerate(TITLES, start=1)]
    assert {len(line) for _, line in MARKERS} == {120}


def test_under_each_marker_stand_lines_of_orientation():
    for at, line in MARKERS:
        below = LINES[at + 1:]
        length = next(i for i, text in enumerate(below) if not text.startswith("#"))
        assert 2 <= length <= 9, line


def test_the_file_has_at_most_430_lines_340_of_them_neither_blank_nor_a_comment_alone():
    assert len(LINES) <= 430
    assert len([line for line in LINES if line.strip() and not line.strip().startswith("#")]) <= 340


def test_the_setup_takes_at_most_35_lines():
    assert MARKERS[1][0] - MARKERS[0][0] <= 35


def test_no_line_is_wider_than_120_columns_or_ends_in_space_or_holds_a_tab_or_a_semicolon():
    assert max(map(len, LINES)) <= 120
    assert not [line for line in LINES if line != line.rstrip() or "\t" in line]
    assert not [token.start for token in tokens() if token.type == tokenize.OP and token.string == ";"]
    assert SOURCE.endswith("\n") and not SOURCE.endswith("\n\n")


def test_comments_beside_the_code_stand_in_one_column():
    beside = [token for token in comments() if LINES[token.start[0] - 1][:token.start[1]].strip()]
    assert len({token.start[1] for token in beside}) == 1
    assert len(beside) > 80
    assert all(token.string.startswith("# ") for token in comments())


def test_comments_alone_in_a_line_begin_with_the_code_they_speak_of():
    alone = [token for token in comments() if not LINES[token.start[0] - 1][:token.start[1]].strip()]
    assert {token.start[1] for token in alone} <= {0, 4}


def test_only_the_standard_library_is_imported():
    imported = set()
    for node in ast.walk(TREE):
        if isinstance(node, ast.Import):
            imported |= {name.name.split(".")[0] for name in node.names}
        if isinstance(node, ast.ImportFrom):
            imported.add(node.module.split(".")[0])
    assert imported
    assert imported <= sys.stdlib_module_names
    assert not imported & {"ctypes", "cffi", "subprocess", "socket", "urllib", "multiprocessing"}


def test_every_import_is_used():
    names = [name.name for node in TREE.body if isinstance(node, ast.Import) for name in node.names]
    for name in names:
        assert re.search(rf"\b{name}\.", SOURCE), name


def test_the_engine_is_one_class_of_at_most_45_lines_whose_last_line_is_the_chain_rule():
    engine, = [node for node in TREE.body if isinstance(node, ast.ClassDef)]
    assert engine.name == "Value"
    assert engine.end_lineno - engine.lineno + 1 <= 45
    assert LINES[engine.end_lineno - 1].split("#")[0].strip() == "child.grad += local_grad * node.grad"


def test_no_function_is_longer_than_45_lines():
    functions = [node for node in ast.walk(TREE) if isinstance(node, ast.FunctionDef)]
    assert len(functions) > 30
    assert {node.name: length for node in functions if (length := node.end_lineno - node.lineno + 1) > 45} == {}


def test_the_story_is_told_at_module_level_without_main_or_name_guard():
    functions = {node.name for node in ast.walk(TREE) if isinstance(node, ast.FunctionDef)}
    assert "main" not in functions
    assert '"__main__"' not in SOURCE
    assert [node for node in TREE.body if isinstance(node, (ast.For, ast.Try))]


def test_the_choice_of_the_fast_engine_is_asked_for_in_one_place():
    assert SOURCE.count("chosen.fast") == 1


def test_an_older_python_can_read_the_file_far_enough_to_refuse():
    assert ast.parse(SOURCE, feature_version=(3, 8))


def test_every_global_name_a_function_uses_is_defined_somewhere_at_module_level():
    """What a linter would say: no misspelt name waits in a branch that a run does not reach."""
    symtable = pytest.importorskip("symtable")  # PyPy has none
    table = symtable.symtable(SOURCE, "microgpt.py", "exec")
    known = set(table.get_identifiers()) | set(dir(builtins)) | {"__file__"}

    def visit(scope):
        for symbol in scope.get_symbols():
            if symbol.is_global() or scope is table:
                assert symbol.get_name() in known, (scope.get_name(), symbol.get_name())
        for child in scope.get_children():
            visit(child)

    visit(table)
