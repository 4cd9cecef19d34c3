"""Write the project's own vectors with the reference implementation; `--check` only compares.

Everything is derived from fixed labels, so the files never change unless the protocol does. Run it
with `python tests/vectors/generate.py`. Only for a reason that the change log states.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import correction_proofs  # noqa: E402 - the folder is not a package
import hostile_sums  # noqa: E402 - the folder is not a package
import reference as ref  # noqa: E402
import reference_siv as siv  # noqa: E402

SALT = ref.blake3(b"salt", context="heqiao test vectors")
AS_OF = 20_000  # days since 1970-01-01
IDENTITIES = {
    "resident": "449999190001010034",
    "check_character_x": "33999919000101008X",
    "full_width_lower_x_and_blanks": "\u3000３３９９９９１９０００１０１００８ｘ\t",
    "leap_day": "449999200002290038",
    "old_form": "449999000101003",
    "permit_hong_kong": "810000190001010018",
    "permit_macao": "82000019000101001X",
    "permit_taiwan": "830000190001010011",
    "foreign": "900999190001010010",
    "foreign_old": "utp999919000101",
}
BAD_IDENTITIES = (
    ("nothing", "", None, "empty"),
    ("blanks", " \u3000\t", None, "empty"),
    ("wrong_check_digit", "449999190001010035", None, "bad_check_digit"),
    ("x_instead_of_digit", "44999919000101003X", None, "bad_check_digit"),
    ("30_february", "449999190002300033", None, "bad_date"),
    ("1901_is_no_leap_year", "449999190102290039", None, "bad_date"),
    ("1900_is_no_leap_year_old_form", "449999000229003", None, "bad_date"),
    ("month_13", "449999190013010034", None, "bad_date"),
    ("day_0", "449999190001000034", None, "bad_date"),
    ("year_0", "449999000001010034", None, "bad_date"),
    ("year_1849", "449999184901010034", None, "bad_date"),
    ("14_digits", "44999900010100", None, "wrong_length"),
    ("16_digits", "4499990001010031", None, "wrong_length"),
    ("17_digits", "44999919000101003", None, "wrong_length"),
    ("19_digits", "4499991900010100340", None, "wrong_length"),
    ("blank_inside", "449999 190001010034", None, "wrong_length"),
    ("apostrophe_before", "'449999190001010034", None, "wrong_length"),
    ("x_in_the_middle", "4499991900010X0034", None, "bad_characters"),
    ("letter_o", "44999919OOO1010034", None, "bad_characters"),
    ("x_in_old_form", "44999900010100X", None, "bad_characters"),
    ("cyrillic_x", "33999919000101008\u0425", None, "bad_characters"),
    ("roman_ten", "33999919000101008\u2169", None, "bad_characters"),
    ("circled_digit", "44999919000101003\u2463", None, "bad_characters"),
    ("footnote_mark_completes_old_form", "44999900010100\u00b3", None, "bad_characters"),
    ("mathematical_digit", "44999919000101003\U0001d7d2", None, "bad_characters"),
    ("arabic_indic_digit", "44999919000101003\u0664", None, "bad_characters"),
    ("dotless_i_in_old_foreign", "\u0131tp999919000101", None, "bad_characters"),
    ("zero_width_blank", "449999190001010034\u200b", None, "bad_characters"),
    ("old_form_of_a_permit", "810000000101001", None, "wrong_length"),
    ("old_form_of_a_foreign_card", "900999000101001", None, "wrong_length"),
    ("resident_as_permit", "449999190001010034", "hmt-permit", "type_conflict"),
    ("permit_as_resident", "810000190001010018", "resident", "type_conflict"),
    ("foreign_as_old_foreign", "900999190001010010", "foreign-permit-old", "type_conflict"),
    ("unknown_type", "449999190001010034", "passport", "unknown_type"),
    ("planted_is_no_type_of_a_document", "449999190001010034", "planted", "unknown_type"),
)
NAMES = ("张三", "", "阿依古丽·买买提", "Li  Lei", "陳國強")
WIDTHS = (0, 1, 2, 4, 8)


def vectors():
    """Every generated file's name and content."""
    cases = [_chain(name, raw) for name, raw in IDENTITIES.items()]
    return {
        "chain.json": {"suite": "X25519-BLAKE3-TAI", "salt": SALT.hex(), "cases": cases},
        "canary.json": _canaries(),
        "class_keys.json": _class_keys(),
        "point_blinds.json": _point_blinds(),
        "edge.json": _edges(),
        "merkle.json": _merkle(),
        "granules.json": _granules(),
        "corrections.json": correction_proofs.vectors(_bytes),
        "identity_bad_form.json": _named("raw id_type reason", BAD_IDENTITIES),
        **_bad_points(),
        "pads.json": _pads(),
        **_bad_labels(cases[0]),
        **hostile_sums.vectors(),
    }


