"""The public test vectors of the formats the log is made of: RFC 8032, RFC 8785, RFC 6962, C2SP."""

import base64
import hashlib
import math
import struct
from collections.abc import Iterator
from itertools import islice

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reputation import notes
from reputation.canonical import NumberNotFinite, canonical
from reputation.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from tests.reputation.published import ED25519_MESSAGE, ES6_NUMBERS
from tests.reputation.test_merkle import LEAVES, ROOTS, tiles_of


@pytest.mark.parametrize(
    ("seed", "public", "message", "signature"),
    [
        (
            "f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",
            "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e",
            ED25519_MESSAGE,
            "0aab4c900501b3e24d7cdf4663326a3a87df5e4843b2cbdb67cbf6e460fec350"
            "aa5371b1508f9f4528ecea23c436d94b5e8fcd4f681e30a6ac00a9704a188a03",
        ),
        (
            "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            hashlib.sha512(b"abc").digest(),
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
            "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
        ),
    ],
    ids=["TEST 1024", "TEST SHA(abc)"],
)
def test_the_long_messages_of_rfc_8032_sign_as_published(
    seed: str, public: str, message: bytes, signature: str
) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))
    assert key.public_key().public_bytes_raw().hex() == public
    assert key.sign(message).hex() == signature
    with pytest.raises(InvalidSignature):
        key.public_key().verify(bytes.fromhex(signature), message + b"\0")


# --- RFC 8785 -------------------------------------------------------------------------------------

