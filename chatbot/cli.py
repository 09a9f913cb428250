"""The command `followup …`: arguments in, JSON or plain lines out, exit codes 0, 1 and 2.

Is: the edge where errors become one line on standard error. Is not: logic; each command calls one function.
Heavy modules are imported inside the commands, so that none waits for what it does not use.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    help="Follow-up questions on clinical guideline articles, answered in quotes that are checked.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
review_app = typer.Typer(help="See and set how far the human review of articles has come.", no_args_is_help=True)
app.add_typer(review_app, name="review")
feedback_app = typer.Typer(help="What readers said of answers.", no_args_is_help=True)
app.add_typer(feedback_app, name="feedback")

IndexOption = Annotated[Path | None, typer.Option("--index", help="Folder of the index.", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
ApprovedOption = Annotated[
    bool, typer.Option("--require-approved", help="Use only articles whose review status is approved.")
]
HistoryOption = Annotated[Path | None, typer.Option("--history", help="JSON list of {role, content}, oldest first.")]


class Refused(Exception):
    """What the user gave cannot be used; exit code 1 (or 2 for wrong usage)."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def main() -> None:
    """Run the command line; the entry point of the package."""
    from chatbot.quiet import quiet_libraries

    quiet_libraries()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # UTF-8 whatever the locale says; half a character becomes "?".
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    try:
        with _one_line_errors():
            code = app(prog_name="followup", standalone_mode=False)
            if code == _INTERRUPTED:
                raise KeyboardInterrupt
            sys.stdout.flush()
    except Refused as error:
        print(f"followup: {error}", file=sys.stderr)
        raise SystemExit(error.code) from None
    except BrokenPipeError:
        # The reader of a pipe went away ("followup search … | head -1"). What Python would still flush goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except Exception as error:
        # A fault of ours. What it says may hold the question, and crash reports are sent around.
        import traceback

        from chatbot.understand.privacy import mask

        print(mask("".join(traceback.format_exception(error))), end="", file=sys.stderr)
        raise SystemExit(1) from None
    raise SystemExit(code)


