"""What all verbs have in common: global options on either side of the verb, and lazy loading."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from gitbaton.cli.catalogue import HIDDEN, SECTIONS, VERBS
from gitbaton.cli.request import Request

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 80}
_SENTENCE = 200  # characters of a verb's first sentence that a list of verbs shows


def _set_directory(request: Request, value: Path) -> None:
    request.directory = value


def _set_json(request: Request, _: bool) -> None:
    request.output.json = True


def _set_quiet(request: Request, _: bool) -> None:
    request.output.quiet = True


def _set_verbose(request: Request, _: bool) -> None:
    request.output.verbose = True


def _set_colorless(request: Request, _: bool) -> None:
    request.output.color = False


def _global(names: Sequence[str], act: Callable[[Request, Any], None], **settings: Any) -> Any:
    def apply(context: click.Context, _: click.Parameter, value: Any) -> None:
        request = context.find_object(Request)
        if value and request is not None:
            act(request, value)

    return click.Option(list(names), expose_value=False, callback=apply, **settings)


def global_options() -> list[click.Option]:
    """Return the options that are taken before and after every verb."""
    return [
        _global(
            ["-C", "directory"],
            _set_directory,
            type=click.Path(path_type=Path),
            metavar="DIR",
            help="Run as if started in DIR.",
        ),
        _global(["--json"], _set_json, is_flag=True, help="Print JSON on standard output."),
        _global(["-q", "--quiet"], _set_quiet, is_flag=True, help="Say only what was asked."),
        _global(["-v", "--verbose"], _set_verbose, is_flag=True, help="Say more."),
        _global(["--no-color"], _set_colorless, is_flag=True, help="Use no colour."),
    ]


class Verb(click.Command):
    """A verb. Its help shows its own options first and the global ones apart."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.shared = global_options()
        self.params = [*self.params, *self.shared]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        options = [p for p in self.get_params(ctx) if isinstance(p, click.Option)]
        own = [p for p in options if p not in self.shared]
        for title, params in (("Options", own), ("Global options", self.shared)):
            rows = [row for p in params if (row := p.get_help_record(ctx)) is not None]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


class Family(click.Group):
    """A verb with verbs of its own, such as ``rescue list``. ``member`` adds one."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.shared = global_options()
        self.params = [*self.params, *self.shared]

    def member(self, name: str) -> Callable[[Callable[..., Any]], click.Command]:
        """Make the decorated function the verb ``name`` of this family."""

        def register(function: Callable[..., Any]) -> click.Command:
            command = click.command(name, cls=Verb, context_settings=_SETTINGS)(
                click.pass_obj(function)
            )
            self.add_command(command)
            return command

        return register

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        members = [(name, self.commands[name]) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):  # click would cut the sentence at the end of the line
            formatter.write_dl([(name, it.get_short_help_str(_SENTENCE)) for name, it in members])

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)
        rows = [row for p in self.shared if (row := p.get_help_record(ctx)) is not None]
        with formatter.section("Global options"):
            formatter.write_dl(rows)


def family(name: str, words: str) -> Family:
    """Return the verb ``name``, which has verbs of its own. ``words``: its help."""
    return Family(
        name,
        help=words,
        short_help=VERBS[name],
        context_settings=_SETTINGS,
        subcommand_metavar="VERB …",
        no_args_is_help=False,
    )


def verb(name: str, **settings: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """Make the decorated function, which takes a Request and its parameters, the verb ``name``."""

    def register(function: Callable[..., Any]) -> click.Command:
        return click.command(
            name,
            cls=Verb,
            short_help=VERBS.get(name) or HIDDEN[name],
            hidden=name in HIDDEN,
            context_settings={**_SETTINGS, **settings},
        )(click.pass_obj(function))

    return register


class VerbGroup(click.Group):
    """The verbs, each imported when it is used. Help comes from the catalogue."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS and cmd_name not in HIDDEN:
            return None
        gc.disable()  # nothing that is being imported is garbage, and looking costs a tenth of it
        try:
            module = importlib.import_module(f"gitbaton.cli.verbs.{cmd_name.replace('-', '_')}")
        finally:
            gc.enable()
        command: click.Command = module.command
        return command

    def format_commands(
        self,
        ctx: click.Context,
        formatter: click.HelpFormatter,
    ) -> None:
        for title, verbs in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(_padded(verbs))


def _padded(verbs: Mapping[str, str]) -> list[tuple[str, str]]:
    width = max(map(len, VERBS))  # one column for all sections
    return [(name.ljust(width), words) for name, words in verbs.items()]


def compose(*decorators: Callable[[FunctionT], FunctionT]) -> Callable[[FunctionT], FunctionT]:
    """Return one decorator that applies ``decorators``, so that the first stands on top."""

    def apply(function: FunctionT) -> FunctionT:
        for decorate in reversed(decorators):
            function = decorate(function)
        return function

    return apply


def root() -> click.Group:
    """Return the whole command line."""
    return VerbGroup(
        "baton",
        params=[
            *global_options(),
            click.Option(
                ["--version"],
                is_flag=True,
                expose_value=False,
                is_eager=True,
                callback=_show_version,
                help="Show the version.",
            ),
        ],
        help=(
            "Share one body of work among many agents, over the git remote you already have.\n\n"
            "A task is claimed by compare-and-swap: one agent holds it, and nobody whose claim "
            "was taken away can publish."
        ),
        epilog="baton VERB --help says the rest. Exit status: 0 done, 1 refused, 2 usage, 3 a "
        "bug, 69 remote unreachable, 74 the answer cannot be written, 75 nothing to claim, 76 "
        "claim lost, 77 host or gate refuses, 130 interrupted.",
        context_settings=_SETTINGS,
        subcommand_metavar="VERB …",
        no_args_is_help=True,
    )


def _show_version(context: click.Context, _: click.Parameter, value: bool) -> None:
    if not value:
        return
    from gitbaton import __version__

    request = context.find_object(Request)
    if request is not None:
        request.output.answer({"version": __version__}, lambda out: out.say(f"baton {__version__}"))
    context.exit()
