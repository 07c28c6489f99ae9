"""Signed notes, checkpoints and cosignatures, to the letter of C2SP, with its public vectors."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from reputation import notes
from reputation.notes import (
    Head,
    NoteMalformed,
    SignatureUnknown,
    SignatureWrong,
    Vkey,
    read_checkpoint,
    read_head,
    read_note,
    read_proof,
    read_vkey,
    verified,
)

# The public example of the signed note package: its key, its text and its signature.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
QUOTED = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdng"
    "otpRZb6KE6RyyBwJnAM=\n"
)
# RFC 8032 7.1: seed, public key, message, signature.
ED25519 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
ORIGIN = "log.example/1"
LOG = Vkey(ORIGIN, notes.ED25519, PUBLIC)
HEAD = Head(ORIGIN, 12, bytes(32))


def signed(head: Head = HEAD, name: str = ORIGIN) -> str:
    return str(notes.Note(head.text, (notes.sign(text=head.text, name=name, key=KEY),)))


@pytest.mark.parametrize(("seed", "public", "message", "signature"), ED25519)
def test_ed25519_is_that_of_rfc_8032(seed: str, public: str, message: str, signature: str) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))
    assert key.public_key().public_bytes_raw().hex() == public
    assert key.sign(bytes.fromhex(message)).hex() == signature
    told = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    told.verify(bytes.fromhex(signature), bytes.fromhex(message))


def test_the_public_example_of_a_signed_note_verifies() -> None:
    key = read_vkey(NEUMANN)
    assert (key.name, key.id.hex(), str(key)) == ("PeterNeumann", "c74f20a3", NEUMANN)
    note = read_note(QUOTED)
    assert verified(note, [key]) == [key]
    assert str(note) == QUOTED
    with pytest.raises(SignatureWrong):
        verified(read_note(QUOTED.replace("answer", "cause")), [key])


def test_the_example_checkpoint_of_the_specification_reads_as_it_says() -> None:
    head = read_head(
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )
    assert (head.origin, head.size) == ("example.com/behind-the-sofa", 20852163)
    assert base64.b64encode(head.root).decode() == "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="


def test_a_checkpoint_is_its_origin_size_and_root_under_the_logs_own_signature() -> None:
    assert read_checkpoint(signed(), [LOG]) == HEAD
    extended = HEAD.text + "an extension\n"
    assert read_head(extended) == HEAD


def test_a_signature_by_another_name_or_key_is_passed_over() -> None:
    for stranger in (
        Vkey("other.example/1", notes.ED25519, PUBLIC),
        Vkey(ORIGIN, notes.ED25519, bytes(32)),
    ):
        with pytest.raises(SignatureUnknown):
            read_checkpoint(signed(), [stranger])
    with pytest.raises(SignatureUnknown):
        read_checkpoint(signed(name="other.example/1"), [LOG])


def test_a_cosignature_signs_the_time_and_the_checkpoint() -> None:
    witness = Vkey("witness.example/1", notes.COSIGNATURE, PUBLIC)
    line = notes.cosign(text=HEAD.text, name=witness.name, key=KEY, seconds=1_679_315_147)
    raw = base64.b64decode(str(line).split(" ")[2])
    assert raw[:4] == witness.id
    assert int.from_bytes(raw[4:12], "big") == 1_679_315_147
    message = f"cosignature/v1\ntime 1679315147\n{HEAD.text}".encode()
    KEY.public_key().verify(raw[12:], message)
    both = read_note(signed() + str(line))
    assert verified(both, [LOG, witness]) == [LOG, witness]
    later = notes.Signature(line.name, line.key_id, (1).to_bytes(8, "big") + line.content[8:])
    with pytest.raises(SignatureWrong):
        verified(notes.Note(HEAD.text, (later,)), [witness])


@pytest.mark.parametrize(
    "text",
    [
        *("", "a\n", "a\n\n", "a\n\nb\n", "a\n\n— n\n", "a\n\n— n !!!!\n", "a\n\n— n AAAA\n"),
        *("a\n\n— n AAAAAAA=", "a\tb\n\n— n AAAAAAA=\n", "a\n\n— n+m AAAAAAA=\n"),
        *("a\n\n-- n AAAAAAA=\n", "a\n\n" + "— n AAAAAAA=\n" * 65, "a" * 70_000),
    ],
)
def test_what_is_no_note_is_refused(text: str) -> None:
    with pytest.raises(NoteMalformed):
        read_note(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "o\n1\n", "o\n01\nAAAA\n", "o\n-1\n" + "A" * 43 + "=\n", "o\n1\nAAAA\n"),
        *("\n1\n" + "A" * 43 + "=\n", "o\n1\n" + "A" * 43 + "=\n\n", "o\n١\n" + "A" * 43 + "=\n"),
        "o\n9999999999999999999\n" + "A" * 43 + "=\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteMalformed):
        read_head(text)


@pytest.mark.parametrize(
    "vkey",
    [
        *("", "a", "a+b", "a+00000000+AAAA", NEUMANN.replace("c74f", "c74e"), "a b+" + NEUMANN),
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TX",
    ],
)
def test_what_is_no_key_is_refused(vkey: str) -> None:
    with pytest.raises(NoteMalformed):
        read_vkey(vkey)


def test_a_proof_reads_as_it_was_written() -> None:
    proof = notes.TlogProof(7, (bytes(32), bytes(range(32))), signed())
    assert str(proof).startswith("c2sp.org/tlog-proof@v1\nindex 7\nAAAA")
    assert read_proof(str(proof)) == proof
    with_extra = str(proof).replace("@v1\n", "@v1\nextra AAAA\n")
    assert read_proof(with_extra) == proof
    for wrong in ("", "c2sp.org/tlog-proof@v1\n\n", str(proof).replace("index 7", "index 07")):
        with pytest.raises(NoteMalformed):
            read_proof(wrong)


def test_a_policy_names_the_log_its_witnesses_and_their_quorum() -> None:
    witness = Vkey("witness.example/1", notes.COSIGNATURE, PUBLIC)
    assert notes.policy(log=LOG, url="https://log.example/", witnesses=[(witness, "")]) == (
        f"log {LOG} https://log.example/\nwitness w1 {witness}\n"
        "group witnesses all w1\nquorum witnesses\n"
    )
    assert notes.policy(log=LOG, url="", witnesses=[]) == f"log {LOG}\nquorum none\n"
