"""What goes wrong with backups, in sentences for operators."""


class BackupError(Exception):
    """A backup could not be made, read or restored. The message says why and what to do; it holds no secret."""
