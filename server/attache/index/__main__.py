"""`python -m attache.index`: the index process, started by the server and never by hand."""

from attache.index.process import main

main()
