"""What a name, an address or a table may not make us do."""

from __future__ import annotations

import ast
import json
import subprocess
from pathlib import Path

import pytest

import harness
import results
from harness.cli import main
from harness.errors import UsageError
from harness.sides import parse_sides
from results.exchange.asv import Asv
from results.exchange.format import Commit
from results.tables import TableWriter
from tests.results.samples import reading, version

_EVALUATING = {"eval", "exec", "compile", "__import__"}
_UNPICKLING = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml"}
_PANDAS_EVALUATING = {"eval", "query", "read_pickle", "read_hdf"}
_SHELLS = {"system", "popen", "getoutput", "getstatusoutput"}
CONTROLLER = sorted(
    path
    for package in (harness, results)
    for path in Path(str(package.__path__[0])).rglob("*.py")
    if "worker" not in path.parts
)


def findings(path: Path) -> list[str]:
    """The calls and imports in a file that turn text into code, or hand it to a shell."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        found += [name for name in names if name.partition(".")[0] in _UNPICKLING]
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name) and called.id in _EVALUATING:
                found.append(called.id)
            if isinstance(called, ast.Attribute):
                owner = called.value.id if isinstance(called.value, ast.Name) else ""
                is_shell = called.attr in _SHELLS and owner in {"os", "subprocess"}
                if is_shell or called.attr in _PANDAS_EVALUATING:
                    found.append(called.attr)
            found += [
                f"{keyword.arg}=…"
                for keyword in node.keywords
                if keyword.arg in {"shell", "allow_pickle"}
                and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
            ]
    return found


@pytest.mark.parametrize("path", CONTROLLER, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_nothing_read_is_run(path: Path) -> None:
    """No file of ours that reads tables unpickles, evaluates, or asks a shell."""
    assert findings(path) == []


def test_the_search_finds_what_it_looks_for(tmp_path: Path) -> None:
    """Each kind of it, so that the test above can fail."""
    path = tmp_path / "bad.py"
    path.write_text(
        "import pickle\nfrom yaml import load\neval(x)\nframe.query(x)\nos.system(x)\n"
        "subprocess.run(x, shell=True)\nnumpy.load(x, allow_pickle=yes)\n"
    )

    assert findings(path) == [
        "pickle",
        "yaml",
        "eval",
        "query",
        "system",
        "shell=…",
        "allow_pickle=…",
    ]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository of one commit, which we stand in."""
    monkeypatch.chdir(tmp_path)
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run(["git", *identity, *words], check=True)
    return tmp_path


@pytest.mark.parametrize(
    "side",
    [
        "autograd==1; touch pwned",
        "$(touch pwned)==1",
        "`touch pwned`",
        "autograd==1 | touch pwned",
        "git:--upload-pack=touch pwned",
        "git:--output=pwned",
        "git:HEAD; touch pwned",
        "git:$(touch pwned)",
        "git:-c core.pager=touch",
        "python:$(touch pwned)",
        "git:HEAD#../elsewhere",
        "git:HEAD#/tmp",
        "-rpwned.txt",
        "--index-url=http://127.0.0.1/",
        "autograd @ https://user:secret@127.0.0.1/autograd.whl",
    ],
)
def test_a_side_is_a_name_and_nothing_else(
    repository: Path, side: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """No shell, no option, no way out of the repository, no password in a label: exit code 2."""
    code = main(["versus", "--scenario", "mlp", "--", side, "autograd==1.9.1"])

    said = capsys.readouterr().err
    assert code == 2
    assert "graphgauge: " in said
    assert "secret" not in said
    assert not (repository / "pwned").exists()


def test_a_folder_within_the_repository_is_a_side(repository: Path) -> None:
    """What is asked for properly is taken."""
    assert parse_sides(["git:HEAD#python/core", "git:HEAD"])[0].label == "git:HEAD#python/core"


@pytest.mark.parametrize("folder", ["/etc", "../evil", "a/../../evil"])
def test_bisecting_follows_no_path_out_of_a_label(
    repository: Path, folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A label in a table names the package's folder; outside of the repository it is refused."""
    with TableWriter("a.csv") as table:
        for label, level in ((f"git:HEAD#{folder}", 1.0), (f"git:main#{folder}", 1.3)):
            table.write(version(label, [level * (1 + 1e-3 * i) for i in range(10)], paired=True))

    code = main(["history", "a.csv", "--order", "appearance", "--bisect"])

    assert code == 2
    assert "outside of the repository" in capsys.readouterr().err


def test_a_name_in_a_table_is_no_option_when_it_is_bisected(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An evaluator called `--plugin=evil.py` is looked for by that name; its file is not run."""
    (repository / "evil.py").write_text("open('pwned', 'w').close()\n")
    with TableWriter("a.csv") as table:
        for label, level in (("git:HEAD", 1.0), ("git:HEAD~0", 1.3)):
            values = [level * (1 + 1e-3 * i) for i in range(10)]
            table.write(version(label, values, paired=True, evaluator="--plugin=evil.py"))

    main(["history", "a.csv", "--order", "appearance", "--bisect"])

    assert not (repository / "pwned").exists()


@pytest.mark.parametrize("machine", ["..", ".", "../..", "/etc", "a/../../b", "..\\x"])
def test_a_machine_s_name_is_no_path(machine: str) -> None:
    """asv's folder has one for each machine; none lies outside of it."""
    commit = Commit(revision="0" * 40, committed_at_ms=0)

    files = Asv().exported([reading(machine=machine)], commit).files

    assert all(".." not in Path(name).parts and not Path(name).is_absolute() for name in files)
    assert all(len(Path(name).parts) <= 2 for name in files)


@pytest.mark.parametrize(
    "content",
    [
        {"result_columns": 1, "commit_hash": 2, "results": 3},
        {"machine_info": {}, "benchmarks": [{"stats": [1]}]},
        {"context": {"graphgauge": {"a": {"readings": 10**30}}}, "benchmarks": [{"name": "a"}]},
        {"context": {}, "benchmarks": [{"name": "a", "real_time": -1.0}]},
        [{"name": "a/b", "unit": "s", "value": -1.0}],
        {"a": {"latency": {"value": -5}}},
    ],
)
def test_another_tool_s_file_may_hold_anything(
    tmp_path: Path, content: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """`import` reads it or says that it cannot, naming the file; it writes no table then."""
    path = tmp_path / "foreign.json"
    path.write_text(json.dumps(content))

    code = main(["import", str(path), "-o", str(tmp_path / "a.csv")])

    assert code == 2
    assert f"graphgauge: {path}" in capsys.readouterr().err
    assert not (tmp_path / "a.csv").exists()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"result_columns": ["result"], "commit_hash": "x", "results": {"a": [[1], 2, 3]}}, 0),
        ({"version": "1.0", "benchmarks": [{"runs": [{"values": [1.0]}]}], "metadata": 7}, 0),
        ({"version": "1.0", "benchmarks": [{"runs": {"a": 1}}]}, 3),
    ],
)
def test_what_is_odd_about_another_tool_s_file_harms_nothing(
    tmp_path: Path, content: object, code: int
) -> None:
    """What can be read of it is read; where that is nothing, the exit code is 3."""
    path = tmp_path / "foreign.json"
    path.write_text(json.dumps(content))

    assert main(["import", str(path), "-o", str(tmp_path / "a.csv")]) == code


def test_a_password_in_an_address_is_not_repeated() -> None:
    """It would stand in every row of the table."""
    with pytest.raises(UsageError, match="password or user") as caught:
        parse_sides(["x @ https://user:secret@example.org/x.whl", "x==1"])

    assert "secret" not in str(caught.value)
