"""The version of scmictl, a constant so that ``--version`` costs nothing."""

VERSION = "0.1.0"
