"""``python -m cytorecon`` is the ``cytorecon`` command."""

from cytorecon.cli import main

main()
