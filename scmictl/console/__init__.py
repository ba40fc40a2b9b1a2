"""The terminal: one-shot commands, batch files and the shell, all in one language.

``oneshot`` is the process and ``runner`` one command line in it; ``batch`` and ``shell`` run many
lines. ``lexer`` and ``line`` split what is typed, ``parser`` (the only importer of typer) makes an
invocation of it, ``session`` runs that against its connection, and ``render`` prints what comes
back: a table, lines or JSON (``view``), streams one record at a time (``stream``, ``live``).
``completion`` says what can follow, of what ``offer`` has and ``knowledge`` has learnt.

May import: ``commands``, ``agent``, ``protocols``, ``wire`` and ``errors``.

To extend: nothing here is about a single protocol. What commands there are, and what is shown of
things and notifications, follows from the rows in ``commands``. A statement of the language that is
no command is a row in ``statement``, a global option one in ``options``, a form of output a branch
in ``render``.
"""
