"""The command view: where a command runs so that it sees unsaved text and changes nothing that is not accepted."""