APPENDIX_B = [
    *[("0000000000000000", "0"), ("8000000000000000", "0")],
    *[("0000000000000001", "5e-324"), ("8000000000000001", "-5e-324")],
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("ffefffffffffffff", "-1.7976931348623157e+308"),
    *[("4340000000000000", "9007199254740992"), ("c340000000000000", "-9007199254740992")],
    ("4430000000000000", "295147905179352830000"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("44b52d02c7e14af7", "1.0000000000000001e+23"),
    ("444b1ae4d6e2ef4e", "999999999999999700000"),
    ("444b1ae4d6e2ef4f", "999999999999999900000"),
    ("444b1ae4d6e2ef50", "1e+21"),
    *[("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"), ("3eb0c6f7a0b5ed8d", "0.000001")],
    *[("41b3de4355555553", "333333333.3333332"), ("41b3de4355555554", "333333333.33333325")],
    *[("41b3de4355555555", "333333333.3333333"), ("41b3de4355555556", "333333333.3333334")],
    ("41b3de4355555557", "333333333.33333343"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]


def double(bits: int) -> float:
    (value,) = struct.unpack(">d", bits.to_bytes(8, "big"))
    return float(value)


@pytest.mark.parametrize(("bits", "text"), APPENDIX_B)
def test_every_number_of_appendix_b_is_written_as_the_table_says(bits: str, text: str) -> None:
    assert canonical(double(int(bits, 16))) == text.encode()


@pytest.mark.parametrize("bits", ["7fffffffffffffff", "7ff0000000000000"])
def test_what_appendix_b_calls_an_error_is_one(bits: str) -> None:
    with pytest.raises(NumberNotFinite):
        canonical([double(int(bits, 16))])


def es6_numbers() -> Iterator[float]:
    """The number file of the reference implementation, value by value, as it is generated."""
    yield from map(double, ES6_NUMBERS)
    yield from (double(0x0010000000000000 + step) for step in range(2_000))
    block = bytes(32)
    while True:
        block = hashlib.sha256(block).digest()
        found = struct.unpack("<4d", block)
        yield from (value for value in found if value and math.isfinite(value))


@pytest.mark.parametrize(
    ("lines", "published"),
    [
        (1_000, "be18b62b6f69cdab33a7e0dae0d9cfa869fda80ddc712221570f9f40a5878687"),
        (10_000, "b9f7a8e75ef22a835685a52ccba7f7d6bdc99e34b010992cbc5864cd12be6892"),
        pytest.param(
            100_000,
            "22776e6d4b49fa294a0d0f349268e5c28808fe7e0cb2bcbe28f63894e494d4c7",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_the_published_number_file_comes_out_to_the_byte(lines: int, published: str) -> None:
    text = hashlib.sha256()
    for value in islice(es6_numbers(), lines):
        bits = int.from_bytes(struct.pack(">d", value), "big")
        text.update(b"%x,%s\n" % (bits, canonical(value)))
    assert text.hexdigest() == published


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            {
                "\u20ac": "Euro Sign",
                "\r": "Carriage Return",
                "\ufb33": "Hebrew Letter Dalet With Dagesh",
                "1": "One",
                "\U0001f600": "Emoji: Grinning Face",
                "\u0080": "Control",
                "\u00f6": "Latin Small Letter O With Diaeresis",
            },
            '{"\\r":"Carriage Return","1":"One","\u0080":"Control",'
            '"\u00f6":"Latin Small Letter O With Diaeresis","\u20ac":"Euro Sign",'
            '"\U0001f600":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
        ),
        (
            [56, {"d": True, "10": None, "1": []}],
            '[56,{"1":[],"10":null,"d":true}]',
        ),
        (
            {"Unnormalized Unicode": "A\u030a"},
            '{"Unnormalized Unicode":"A\u030a"}',
        ),
    ],
    ids=["RFC 8785 3.2.3", "arrays", "unicode"],
)
def test_the_published_examples_are_sorted_and_kept_as_they_say(value: object, text: str) -> None:
    assert canonical(value) == text.encode()


# --- RFC 6962: the reference tree of Certificate Transparency -------------------------------------

A, B, C = (
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
)
D, E, F = (
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
)
HASHES = [leaf_hash(leaf) for leaf in LEAVES]


@pytest.mark.parametrize(
    ("index", "size", "proof"),
    [
        (0, 1, []),
        (1, 2, [ROOTS[1]]),
        (0, 8, [A, B, C]),
        (5, 8, [D, E, ROOTS[4]]),
        (2, 3, [ROOTS[2]]),
        (1, 5, [ROOTS[1], B, D]),
    ],
)
def test_inclusion_is_proved_as_the_reference_tree_proves_it(
    index: int, size: int, proof: list[str]
) -> None:
    found = inclusion_proof(index=index, size=size, read=tiles_of(HASHES[:size]))
    assert [step.hex() for step in found] == proof
    verify_inclusion(
        leaf=HASHES[index], index=index, size=size, proof=found, root=bytes.fromhex(ROOTS[size])
    )


@pytest.mark.parametrize(
    ("old", "new", "proof"),
    [
        (1, 1, []),
        (1, 8, [A, B, C]),
        (2, 8, [B, C]),
        (6, 8, [F, E, ROOTS[4]]),
        (2, 5, [B, D]),
    ],
)
def test_consistency_is_proved_as_the_reference_tree_proves_it(
    old: int, new: int, proof: list[str]
) -> None:
    found = consistency_proof(old=old, new=new, read=tiles_of(HASHES[:new]))
    assert [step.hex() for step in found] == proof
    verify_consistency(
        old=old,
        new=new,
        old_root=bytes.fromhex(ROOTS[old]),
        new_root=bytes.fromhex(ROOTS[new]),
        proof=found,
    )


# --- C2SP -----------------------------------------------------------------------------------------

COSIGNED = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhc"
    "yv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3"
    "b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)


def test_the_example_of_a_cosigned_checkpoint_reads_as_the_specification_explains_it() -> None:
    note = notes.read_note(COSIGNED)
    assert str(note) == COSIGNED
    log, witness = note.signatures
    assert (log.name, log.key_id.hex(), len(log.content)) == (
        *("example.com/behind-the-sofa", "033de0ae"),
        64,
    )
    assert (witness.name, witness.key_id.hex()) == ("witness.example.com/w1", "8d66cf3f")
    assert notes.cosigned_at(witness) == 1_679_315_147
    assert len(witness.content) == 8 + 64
    head = notes.read_head(note.text)
    assert (head.origin, head.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert base64.b64encode(head.root) == b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