@app.command("index")
def index_command(
    sources: Annotated[list[Path] | None, typer.Argument(help="Files and folders.", show_default=False)] = None,
    index: IndexOption = None,
    shipped: Annotated[bool, typer.Option("--shipped", help="Index the articles that come with the program.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave an index of other sources as it is.")] = False,
    engine: Annotated[
        str | None, typer.Option("--engine", help="auto, onnx or torch; ray or ray://HOST:PORT to embed on Ray.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Build or update the index so that it holds exactly these sources."""
    from corpus.load import shipped_articles
    from index.build import NothingToIndex, build
    from index.ray_engine import embed_on_ray, is_ray

    paths = [*(sources or []), *([shipped_articles()] if shipped else [])]
    if not paths:
        raise Refused("name at least one file or folder, or --shipped", code=2)
    on_ray = engine is not None and is_ray(engine)
    settings = _settings(index=index, engine=None if on_ray else engine)
    if keep and _holds_others(settings.index, paths):
        print(f"followup: {settings.index} holds other sources and is left as it is", file=sys.stderr)
        return
    with _progress() as on_progress:
        embedder = _embedder(settings)
        try:
            if on_ray:
                embed_on_ray(
                    paths,
                    settings.index,
                    embedder,
                    address=engine or "",
                    model=settings.model,
                    cache=settings.cache,
                    engine=settings.engine,
                    tell=on_progress,
                )
            report = build(
                paths,
                settings.index,
                embedder,
                model=settings.model,
                store=settings.store,
                on_progress=on_progress,
            )
        except NothingToIndex as error:
            reasons = "; ".join(f"{entry.path}: {entry.reason}" for entry in error.rejected[:3])
            raise Refused(f"{error}{f' ({reasons})' if reasons else ''}; the index is as it was") from error
    if as_json:
        _print_json(
            {
                "documents": report.documents,
                "passages": report.passages,
                "added": report.added,
                "changed": report.changed,
                "removed": report.removed,
                "unchanged": report.unchanged,
                "rejected": [{"path": entry.path, "reason": entry.reason} for entry in report.rejected],
                "index_version": report.index_version,
                "seconds": report.seconds,
            }
        )
        return
    print(
        f"{report.documents} documents, {report.passages} passages: {report.added} added, {report.changed} changed, "
        f"{report.removed} removed, {report.unchanged} unchanged, {len(report.rejected)} rejected; "
        f"index {report.index_version} in {report.seconds:.1f} s"
    )
    for entry in report.rejected:
        print(f"  rejected {entry.path}: {entry.reason}")


@app.command("search")
def search_command(
    question: str,
    history: HistoryOption = None,
    limit: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many passages.")] = 10,
    index: IndexOption = None,
    require_approved: ApprovedOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find the passages for a question."""
    from chatbot.ask import search

    found = search(
        _chatbot(_settings(index=index, require_approved=require_approved or None)), question, _history(history), limit
    )
    if as_json:
        _print_json(found)
        return
    print(f"Understood as: {found['standalone_question']}")
    for place, hit in enumerate(found["hits"], 1):
        print(
            f"{place:3}. {hit['score']:.3f}  {' › '.join([hit['title'], *hit['section']])}\n     {_short(hit['text'])}"
        )


@app.command("ask")
def ask_command(
    question: str,
    history: HistoryOption = None,
    article: Annotated[str | None, typer.Option("--article", help="Id of the article it stands on.")] = None,
    audience: Annotated[str, typer.Option("--audience", help="patient, student, nurse or physician.")] = "physician",
    index: IndexOption = None,
    require_approved: ApprovedOption = False,
    as_json: JsonOption = False,
) -> None:
    """Answer a question, in quotes."""
    from chatbot.present.text import as_text
    from chatbot.replies import to_dict

    if audience not in ("patient", "student", "nurse", "physician"):
        raise Refused(f"no audience {audience!r}: choose patient, student, nurse or physician", code=2)
    turns = _history(history)
    bot = _chatbot(_settings(index=index, require_approved=require_approved or None))
    _say_what_leaves(bot)
    reply = bot.reply(question, turns, article=article, audience=audience)
    if as_json:
        _print_json(to_dict(reply))
    else:
        print(as_text(reply))


@app.command("eval")
def eval_command(
    questions: Annotated[list[Path], typer.Argument(help="Question sets, JSON Lines.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.")],
    index: IndexOption = None,
    require_approved: ApprovedOption = False,
    search_only: Annotated[bool, typer.Option("--search-only", help="Measure retrieval only.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an interrupted run stopped.")] = False,
    compare: Annotated[Path | None, typer.Option("--compare", help="Results of another run to compare with.")] = None,
    mode: Annotated[str | None, typer.Option("--mode", help="extractive or llm; otherwise as set.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure answers and retrieval over question sets."""
    from chatbot.ask import BatchAnswerer
    from chatbot.evaluation.questions import EvaluationFault, read_questions
    from chatbot.evaluation.run import evaluate, terminal_progress

    if mode not in (None, "extractive", "llm"):
        raise Refused(f"no mode {mode!r}: choose extractive or llm", code=2)
    try:
        asked = read_questions(questions)
        settings = _settings(index=index, require_approved=require_approved or None)
        if mode == "extractive":
            settings = settings.model_copy(update={"llm": None})
        elif mode == "llm" and settings.llm is None:
            raise Refused("--mode llm needs a language model: set FOLLOWUP_LLM=provider:model", code=2)
        bot = _chatbot(settings)
        if not search_only:
            _say_what_leaves(bot)
        answerer = BatchAnswerer(bot)
        with terminal_progress() as progress:
            metrics = evaluate(
                asked,
                answerer=answerer,
                out=out,
                search_only=search_only,
                resume=resume,
                compare=compare,
                progress=progress,
            )
    except EvaluationFault as error:
        raise Refused(str(error)) from error
    if as_json:
        _print_json(metrics)
    else:
        print((out / "report.md").read_text(encoding="utf-8"))


@app.command("bench")
def bench_command(
    sources: Annotated[
        list[Path] | None, typer.Argument(metavar="[CORPUS]...", help="Files and folders.", show_default=False)
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the results.", show_default=False)] = None,
    questions: Annotated[list[Path] | None, typer.Option("--questions", help="Question sets, JSON Lines.")] = None,
    against: Annotated[
        list[Path] | None, typer.Option("--against", help="Program of another side, e.g. the plain pipeline.")
    ] = None,
    runs: Annotated[int, typer.Option("--runs", min=1, max=100, help="How often each side is measured.")] = 3,
    sample: Annotated[int | None, typer.Option("--sample", min=1, help="Take so many documents only.")] = None,
    compare: Annotated[
        Path | None, typer.Option("--compare", help="Results of an older run; then CORPUS may be a newer one's.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure speed, memory and quality, beside another program; or compare two such runs."""
    from chatbot.bench.command import bench, changes, shown, shown_changes
    from chatbot.bench.figures import BenchFault
    from chatbot.evaluation.questions import EvaluationFault
    from index.weights import find_model

    if compare is not None and out is None and len(sources or []) != 1:
        raise Refused("--compare OLD needs NEW, another run's folder; or a CORPUS and --out to run it now", code=2)
    if compare is None and (out is None or not sources):
        raise Refused("name a CORPUS and --out FOLDER, or --compare OLD NEW", code=2)
    try:
        found: dict[str, Any] = {}
        if out is not None:
            found = bench(
                sources or [],
                out,
                questions=questions or [],
                against=against or [],
                model_folder=find_model(_settings().model).folder,
                runs=runs,
                sample=sample,
                tell=lambda line: print(f"followup: {line}", file=sys.stderr),
            )
        rows = changes(compare, out or (sources or [])[0]) if compare is not None else []
    except (BenchFault, EvaluationFault) as error:
        raise Refused(str(error)) from error
    if as_json:
        _print_json({**found, **({"changes": rows} if compare else {})})
    else:
        print("\n\n".join([*([shown(found)] if found else []), *([shown_changes(rows)] if compare else [])]))
    regressions = [row for row in rows if row["regression"]]
    for row in regressions:
        print(f"followup: {row['side']}: {row['measure']} is worse: {1 / row['times_better']:.2f} ×", file=sys.stderr)
    if regressions:
        raise SystemExit(1)


@app.command("audit")
def audit_command(
    sources: Annotated[list[Path], typer.Argument(help="Files and folders.")], as_json: JsonOption = False
) -> None:
    """Audit the citations of documents; no index is needed."""
    from corpus.audit import audit
    from corpus.load import load

    found = audit(load(sources))
    if as_json:
        _print_json(found)
        return
    for document in found["documents"]:
        print(f"{document['path']}: {document['references']} references, {document['markers']} markers")
        for finding in document["findings"]:
            number = "" if finding.get("number") is None else f" {finding['number']}"
            print(f"  {finding['code']}{number}: {_short(finding['text'])}")
    for entry in found["rejected"]:
        print(f"{entry['path']}: not read, {entry['reason']}")


@app.command("verify")
def verify_command(index: IndexOption = None, as_json: JsonOption = False) -> None:
    """Check every byte of the index, and that every passage finds itself."""
    from index.verify import verify

    settings = _settings(index=index)
    found = verify(settings.index, settings.store)
    if as_json:
        _print_json(
            {
                "index_version": found.index_version,
                "documents": found.documents,
                "passages": found.passages,
                "files": found.files,
                "sound": not found.faults,
                "faults": list(found.faults),
            }
        )
    elif not found.faults:
        print(f"index {found.index_version}: {found.documents} documents, {found.passages} passages, all sound")
    for fault in found.faults:
        print(f"followup: {fault}", file=sys.stderr)
    if found.faults:
        raise SystemExit(1)


@app.command("serve")
def serve_command(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 7860,
    index: IndexOption = None,
    require_approved: ApprovedOption = False,
    passwords: Annotated[
        Path | None, typer.Option("--passwords", help="Ask for a login; the file 'followup passwd' writes.")
    ] = None,
    mcp: Annotated[bool, typer.Option("--mcp", help="Serve ask and search as MCP tools, too, at /mcp.")] = False,
) -> None:
    """Serve the page."""
    from app import serve

    try:
        serve(
            _settings(index=index, require_approved=require_approved or None, passwords=passwords),
            host=host,
            port=port,
            mcp=mcp,
        )
    except ValueError as error:
        if not str(error).startswith("password file"):
            raise
        raise Refused(str(error)) from error


ArticlesOption = Annotated[
    list[Path] | None,
    typer.Option("--articles", help="File or folder of articles (default: the shipped ones).", show_default=False),
]


@review_app.command("list")
def review_list(articles: ArticlesOption = None, as_json: JsonOption = False) -> None:
    """List articles with their review status."""
    from corpus.review import states

    found = list(states(_articles(articles)))
    if as_json:
        _print_json({"articles": [row.to_dict() for row in found]})
        return
    for row in found:
        edited = f" (edited since {row.stated})" if row.is_outdated else ""
        print(f"{row.status:12} {row.id:40} {row.title}{edited}")


@review_app.command("show")
def review_show(article: str, articles: ArticlesOption = None, as_json: JsonOption = False) -> None:
    """Show where one article, by id or file, stands, and the decisions that led there."""
    from dataclasses import asdict

    from corpus.review import LOG_NAME, find, read_log, state

    path = find(_articles(articles), article)
    found = state(path)
    decisions = [entry for entry in read_log(path.parent / LOG_NAME) if entry.article == found.id]
    if as_json:
        _print_json({**found.to_dict(), "decisions": [asdict(entry) for entry in decisions]})
        return
    edited = f"; its file says {found.stated}, but the text was edited since" if found.is_outdated else ""
    print(f"{found.id}: {found.status}{edited}")
    for entry in decisions:
        print(f"  {entry.at}  {entry.old} → {entry.new}  {entry.reviewer}{f'  {entry.note}' if entry.note else ''}")


@review_app.command("set")
def review_set(
    article: str,
    status: Annotated[str, typer.Argument(help="submitted, under_review or approved.")],
    reviewer: Annotated[str, typer.Option("--reviewer", help="Name of the person who decided.")],
    note: Annotated[str, typer.Option("--note", help="Why, in a line.")] = "",
    articles: ArticlesOption = None,
) -> None:
    """Set an article's review status in its front matter and its log; run `followup index` afterwards."""
    from datetime import UTC, datetime

    from corpus.review import find, set_status

    found = set_status(find(_articles(articles), article), status, reviewer=reviewer, now=datetime.now(UTC), note=note)
    print(f"{found.id}: {found.status}")


def _articles(given: list[Path] | None) -> list[Path]:
    from corpus.load import shipped_articles

    return given or [shipped_articles()]


@feedback_app.command("export")
def feedback_export(
    out: Annotated[Path, typer.Option("--out", help="File to write, JSON Lines.")],
    conversations: Annotated[
        str | None, typer.Option("--conversations", help="Database URI of the conversations.", show_default=False)
    ] = None,
) -> None:
    """Write judged answers as a question set for `followup eval`."""
    from chatbot.feedback import export_feedback

    try:
        count = export_feedback(_settings(conversations=conversations).conversations, out)
    except ValueError as error:
        raise Refused(str(error)) from error
    print(f"{count} judged answers written to {out}")


@app.command("passwd")
def passwd_command(
    user: Annotated[str, typer.Argument(help="Name to log in with.")],
    passwords: Annotated[Path, typer.Option("--passwords", help="File of hashed passwords; made if missing.")],
) -> None:
    """Set a user's password for the page's login; it is asked for, never shown, and stored hashed."""
    from chatbot.web.passwords import set_password

    try:
        set_password(passwords, user, typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    except ValueError as error:
        raise Refused(str(error)) from error
    print(f"password of {user} is set in {passwords}")


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """Turn expected errors into `Refused`; anything else is a fault of ours and shows its traceback."""
    try:
        yield
    except KeyboardInterrupt:
        raise Refused(_STOPPED) from None
    except BrokenPipeError:
        raise
    except MemoryError as error:
        raise Refused(f"not enough memory; {_STILL_STANDS}") from error
    except OSError as error:
        raise Refused(_environment_fault(error)) from error
    except Exception as error:
        name = type(error).__name__
        if format_message := getattr(error, "format_message", None):
            # Typer's own errors: wrong usage.
            context = getattr(error, "ctx", None)
            command = context.command_path if context else "followup"
            if name == "NoArgsIsHelpError":  # the help is printed already
                raise SystemExit(2) from None
            message = " ".join(str(format_message()).split()).rstrip(".")
            raise Refused(f"{message}; see '{command} --help'", code=2) from None
        if name in _EXPECTED:
            raise Refused(" ".join(str(error).split())) from error
        if name in _STORE_FAULTS:
            full = any(word in str(error).lower() for word in ("full", "no space", "disk i/o", "file too large"))
            words = _DISK_FULL if full else f"the index cannot be written ({' '.join(str(error).split())})"
            raise Refused(f"{words}; {_STILL_STANDS}") from error
        raise


# What Typer returns when Ctrl-C was pressed.
_INTERRUPTED = 130
_STILL_STANDS = "what stood before still stands"
_STOPPED = f"stopped; {_STILL_STANDS}"
_DISK_FULL = "the disk is full: free some space and run it again"
# Named, not imported: the modules that define them cost more than `--help` may.
_EXPECTED = frozenset(
    {
        "IndexUnavailable",
        "DamagedIndex",
        "ModelUnavailable",
        "EngineUnavailable",
        "QuestionFault",
        "NothingToIndex",
        "UnreadableSource",
        "ReviewError",
        "DatabaseFault",
        "DatabaseUnavailable",
        "SecretFault",
    }
)
# What SQLite and the vector store say of a disk that is full or damaged.
_STORE_FAULTS = frozenset({"OperationalError", "DatabaseError", "StoreFault"})


def _environment_fault(error: OSError) -> str:
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"{_DISK_FULL}; {_STILL_STANDS}"
    if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        return f"no permission for {error.filename}: choose another folder or change its rights"
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror or error}; {_STILL_STANDS}"


def _settings(**given: Any) -> Any:
    from pydantic import ValidationError

    from chatbot.settings import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        fault = error.errors()[0]
        name = "FOLLOWUP_" + "_".join(str(part) for part in fault["loc"]).upper()
        raise Refused(f"setting {name}={fault['input']!r}: {fault['msg']}") from error


def _embedder(settings: Any) -> Any:
    from index.embedding import load_embedder

    return load_embedder(settings.model, cache=settings.cache, engine=settings.engine)


def _say_what_leaves(bot: Any) -> None:
    """Name the host on standard error before the first question leaves this machine."""
    if bot.wording is not None:
        print(f"followup: {bot.wording.banner}", file=sys.stderr)


def _chatbot(settings: Any) -> Any:
    from chatbot.reply import Chatbot

    return Chatbot(settings, _embedder(settings))


def _holds_others(root: Path, sources: list[Path]) -> bool:
    from corpus.load import walk
    from index.build import manifest_before

    before = manifest_before(root)
    if before is None:
        return False
    wanted = {name for _, name in walk(sources)}
    return not wanted & {source.path for source in before[1].sources}


def _history(path: Path | None) -> Any:
    from chatbot.replies import Turn

    if path is None:
        return ()
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused(f"--history {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise Refused(f"--history {path}: not JSON ({error})") from error
    fits = isinstance(rows, list) and all(
        isinstance(row, dict) and row.get("role") in ("user", "assistant") and isinstance(row.get("content"), str)
        for row in rows
    )
    if not fits:
        raise Refused(f'--history {path}: must be a list of {{"role": "user" | "assistant", "content": text}}')
    return tuple(Turn(row["role"], _readable(row["content"])) for row in rows)


def _readable(text: str) -> str:
    """Return a text with "?" for each half of a character pair, which JSON can hold and no text may."""
    return text.encode("utf-8", "replace").decode("utf-8")


@contextmanager
def _progress() -> Iterator[Any]:
    """Yield a callable that draws a bar with passages/s and time left on standard error, if that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda phase, done, total: None
        return
    speed = TextColumn("{task.fields[speed]}")
    columns = (TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn(), speed, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        tasks: dict[str, Any] = {}

        def tell(phase: str, done: int, total: int) -> None:
            if phase not in tasks:
                tasks[phase] = bar.add_task(phase, total=total or None, speed="")
            task = tasks[phase]
            rate = bar.tasks[task].speed
            bar.update(task, completed=done, total=total or None, speed=f"{rate:.0f}/s" if rate else "")

        yield tell


def _print_json(values: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(values, ensure_ascii=False) + "\n")


def _short(text: str, limit: int = 160) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
