"""``python -m multicloud.cli``: the command line where its script is not on the PATH."""

from multicloud.cli import main

main()