def _chain(name, raw):
    """One identity from its number to its sealed label, with the result of every step."""
    id_type, value = ref.canonical(raw)
    number = list(IDENTITIES).index(name)
    key, blind, next_key = (ref.clamp(_bytes(part, name)) for part in ("key", "blind", "next key"))
    mapped = ref.map_to_curve(SALT, id_type, value)
    blinded = ref.x25519(blind, mapped)
    evaluated = ref.x25519(key, blinded)
    token = ref.x25519(ref.inverse(blind), evaluated)
    secret = ref.token_secret(token)
    item, epoch = ("C21", "C23", "D32")[number % 3], (1, 7, 2**32 - 1)[number % 3]
    origin = value[:2] if id_type in ("resident", "hmt-permit") else "00"
    tag, label_key = ref.entry_keys(secret, item, epoch)
    width, record_key = WIDTHS[number % 5], _bytes("record key")
    person, record_number = NAMES[number // 2], ref.record_number(record_key, item, id_type, value)
    record = {
        "value": (0, 256**width - 1)[number % 2] if width else 1,
        "as_of": (AS_OF + number, 0, 2**16 - 1)[number % 3],
        "has_name": bool(person),
        "planted": number % 4 == 3,
        "name_check": ref.name_check(record_number, person) if person else 0,
        "converted": ref.converted_check(record_number, person) if person else 0,
        "record": record_number.hex(),
    }
    associated = ref.associated_data(item, origin, epoch, tag)
    sealed = siv.seal_label(label_key, _pack(record, width), associated)
    return {
        "name": name,
        "raw": raw,
        "id_type": id_type,
        "value": value,
        "mapped": mapped.hex(),
        "bucket_prefix": ref.bucket_prefix(SALT, id_type, value).hex(),
        "key": key.hex(),
        "blind": blind.hex(),
        "blinded": blinded.hex(),
        "evaluated": evaluated.hex(),
        "blind_inverse": ref.inverse(blind).hex(),
        "token": token.hex(),
        "secret": secret.hex(),
        "item": item,
        "origin": origin,
        "epoch": epoch,
        "tag": tag.hex(),
        "label_key": label_key.hex(),
        "person": person,
        "record_key": record_key.hex(),
        "width": width,
        "record": record,
        "associated": associated.hex(),
        "sealed": sealed.hex(),
        "next_key": next_key.hex(),
        "key_ratio": ref.ratio(next_key, key).hex(),
        "next_token": ref.x25519(next_key, mapped).hex(),
    }


def _canaries():
    key = ref.clamp(_bytes("key", "canary"))
    points = ref.canaries()
    return {
        "key": key.hex(),
        "points": [point.hex() for point in points],
        "evaluated": [ref.x25519(key, point).hex() for point in points],
        "salt": SALT.hex(),
        "salt_check": ref.salt_check(SALT).hex(),
    }


def _class_keys():
    """Both classes under two epochs: keys, canaries, one person's tokens, the ratio of a rotation."""
    mapped = ref.map_to_curve(SALT, "resident", "449999190001010034")
    epoch_key, next_epoch_key = (_bytes(part, "class keys") for part in ("key", "next key"))
    cases = []
    for token_class in ("ordinary", "sensitive"):
        key, next_key = (ref.class_key(each, token_class) for each in (epoch_key, next_epoch_key))
        cases.append(
            {
                "class": token_class,
                "key": key.hex(),
                "canaries": b"".join(ref.x25519(key, point) for point in ref.canaries()).hex(),
                "token": ref.x25519(key, mapped).hex(),
                "next_key": next_key.hex(),
                "key_ratio": ref.ratio(next_key, key).hex(),
                "next_token": ref.x25519(next_key, mapped).hex(),
            }
        )
    return {
        "epoch_key": epoch_key.hex(),
        "next_epoch_key": next_epoch_key.hex(),
        "mapped": mapped.hex(),
        "classes": cases,
    }


def _point_blinds():
    """A batch from its seed to its tokens; far places too, whose blinds must not depend on the others."""
    seed, key = _bytes("seed", "blinds"), ref.clamp(_bytes("key", "blinds"))
    mapped = [ref.map_to_curve(SALT, *ref.canonical(raw)) for raw in IDENTITIES.values()]
    blinds = [ref.point_blind(seed, place) for place in range(len(mapped))]
    blinded = [ref.x25519(blind, point) for blind, point in zip(blinds, mapped, strict=True)]
    evaluated = [ref.x25519(key, point) for point in blinded]
    inverses = [ref.inverse(blind) for blind in blinds]
    tokens = [ref.x25519(inverse, point) for inverse, point in zip(inverses, evaluated, strict=True)]
    steps = {"mapped": mapped, "blinds": blinds, "blinded": blinded, "evaluated": evaluated}
    steps |= {"inverses": inverses, "tokens": tokens}
    return {
        "seed": seed.hex(),
        "key": key.hex(),
        **{name: [value.hex() for value in values] for name, values in steps.items()},
        "far": {str(place): ref.point_blind(seed, place).hex() for place in (255, 256, 1023)},
        "cohort_blind": ref.cohort_blind(seed).hex(),
    }


def _edges():
    """Points whose limbs are nearly empty or nearly full: where a missed carry would be detected."""
    groups = {
        "small": [u for u in range(2, 60) if ref.is_on_curve(u)],
        "power": [u for i in range(6, 255) for u in (2**i, 2**i + 1) if ref.is_on_curve(u)][:40],
        "power_less_one": [2**i - 1 for i in range(6, 255) if ref.is_on_curve(2**i - 1)][::3],
        "near_prime": [ref.P - d for d in [*range(2, 40), 1000, 10**6] if ref.is_on_curve(ref.P - d)],
        "near_prime_by_power": [ref.P - 2**i for i in range(6, 255, 6) if ref.is_on_curve(ref.P - 2**i)],
    }
    scalars = [ref.clamp(bytes(32)), ref.clamp(b"\xff" * 32), ref.clamp(_bytes("key", "edge"))]
    return {group: [_product(scalar, numbers) for scalar in scalars] for group, numbers in groups.items()}


def _product(scalar, numbers):
    points = [_le(u) for u in numbers]
    results = [ref.x25519(scalar, point) for point in points]
    return {"scalar": scalar.hex(), "points": b"".join(points).hex(), "results": b"".join(results).hex()}


def _merkle():
    found = []
    for count in (0, 1, 2, 3, 5, 8, 13):
        leaves = [ref.merkle_leaf(bytes([i]) * i) for i in range(count)]
        paths = [[digest.hex() for digest in ref.merkle_path(leaves, i)] for i in range(count)]
        found.append({"count": count, "root": ref.merkle_root(leaves).hex(), "paths": paths})
    return found


def _granules():
    """Roots over granules; any 32 bytes will do as a point."""
    found = []
    for count, first in ((1, 0), (15, 0), (16, 0), (17, 0), (48, 0), (70, 0), (33, 16), (20, 4_096)):
        points = b"".join(_bytes("granule", str(place)) for place in range(count))
        found.append(
            {"first_point": first, "points": points.hex(), "root": ref.points_root(points, first).hex()}
        )
    return found


def _pads():
    """The first pads of a partition, and a later one, for every size of entry."""
    key = ref.pad_key(_bytes("key", "pads"))
    cases = []
    for width in WIDTHS:
        for number in (0, 1, 2**20):
            place, entry = ref.pad(key, "C21", "45", 7, number, 36 + width)
            cases.append({"width": width, "number": number, "place": place.hex(), "entry": entry.hex()})
    secret = _bytes("key", "pads").hex()
    return {"key": secret, "pad_key": key.hex(), "item": "C21", "origin": "45", "epoch": 7, "cases": cases}


def _bad_points():
    good = ref.map_to_curve(SALT, "resident", "449999190001010034")
    p = ref.P
    twist = [u for u in range(2, 20) if not ref.is_on_curve(u)]
    twist += [int.from_bytes(_bytes("twist", str(i)), "little") % 2**254 for i in range(12)]
    on_curve_u = int.from_bytes(good, "little")
    beyond = {
        "p": p,
        "p_plus_1": p + 1,
        "p_plus_9": p + 9,
        "all_ones_below_bit_255": 2**255 - 1,
        "bit_255_alone": 2**255,
        "bit_255_on_a_good_point": on_curve_u + 2**255,
        "bit_255_on_the_base_point": 9 + 2**255,
        "2p": 2 * p,
        "2p_plus_1": 2 * p + 1,
        "all_ones": 2**256 - 1,
    }
    lengths = {
        "one_byte": b"\x09",
        "31_bytes": good[:31],
        "33_bytes": good + b"\0",
        "two_points_less_a_byte": (good + good)[:-1],
    }
    return {
        "point_bad_length.json": [_point(name, points) for name, points in lengths.items()],
        "point_bad_canonical.json": [_point(name, _le(u)) for name, u in beyond.items()],
        "point_bad_low_order.json": [_point(f"low_{i}", _le(u)) for i, u in enumerate(ref.LOW_ORDER)],
        "point_bad_twist.json": [_point(f"u_{u:x}"[:12], _le(u)) for u in twist if not ref.is_on_curve(u)],
    }


def _bad_labels(case):
    """One good label, and every alteration of it or of the place at which it is read."""
    sealed, width = bytes.fromhex(case["sealed"]), case["width"]
    place = {"item": case["item"], "origin": case["origin"], "epoch": case["epoch"], "tag": case["tag"]}
    place["width"] = width
    key = bytes.fromhex(case["label_key"])

    def altered(name, at):
        return _label(f"{name}_bit", key, sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :], place)

    plain, end = _pack(case["record"], width), 10 + width
    malformed = {
        "name_check_without_name": bytes([plain[0] & 2]) + b"\x55" + plain[2:],
        "converted_check_without_name": bytes([plain[0] & 2 | 4]) + b"\0" + plain[2:],
        "short": plain[:-1],
        "long": plain + b"\0",
    }
    associated = bytes.fromhex(case["associated"])
    other_tag = bytes.fromhex(case["tag"])[:-1] + bytes([bytes.fromhex(case["tag"])[-1] ^ 1])
    return {
        "label_bad_nonce.json": [
            _label("first_bit", key, siv.seal_siv(key, b"\1" + bytes(11), plain, associated), place),
            _label("last_bit", key, siv.seal_siv(key, bytes(11) + b"\1", plain, associated), place),
        ],
        "label_bad_ciphertext.json": [altered("first", 0), altered("date", 2), altered("last", end - 1)],
        "label_bad_tag.json": [altered("first", end), altered("last", end + 15)],
        "label_bad_length.json": [
            _label(name, key, wrong, place)
            for name, wrong in (("empty", b""), ("cut", sealed[:-1]), ("longer", sealed + b"\0"))
        ],
        "label_bad_item.json": [_label("other", key, sealed, {**place, "item": "C22"})],
        "label_bad_epoch.json": [_label("next", key, sealed, {**place, "epoch": place["epoch"] + 1})],
        "label_bad_origin.json": [_label("other", key, sealed, {**place, "origin": "45"})],
        "label_bad_entry.json": [_label("other_tag", key, sealed, {**place, "tag": other_tag.hex()})],
        "label_bad_width.json": [
            _label(f"{other}_bytes", key, sealed, {**place, "width": other})
            for other in WIDTHS
            if other != width
        ],
        "label_bad_key.json": [_label("other", _bytes("key", "other"), sealed, place)],
        "label_bad_associated.json": [
            _label("none", key, siv.seal_label(key, plain, b""), place),
            _label("cut", key, siv.seal_label(key, plain, associated[:-1]), place),
            _label("without_tag", key, siv.seal_label(key, plain, associated[:-10]), place),
        ],
        "label_bad_record.json": [
            _label(name, key, siv.seal_label(key, wrong, associated), place)
            for name, wrong in malformed.items()
        ],
    }


def _label(name, key, sealed, place):
    return {"name": name, "label_key": key.hex(), "sealed": sealed.hex(), **place}


def _pack(record, width):
    flags = record["has_name"] + 2 * record["planted"] + record["converted"]
    number = bytes.fromhex(record["record"])
    value = record["value"] if width else 0
    return ref.pack_record(flags, record["name_check"], record["as_of"], value, width, number)


def _point(name, points):
    return {"name": name, "points": points.hex()}


def _named(fields, rows):
    return [dict(zip(("name", *fields.split()), row, strict=True)) for row in rows]


def _le(number):
    return number.to_bytes(32, "little")


def _bytes(*labels):
    return ref.blake3("/".join(labels).encode(), context="heqiao test vectors")


def main():
    """Write the files, or with --check report the ones that differ."""
    different = []
    for name, content in vectors().items():
        text = json.dumps(content, ensure_ascii=True, indent=1) + "\n"
        target = HERE / name
        if "--check" in sys.argv:
            if not target.exists() or target.read_text() != text:
                different.append(name)
        else:
            target.write_text(text)
    if different:
        print("differ:", *different)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
