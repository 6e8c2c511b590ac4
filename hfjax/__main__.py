"""`python -m hfjax` is the command `hfjax`."""

from hfjax.cli.main import program

program()
