"""``python -m scmictl``: the same as the installed command."""

from scmictl.console.oneshot import main

main()
