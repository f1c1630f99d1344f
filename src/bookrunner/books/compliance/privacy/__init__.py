"""What is sealed under the key of an investor, opened by views that are events, and erased with the key."""

from bookrunner.books.compliance.privacy.files import (
    MOST_BYTES,
    checked_paper,
    keep_file,
    keep_files,
    keep_paper,
    sealed_file,
    sealed_paper,
    view_file,
)

__all__ = [
    "MOST_BYTES",
    "checked_paper",
    "keep_file",
    "keep_files",
    "keep_paper",
    "sealed_file",
    "sealed_paper",
    "view_file",
]
