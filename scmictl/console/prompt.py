"""The prompt on a terminal: editing, history, completion menu, toolbar. Built on prompt_toolkit.

Theory of operation. One :class:`Prompt` lives as long as the shell; each :meth:`Prompt.read` runs
an event loop of its own, in which :class:`~scmictl.console.news.News` attends the connections.
Between two reads the terminal is as it was, and Ctrl-C is a signal again.

Completion never waits for a device: the menu shows what is known, and only if something is just
being learnt it comes up to :data:`PATIENCE_S` later; a key typed meanwhile goes first.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style

from scmictl.console import signals
from scmictl.console.completion import complete
from scmictl.console.knowledge import Item
from scmictl.console.news import News
from scmictl.console.offer import Scene
from scmictl.console.session import Session

PATIENCE_S = 0.3
"""How long a menu waits for names that are being learnt."""

Styled = StyleAndTextTuples
"""Text in pieces, each with its style."""

_STYLE = Style.from_dict(
    {
        "target": "bold",
        "agent": "ansigreen",
        "warning": "ansiyellow",
        "lost": "ansired",
        "bottom-toolbar": "reverse",
    }
)


class Prompt:
    """Reads lines from a terminal.

    ``scene`` gives what completion needs besides the items; ``message`` and ``toolbar`` give the
    prompt and the line at the bottom, and ``uri`` the connection that items are taken from.
    """

    def __init__(
        self,
        session: Session,
        news: News,
        *,
        history: str | None,
        scene: Callable[[], Scene],
        uri: Callable[[], str],
        message: Callable[[], Styled],
        toolbar: Callable[[], Styled],
    ) -> None:
        self.session = session
        self.news = news
        self.history: History = _Kept(history) if history is not None else InMemoryHistory()
        self._prompt: PromptSession[str] = PromptSession(
            message=message,
            bottom_toolbar=toolbar,
            history=self.history,
            auto_suggest=AutoSuggestFromHistory(),
            completer=_Completer(news, scene, uri),
            complete_while_typing=False,
            enable_history_search=True,
            enable_suspend=True,
            style=_STYLE,
            include_default_pygments_style=False,
            # A terminal that is asked for colour is left to say how many it has.
            color_depth=None if session.view().color else ColorDepth.DEPTH_1_BIT,
        )

    def read(self) -> str:
        """Return the next line; raises EOFError at the end and KeyboardInterrupt for Ctrl-C.

        A bug in what runs beside the prompt is raised as it is.
        """
        try:
            return self._prompt.prompt(pre_run=self._arm)
        finally:
            if self.session.interrupt is not None:
                # The prompt's loop has taken the signals, and leaves nobody to wake a wait.
                signals.install(self.session.interrupt)
            self.news.disarm()
            if self.news.fault is not None:
                fault, self.news.fault = self.news.fault, None
                raise fault

    def entries(self) -> list[str]:
        """Return what was typed so far, also in earlier shells, oldest first."""
        if not self.history._loaded:
            self.history._loaded_strings = list(self.history.load_history_strings())
            self.history._loaded = True
        return list(self.history.get_strings())

    def _arm(self) -> None:
        self.news.arm()
        interrupt = self.session.interrupt
        if interrupt is not None:
            # In a prompt Ctrl-C is a key; a signal that arrives all the same is to end us.
            asyncio.get_running_loop().add_reader(interrupt.fileno(), self._stop)

    def _stop(self) -> None:
        interrupt = self.session.interrupt
        assert interrupt is not None
        if not interrupt.pending:
            interrupt.calm()  # another signal, which asks nobody to stop
            return
        asyncio.get_running_loop().remove_reader(interrupt.fileno())
        if not get_app().is_done:
            get_app().exit(exception=EOFError())


class _Completer(Completer):
    """The bridge from prompt_toolkit to :func:`~scmictl.console.completion.complete`."""

    def __init__(self, news: News, scene: Callable[[], Scene], uri: Callable[[], str]) -> None:
        self.news = news
        self.scene = scene
        self.uri = uri

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        return self._found(document, self._scene(set()))

    async def get_completions_async(
        self, document: Document, complete_event: CompleteEvent
    ) -> AsyncGenerator[Completion, None]:
        kinds: set[str] = set()
        scene = self._scene(kinds)
        found = self._found(document, scene)
        if kinds:
            if self.news.want(self.uri(), kinds):
                await self.news.settle(PATIENCE_S)
            found = self._found(document, scene)
        for one in found:
            yield one

    def _found(self, document: Document, scene: Scene) -> list[Completion]:
        cursor = document.cursor_position
        return [
            Completion(
                one.text, one.start - cursor, display=one.shown, display_meta=one.note or None
            )
            for one in complete(document.text, cursor, scene)
        ]

    def _scene(self, kinds: set[str]) -> Scene:
        """Return the scene; the kinds of the items that it is asked for are put into ``kinds``."""

        def items(kind: str) -> Sequence[Item]:
            kinds.add(kind)
            connection = self.news.connections.get(self.uri())
            return connection.knowledge.items.get(kind, ()) if connection is not None else ()

        return self.scene()._replace(items=items)


class _Kept(FileHistory):
    """A history in a file that only its owner can read; where that fails, it is in memory."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        try:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
            os.chmod(path, 0o600)
        except OSError:
            pass  # what cannot be kept is forgotten; the shell works all the same

    def load_history_strings(self) -> Iterable[str]:
        try:
            return super().load_history_strings()
        except OSError:
            return []

    def store_string(self, string: str) -> None:
        try:
            super().store_string(string)
        except OSError:
            pass


def history_path() -> str:
    """Return where the history is kept, by the XDG rules."""
    from platformdirs import user_state_path

    return str(user_state_path("scmictl", appauthor=False) / "history")
