"""The command line: exit codes, one line on standard error, and nothing but JSON under --json."""

import errno
import gzip
import json
import os
import signal
import subprocess
import sys

import pytest
from conftest import TinyEmbedder, article, write_articles

from chatbot import cli
from index.manifest import current_generation
from index.verify import verify


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Return a function that runs a command with the tiny embedder: (exit code, output, error lines)."""
    monkeypatch.setenv("FOLLOWUP_INDEX", str(tmp_path / "ix"))
    monkeypatch.setenv("FOLLOWUP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cli, "_embedder", lambda settings: TinyEmbedder(f"tiny:{settings.model}"))

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["followup", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        output, errors = capsys.readouterr()
        return ended.value.code or 0, output, errors.splitlines()

    return call


@pytest.fixture
def indexed(run, articles):
    """Index three small articles; return the function that runs commands."""
    assert run("index", articles)[0] == 0
    return run


def refused(result, code, words):
    """Assert that a command ended with this code, printed nothing, and said why in one line."""
    found, output, errors = result
    assert (found, output, len(errors)) == (code, "", 1), result
    assert errors[0].startswith("followup: ") and words in errors[0], errors


def test_index_reports_what_it_did(run, articles):
    """`index --json` prints the report of the contract, and nothing else."""
    code, output, errors = run("index", articles, "--json")
    report = json.loads(output)
    assert (code, errors) == (0, [])
    assert (report["documents"], report["added"], report["unchanged"], report["rejected"]) == (3, 3, 0, [])
    assert set(report) == {
        "documents", "passages", "added", "changed", "removed", "unchanged", "rejected", "index_version", "seconds",
    }  # fmt: skip


def test_indexing_twice_changes_nothing(indexed, articles):
    """The second run has the same version and counts everything as unchanged."""
    first = json.loads(indexed("index", articles, "--json")[1])
    second = json.loads(indexed("index", articles, "--json")[1])
    assert second["unchanged"] == 3 and second["index_version"] == first["index_version"]


def test_search_has_the_contract_s_shape(indexed):
    """`search --json` prints hits with offsets, best first."""
    code, output, errors = indexed("search", "maximum dose of baclofen", "-k", 2, "--json")
    found = json.loads(output)
    assert (code, errors, len(found["hits"])) == (0, [], 2)
    assert {"question", "standalone_question", "hits", "index_version"} <= set(found)
    assert {"passage_id", "document_id", "score", "title", "section", "text", "start", "end", "page"} <= set(
        found["hits"][0]
    )
    assert found["hits"][0]["score"] >= found["hits"][1]["score"]
    assert found["hits"][0]["document_id"] == "baclofen"


def test_ask_has_the_contract_s_shape(indexed):
    """`ask --json` prints one reply object with every field of the contract."""
    code, output, errors = indexed("ask", "What is the maximum dose of baclofen?", "--json")
    reply = json.loads(output)
    assert (code, errors) == (0, [])
    assert {
        "question", "standalone_question", "outcome", "statements", "passages", "notices", "related_questions",
        "disclaimer", "mode", "confidence", "index_version", "timings_ms",
    } <= set(reply)  # fmt: skip
    assert reply["disclaimer"] and reply["outcome"] in ("answer", "abstention", "emergency", "clarification")


def test_same_question_gives_the_same_reply(indexed):
    """Byte for byte, timings aside."""
    replies = [json.loads(indexed("ask", "Is quinine recommended for cramps?", "--json")[1]) for _ in range(2)]
    for reply in replies:
        del reply["timings_ms"]
    assert json.dumps(replies[0]) == json.dumps(replies[1])


def test_plain_output_is_text(indexed):
    """Without --json a person reads lines."""
    code, output, _ = indexed("search", "baclofen")
    assert code == 0 and output.startswith("Understood as: baclofen")
    code, output, _ = indexed("ask", "What is the maximum dose of baclofen?")
    assert code == 0 and output.strip() and not output.startswith("{")
    code, output, _ = indexed("verify")
    assert code == 0 and output.endswith("3 documents, 6 passages, all sound\n")


def test_verify_says_that_all_is_sound(indexed):
    """`verify --json` counts what was checked."""
    found = json.loads(indexed("verify", "--json")[1])
    assert found["sound"] is True and found["faults"] == [] and found["passages"] == 6


@pytest.mark.parametrize("question", ["", "   ", "\n\t"])
@pytest.mark.parametrize("command", ["ask", "search"])
def test_empty_question(indexed, command, question):
    """An empty question is refused."""
    refused(indexed(command, question), 1, "the question is empty: type one")


@pytest.mark.parametrize("command", ["ask", "search"])
def test_very_long_question(indexed, command):
    """A question of 100,000 characters is refused with both lengths."""
    refused(indexed(command, "why? " * 20_000), 1, "100,000 characters, the most is")


@pytest.mark.parametrize("command", ["ask", "search"])
def test_question_that_is_no_text(indexed, command):
    """Bytes that are no characters (they reach Python as halves of pairs) are refused."""
    refused(indexed(command, "what is \udcff"), 1, "no characters: type it again")


@pytest.mark.parametrize("arguments", [("ask", "q"), ("search", "q"), ("verify",)])
def test_no_index(run, arguments):
    """Without an index the message says how to build one."""
    refused(run(*arguments), 1, "no index in")
    assert "followup index SOURCE" in run(*arguments)[2][0]


@pytest.mark.parametrize("command", ["ask", "search"])
def test_index_of_another_model(indexed, command, monkeypatch):
    """An index of another model is refused with the command that mends it."""
    monkeypatch.setenv("FOLLOWUP_MODEL", "other")
    refused(indexed(command, "baclofen"), 1, "build it anew with 'followup index SOURCE --index")


@pytest.mark.parametrize("name", ["records.sqlite", "vectors.npy", "manifest.json", "lexical/meta.json"])
def test_damaged_index(indexed, tmp_path, name):
    """A damaged index is refused; `verify` names the fault and ends with 1; indexing again mends it."""
    path = current_generation(tmp_path / "ix") / name
    path.write_bytes(path.read_bytes()[:-7])
    refused(indexed("ask", "baclofen"), 1, "the index is damaged, build it anew with 'followup index SOURCE'")
    code, output, errors = indexed("verify")
    assert code == 1 and output == "" and errors
    assert indexed("index", tmp_path / "articles")[0] == 0
    assert indexed("verify")[0] == 0


def test_line_that_is_not_json(run, tmp_path):
    """A corpus line that is not JSON is listed; the rest is indexed; exit 0."""
    path = tmp_path / "corpus.jsonl.gz"
    good = json.dumps({"_id": "a", "title": "Heat", "text": "Drink water in the heat.", "metadata": {}})
    path.write_bytes(gzip.compress(f"{good}\n{{broken\n".encode()))
    code, output, _ = run("index", path, "--json")
    report = json.loads(output)
    assert (code, report["documents"]) == (0, 1)
    assert [entry["path"] for entry in report["rejected"]] == ["corpus.jsonl.gz:2"]


def test_two_documents_with_one_id(run, articles):
    """The second of two documents with one id is listed; exit 0."""
    (articles / "z.md").write_text(article("cramp"), "utf-8")
    code, output, _ = run("index", articles, "--json")
    assert code == 0 and [entry["path"] for entry in json.loads(output)["rejected"]] == ["z.md"]


def test_nothing_to_index(indexed, tmp_path):
    """Where nothing can be indexed the reasons are given, and the old index stands."""
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "broken.jsonl").write_text("{broken\n")
    refused(indexed("index", tmp_path / "bad"), 1, "broken.jsonl:1")
    assert json.loads(indexed("verify", "--json")[1])["documents"] == 3


def test_source_that_does_not_exist(indexed, tmp_path):
    """A source that is not there is named."""
    refused(indexed("index", tmp_path / "nowhere"), 1, "no such file or folder")
    assert indexed("verify")[0] == 0


def test_index_folder_that_is_a_file(run, articles, tmp_path):
    """An index cannot be made where a file lies."""
    (tmp_path / "file").write_text("x")
    refused(run("index", articles, "--index", tmp_path / "file"), 1, str(tmp_path / "file"))
    refused(run("ask", "baclofen", "--index", tmp_path / "file"), 1, "no index in")


def test_unknown_article(indexed):
    """An article that the index does not hold is named."""
    refused(indexed("ask", "what dose?", "--article", "no-such"), 1, "no article 'no-such' in the index")


def test_unknown_audience(indexed):
    """An audience that there is not is wrong usage."""
    refused(indexed("ask", "what dose?", "--audience", "king"), 2, "choose patient, student, nurse or physician")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "No such file"),
        ("{not json", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("{}", "must be a list"),
        ('[{"role": "king", "content": "x"}]', "must be a list"),
        ('[{"role": "user", "content": 3}]', "must be a list"),
        ('["x"]', "must be a list"),
        ("\xff\xfe", "not JSON"),
    ],
)
def test_broken_history(indexed, tmp_path, text, words):
    """A history that is no list of turns is refused with what it must be."""
    path = tmp_path / "history.json"
    if text is not None:
        path.write_text(text, "latin-1")
    refused(indexed("ask", "what dose?", "--history", path), 1, words)


def test_history_is_used(indexed, tmp_path):
    """A follow-up is resolved with the turns of the history."""
    path = tmp_path / "history.json"
    turns = [{"role": "user", "content": "Tell me about baclofen"}, {"role": "assistant", "content": "Yes. \ud800"}]
    path.write_text(json.dumps(turns))
    found = json.loads(indexed("search", "what is the maximum dose?", "--history", path, "--json")[1])
    assert "baclofen" in found["standalone_question"].lower()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nope",), "No such command 'nope'; see 'followup --help'"),
        (("ask",), "see 'followup ask --help'"),
        (("ask", "q", "--nope"), "No such option: --nope"),
        (("search", "q", "-k", "0"), "Invalid value for '-k'"),
        (("search", "q", "-k", "many"), "Invalid value for '-k'"),
        (("index",), "name at least one file or folder"),
    ],
)
def test_wrong_usage(run, arguments, words):
    """Wrong usage is exit code 2 and one line that names the help."""
    refused(run(*arguments), 2, words)


@pytest.mark.parametrize(
    ("name", "value"), [("FOLLOWUP_MAX_STATEMENTS", "many"), ("FOLLOWUP_THRESHOLD", "7"), ("FOLLOWUP_ENGINE", "steam")]
)
def test_setting_that_makes_no_sense(indexed, monkeypatch, name, value):
    """A setting that cannot be is named with its value."""
    monkeypatch.setenv(name, value)
    refused(indexed("ask", "what dose?"), 1, f"setting {name}='{value}'")


def test_unknown_model(run, articles, monkeypatch, tmp_path):
    """A model that there is not is refused before anything is built."""
    from index.embedding import load_embedder

    monkeypatch.setattr(cli, "_embedder", lambda settings: load_embedder(settings.model, cache=settings.cache))
    monkeypatch.setenv("FOLLOWUP_MODEL", "no/such-model")
    refused(run("index", articles), 1, "no embedding model 'no/such-model'")
    assert not (tmp_path / "ix" / "CURRENT").exists()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_full_disk(indexed, articles, tmp_path, monkeypatch, code):
    """A disk that fills up while building: one line, and the old index stands."""

    class Full(TinyEmbedder):
        def embed(self, texts):
            raise OSError(code, os.strerror(code))

    monkeypatch.setattr(cli, "_embedder", lambda settings: Full(f"tiny:{settings.model}"))
    write_articles(articles, {"new": article("new")})
    refused(indexed("index", articles), 1, "the disk is full: free some space and run it again; what stood before")
    assert verify(tmp_path / "ix").faults == () and verify(tmp_path / "ix").documents == 3


def test_interrupt(indexed, articles, tmp_path, monkeypatch):
    """Ctrl-C while building: one line, and the old index stands."""

    class Interrupted(TinyEmbedder):
        def embed(self, texts):
            raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_embedder", lambda settings: Interrupted(f"tiny:{settings.model}"))
    write_articles(articles, {"new": article("new")})
    refused(indexed("index", articles), 1, "stopped; what stood before still stands")
    assert verify(tmp_path / "ix").faults == () and verify(tmp_path / "ix").documents == 3


def test_interrupt_of_a_process(environment, tmp_path):
    """SIGINT to a real process that builds with the real model: exit 1, one line, no index left half made."""
    folder = write_articles(tmp_path / "a", {f"n{n}": article(f"n{n}", words=f"Word {n}. " * 60) for n in range(120)})
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from chatbot.cli import main; main()",
            "index",
            str(folder),
            "--index",
            str(tmp_path / "ix"),
        ],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (tmp_path / "ix" / "vectors.sqlite").exists():
        assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (1, "")
    assert errors == "followup: stopped; what stood before still stands\n"
    assert list((tmp_path / "ix" / "generations").iterdir()) == []


def test_output_is_utf_8_in_any_locale(environment, articles, tmp_path):
    """JSON is UTF-8 also where the locale is not; a closed pipe is no traceback."""
    environment |= {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    (articles / "cramp.md").write_text(article("cramp", words="Œdème ≥ 3 cm – µg.", title="Œdème"), "utf-8")
    command = [sys.executable, "-c", "from chatbot.cli import main; main()"]
    index = ["--index", str(tmp_path / "ix")]
    subprocess.run([*command, "index", str(articles), *index], env=environment, check=True, capture_output=True)
    done = subprocess.run(
        [*command, "search", "stretch the calf", "-k", "9", "--json", *index], env=environment, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert "Œdème ≥ 3 cm – µg." in {hit["text"] for hit in json.loads(done.stdout.decode("utf-8"))["hits"]}
    assert done.stderr == b""


def test_no_arguments_show_the_help(run):
    """The bare command shows its help; that is wrong usage all the same."""
    code, output, errors = run()
    assert code == 2 and "Usage" in output and errors == []


def test_keep_leaves_an_index_of_other_sources(indexed, tmp_path):
    """`--keep` never replaces what someone else indexed there."""
    other = write_articles(tmp_path / "other", {"other": article("other")})
    code, output, errors = indexed("index", other, "--keep")
    assert (code, output) == (0, "") and "holds other sources" in errors[0]
    assert json.loads(indexed("verify", "--json")[1])["documents"] == 3


NO_SOCKETS = """
import socket, sys
def refuse(*args, **kwargs):
    raise AssertionError("network: " + repr(args[:2]))
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.gethostbyname = refuse
socket.create_connection = socket.socket.sendto = refuse
from chatbot.cli import main
for arguments in (["index", sys.argv[1]], ["search", "baclofen dose", "--json"],
                  ["ask", "What is the maximum dose of baclofen?", "--json"], ["verify"]):
    sys.argv = ["followup", *arguments]
    try:
        main()
    except SystemExit as ended:
        if ended.code:
            raise
