"""Requests for correction with the proof that the entry was opened (docs/protocol.md)."""

import reference as ref


def vectors(draw):
    """Requests with their proofs; `draw(purpose, label)` gives 32 bytes."""
    found = []
    for fault, basis, reference, place, epoch in (
        ("not_mine", "mandate", "case-7", 0, 1),
        ("wrong_value", "person_request", "2026.0017", 8_191, 2**32 - 1),
        ("other", "mandate", "A" * 64, 4_097, 7),
    ):
        label_key, identifier = draw("label key", fault), draw("correction", fault)[:16]
        tag, texts = draw("tag", fault)[:10], ("45", "44", "C21", "45", fault, basis, reference)
        message = identifier + epoch.to_bytes(4, "big") + place.to_bytes(2, "big") + tag
        message += b"".join(text.encode() + b"\0" for text in texts)
        key = ref.blake3(label_key, context="heqiao v1 correction key")
        proof = ref.blake3(b"heqiao v1 correction\0" + message, key=key)
        found.append(
            {
                "requester": "45", "responder": "44", "id": identifier.hex(), "item": "C21", "origin": "45",
                "epoch": epoch, "place": place, "tag": tag.hex(), "fault": fault, "basis": basis,
                "reference": reference, "label_key": label_key.hex(), "key": key.hex(), "proof": proof.hex(),
            }
        )  # fmt: skip
    return found
