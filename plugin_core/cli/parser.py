"""The parser that every command has: help in two lengths, `-v` and `-q`, and old spellings that still work.

`--help` shows what most shots need and fits a screen; `--help-all` shows every option, in the same groups,
what most need first, with examples and exit codes.
"""

from __future__ import annotations

import argparse
import difflib
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from ..progress.terminal import say, shown

_Actions = TypeVar("_Actions", bound=argparse.Action)

_BEFORE_HEADING = re.compile(r"\n\n(?=[^\n ][^\n]*:\n  )")


class Parser(argparse.ArgumentParser):
    """One command's options.

    Args:
        brief_epilog: stands under the short help, in place of `epilog`, where the two differ.
        old: spellings of options that were, and what they are now. They work and are shown nowhere.
        settings: of ArgumentParser.
    """

    def __init__(
        self, *, brief_epilog: str | None = None, old: Mapping[str, str] | None = None, **settings: Any
    ) -> None:
        super().__init__(**{"formatter_class": _Formatter, "add_help": False, **settings})
        self._brief_epilog = brief_epilog
        self._old = dict(old or {})
        self._advanced: set[argparse.Action] = set()
        self._briefs: dict[argparse.Action, str] = {}
        self.common = self._last = common = self.add_argument_group("messages and help")
        common.add_argument("-v", "--verbose", action=_Told, const=1, help="say what is done, and why")
        common.add_argument("-q", "--quiet", action=_Told, const=-1, help="say only results and errors")
        self.advanced(common.add_argument("-h", "--help", action=_Help, help="show what most shots need"))
        common.add_argument("--help-all", action=_Help, const=True, help="show every option, and examples")

    def advanced(self, action: _Actions) -> _Actions:
        """Leave an option out of the short help; returns it."""
        self._advanced.add(action)
        return action

    def brief(self, action: _Actions, text: str) -> _Actions:
        """Say something shorter of an option in the short help; returns it."""
        self._briefs[action] = text
        return action

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse, old spellings included."""
        if args is None or not self._old:
            return super().parse_known_args(args, namespace)
        ends = args.index("--") if "--" in args else len(args)
        now = [self._spelled(word) for word in args[:ends]]
        return super().parse_known_args([*now, *args[ends:]], namespace)

    def _spelled(self, word: str) -> str:
        name, equals, value = word.partition("=")
        return f"{self._old.get(name, name)}{equals}{value}"

    def format_help(self) -> str:
        """Return the short help."""
        options = self._sections(everything=False)
        first = _BEFORE_HEADING.search(options)
        start = first.end() if first else len(options)
        tight = options[:start] + _BEFORE_HEADING.sub("\n", options[start:])
        return tight + self._text(self.epilog if self._brief_epilog is None else self._brief_epilog)

    def format_help_all(self) -> str:
        """Return the whole help."""
        return self._sections(everything=True) + self._text(self.epilog)

    def format_usage(self) -> str:
        """Return what is typed, in one line."""
        formatter = self._get_formatter()
        formatter.add_usage(self._usage(), [], [])
        return formatter.format_help()

    def _usage(self) -> str:
        needed = [a for a in self._get_optional_actions() if a.required]
        words = [f"{action.option_strings[-1]} {action.metavar}" for action in needed]
        last = [str(action.metavar or action.dest) for action in self._get_positional_actions()]
        return self.usage or " ".join(["%(prog)s", *words, "[options]", *last])

    def _text(self, text: str | None) -> str:
        formatter = self._get_formatter()
        formatter.add_text(text)
        told = formatter.format_help()
        return f"\n{told}" if told else ""

    def _sections(self, *, everything: bool) -> str:
        formatter = self._get_formatter()
        formatter.add_usage(self._usage(), [], [])
        formatter.add_text(self.description and textwrap.fill(self.description, formatter._width))
        for group in sorted(self._action_groups, key=lambda group: group is self._last):
            actions = sorted(group._group_actions, key=self._advanced.__contains__)
            if not everything:
                actions = [self._short(action) for action in actions if action not in self._advanced]
            if actions:
                formatter.start_section(group.title)
                formatter.add_text(group.description)
                formatter.add_arguments(actions)
                formatter.end_section()
        return formatter.format_help()

    def _short(self, action: argparse.Action) -> argparse.Action:
        if action not in self._briefs:
            return action
        # A Boolean's second spelling is for the whole help.
        names = action.option_strings[:1]
        return argparse.Action(
            names, action.dest, action.nargs, metavar=action.metavar, help=self._briefs[action]
        )

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, without the list of all options before it, and exit."""
        self.exit(2, shown(f"{self.prog}: {message}{self._nearest(message)}; see {self.prog} --help") + "\n")

    def _nearest(self, message: str) -> str:
        """Return which option of any command was meant, where an unknown one is nearly that."""
        word = re.match(r"unrecognized arguments: (--[a-z-]+)", message)
        known = {*self._option_string_actions}
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                known.update(*(each._option_string_actions for each in action.choices.values()))
        if word and word[1] in known:
            return " (an option of another command)"
        near = difflib.get_close_matches(word[1], sorted(known), 1) if word else []
        return f" (did you mean {near[0]}?)" if near else ""


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Keeps what is laid out by hand, and gives an option's value once, not after each spelling."""

    def __init__(self, prog: str, **settings: Any) -> None:
        super().__init__(prog, **{"max_help_position": 26, **settings})

    def _format_action(self, action: argparse.Action) -> str:
        if not isinstance(action, argparse._SubParsersAction):
            return super()._format_action(action)
        return "".join(map(super()._format_action, self._iter_indented_subactions(action)))

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.option_strings:
            return super()._format_action_invocation(action)
        if isinstance(action, argparse.BooleanOptionalAction):
            return f"--[no-]{action.option_strings[0][2:]}"
        names = ", ".join(action.option_strings)
        if action.nargs == 0:
            return names
        return f"{names} {self._format_args(action, self._get_default_metavar_for_optional(action))}"


class _Help(argparse.Action):
    """Prints the help, as long as its constant says, and exits."""

    def __init__(self, option_strings: list[str], dest: str, **settings: Any) -> None:
        settings["default"] = argparse.SUPPRESS
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, **settings)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        assert isinstance(parser, Parser)
        text = parser.format_help_all() if self.const else parser.format_help()
        say(*text.splitlines())
        parser.exit()


class _Told(argparse.Action):
    """Notes how much is to be told, `told`: 1 for more than usual, -1 for less.

    It has no default: that of a command would take back what was given before its name.
    """

    def __init__(self, option_strings: list[str], dest: str, **settings: Any) -> None:
        settings["default"] = argparse.SUPPRESS
        super().__init__(option_strings, "told", nargs=0, **settings)

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, *_: Any) -> None:
        namespace.told = self.const