print("no network")
"""


def test_nothing_looks_at_the_network(environment, articles, tmp_path):
    """Index, search, ask and verify in the default configuration open no connection and ask for no name."""
    environment |= {"FOLLOWUP_INDEX": str(tmp_path / "ix")}
    done = subprocess.run(
        [sys.executable, "-c", NO_SOCKETS, str(articles)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("no network\n") and done.stderr == ""


@pytest.mark.parametrize(
    ("decision", "code", "said"),
    [
        (["under_review"], 0, "under_review"),
        (["approved"], 1, "has to be under_review"),
        (["nonsense"], 1, "is no review status"),
    ],
)
def test_a_review_is_set_step_by_step(tmp_path, environment, decision, code, said):
    """Each decision is one step; a wrong one is refused in one line."""
    write_articles(tmp_path / "articles", {"cramp": article("cramp")})
    command = [sys.executable, "-c", "from chatbot.cli import main; main()"]
    given = ["review", "set", "cramp", *decision, "--reviewer", "Dr A", "--articles", str(tmp_path / "articles")]
    done = subprocess.run([*command, *given], env=environment, capture_output=True, text=True)
    assert done.returncode == code
    assert said in done.stdout + done.stderr and (done.stdout + done.stderr).count("\n") == 1


def test_an_audit_needs_no_index_and_names_a_dangling_mark(tmp_path, environment):
    """Marks [1] and [3] with a list of one: the second leads nowhere."""
    text = "---\nid: a\ntitle: Cramp\nreferences:\n  - {title: Leg cramps, year: 2012}\n---\n\nStretch it. [1] Do not. [3]\n"
    (tmp_path / "a.md").write_text(text)
    command = [sys.executable, "-c", "from chatbot.cli import main; main()", "audit", str(tmp_path / "a.md"), "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    (document,) = json.loads(done.stdout)["documents"]
    assert (document["references"], document["markers"]) == (1, 2)
    assert ("dangling_citation", 3) in [(found["code"], found["number"]) for found in document["findings"]]


def test_only_approved_articles_answer_when_that_is_required(tmp_path, environment):
    """An article that nobody approved is kept out of answers, and the answer is a plain no."""
    write_articles(tmp_path / "articles", {"cramp": article("cramp")})
    index = ["--index", str(tmp_path / "index")]
    command = [sys.executable, "-c", "from chatbot.cli import main; main()"]
    subprocess.run(
        [*command, "index", str(tmp_path / "articles"), *index], env=environment, check=True, capture_output=True
    )
    asked = [*command, "ask", "How is cramp treated?", "--json", *index]
    free = json.loads(subprocess.run(asked, env=environment, check=True, capture_output=True).stdout)
    held = json.loads(
        subprocess.run([*asked, "--require-approved"], env=environment, check=True, capture_output=True).stdout
    )
    assert (free["outcome"], held["outcome"]) == ("answer", "abstention")
