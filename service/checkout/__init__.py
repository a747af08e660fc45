"""The core: what is asked, what is allowed, what is added, what is accepted. Imports no I/O library."""
