"""What a check of the history can find."""

from __future__ import annotations

from enum import StrEnum

from bookrunner.core.errors import BookrunnerError


class FileUnusable(BookrunnerError):
    """The system refused to read or write the file of an export."""


class HistoryRule(StrEnum):
    """The propositions that an intact history satisfies; a fault names the one that is broken."""

    LINE_IS_WELL_FORMED = "line_is_well_formed"
    """Each line is the RFC 8785 form of a known record, at most 16 MiB long, and ends with a line feed."""
    LINES_STAND_IN_ORDER = "lines_stand_in_order"
    """A header, then events, then each seal with its leaves, then the manifest as the last line."""
    HEADER_IS_KNOWN = "header_is_known"
    """The first line names this format and the scope of the export."""
    TEXT_IS_CANONICAL = "text_is_canonical"
    """The text of an event is the RFC 8785 form of its own parse and has the known members."""
    HASH_COVERS_TEXT = "hash_covers_text"
    """The hash of an event is SHA-256 over the previous hash and the text."""
    COLUMNS_EQUAL_TEXT = "columns_equal_text"
    """What stands beside the text says the same as the text."""
    CHAINS_STAND_IN_ORDER = "chains_stand_in_order"
    """Chains are sorted by scope and subject, and none is told twice."""
    VERSIONS_ARE_GAP_FREE = "versions_are_gap_free"
    """The versions of a chain are 1, 2, 3 and so on."""
    CHAIN_STARTS_AT_ITS_GENESIS = "chain_starts_at_its_genesis"
    """The first event of a chain follows the genesis hash of its subject."""
    CHAIN_IS_UNBROKEN = "chain_is_unbroken"
    """Each later event follows the hash of the event before it."""
    ROW_SHOWS_ITS_LAST_EVENT = "row_shows_its_last_event"
    """The version and the chain head of a record are those of its last event."""
    CHAIN_HAS_ITS_ROW = "chain_has_its_row"
    """Each chain belongs to a record that is still there."""
    EVENT_IS_IN_SCOPE = "event_is_in_scope"
    """An export of one scope holds nothing of another."""
    SEALS_ARE_GAP_FREE = "seals_are_gap_free"
    """Seals are numbered 1, 2, 3 and so on, and each covers the feed from where the last one ended."""
    SEAL_NAMES_THE_ONE_BEFORE = "seal_names_the_one_before"
    """The previous root of a seal is the root of the seal before it."""
    SEAL_COVERS_ITS_LEAVES = "seal_covers_its_leaves"
    """The root of a seal follows from all it says and its leaves, and each proof leads to it."""
    LEAVES_OF_A_SCOPE_ADJOIN = "leaves_of_a_scope_adjoin"
    """The leaves of one scope stand side by side in a seal, so none between two of them is left out."""
    ROOT_IS_PUBLISHED = "root_is_published"
    """A seal has the root that was published; without it a file may end with an earlier seal."""
    SEALED_HEAD_IS_PRESENT = "sealed_head_is_present"
    """Each sealed head is the hash of an event that is here."""
    MANIFEST_COUNTS_ALL = "manifest_counts_all"
    """The manifest counts as many events and seals as there are."""
    MANIFEST_COVERS_ALL = "manifest_covers_all"
    """The manifest carries the SHA-256 of every byte before it."""
    FAULTS_ARE_ALL_LISTED = "faults_are_all_listed"
    """There are no more faults than a verdict lists."""
