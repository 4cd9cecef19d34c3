"""Columns of bytes: each is sealed, or known to tell nothing of a person."""

from node.database import tables


def test_what_the_tables_hold_is_known() -> None:
    """A new column must be thought about: sealed, public, or a count."""
    binary = {
        f"{table.name}.{column.name}"
        for table in tables.metadata.tables.values()
        for column in table.columns
        if str(column.type) == "BLOB"
    }
    public = {"peers.signing_key", "partitions.root", "partitions.leaves"}
    public |= {"buckets.entries", "audit.previous", "audit.digest"}
    public |= {f"{table}.request_digest" for table in ("jobs", "watches", "drafts")}  # keyed
    # Of tokens of sessions, which nobody can guess, and of accounts under a key.
    public |= {"sessions.digest", "sign_in_failures.digest"}
    # Tags and entries, which are served as well.
    public |= {"deltas.from_root", "delta_buckets.removed", "delta_buckets.entries"}
    # Random numbers of requests for correction, and a digest under a key.
    public |= {"sent_corrections.id", "received_corrections.id", "received_corrections.digest"}
    # Rows of sums are served, aliases are found by keyed tags, days are in the offer as a range.
    public |= {f"sum_blocks.{name}" for name in ("points", "days", "ciphertexts")}
    public |= {"sum_groups.digest", "sum_groups.packing", "sum_aliases.tag", "sum_aliases.row_tag"}
    # Of the source and options of an import, under a key: a query may name a person.
    public |= {"imports.source", "revoked_mandates.digest"}  # the latter of numbers of mandates
    asked = ("query_id", "cohort_digest", "opened_digest", "blind_commitment", "mandate_root", "rows_digest")
    public |= {"sum_alerts.query_id", "sum_exposures.query_id", *(f"sum_queries.{name}" for name in asked)}
    # Digests of blinded points, and manifests as they were served.
    bound = ("query_id", "manifest_digest", "mandate_root", "points_root")
    public |= {"granules.query_id", "granules.digests", *(f"queries.{name}" for name in bound)}
    public |= {"manifests.content", "manifests.digest"}
    # Public halves of signing keys, and signatures: of successions, and of administrators who act in pairs.
    public |= {f"successions.{name}" for name in ("old_key", "new_key", "by_old", "by_new")}
    public |= {"peer_keys.signing_key", "admins.public_key"}
    public |= {"approvals.asked_signature", "approvals.given_signature"}
    # Digests of definitions of items, which are published; public keys of offices.
    public |= {"imported_items.content", "job_catalogues.definitions", "job_catalogues.digest", "offices.key"}
    # Of people, households and mandates on record, and of who was asked or answered: under keys.
    public |= {"answered_people.digests", "asked_people.digests", "households.digest", "urgent_checks.person"}
    public |= {"mandates.digest", "mandates.household", "record_people.digest", "record_people.person"}
    assert {name for name in binary if "sealed" not in name} == public
