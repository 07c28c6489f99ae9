"""The tree is RFC 6962's, at every size, whoever holds the tiles."""

from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reputation.merkle import (
    EMPTY_ROOT,
    Accumulator,
    OutsideTree,
    ProofInvalid,
    Reader,
    Span,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_at,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# The public test tree of Certificate Transparency: its leaves, and its root at each size.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        *("", "00", "10", "2021", "3031", "40414243"),
        *("5051525354555657", "606162636465666768696a6b6c6d6e6f"),
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SOME = [leaf_hash(str(number).encode()) for number in range(1_200)]


def split(size: int) -> int:
    return max(1 << bit for bit in range(64) if 1 << bit < size)


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 2.1, word for word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    middle = split(len(leaves))
    return node_hash(naive_root(leaves[:middle]), naive_root(leaves[middle:]))


def naive_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962 2.1.1."""
    if len(leaves) == 1:
        return []
    middle = split(len(leaves))
    if index < middle:
        return [*naive_path(index, leaves[:middle]), naive_root(leaves[middle:])]
    return [*naive_path(index - middle, leaves[middle:]), naive_root(leaves[:middle])]


def naive_subproof(old: int, leaves: Sequence[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962 2.1.2."""
    if old == len(leaves):
        return [] if whole else [naive_root(leaves)]
    middle = split(len(leaves))
    if old <= middle:
        return [*naive_subproof(old, leaves[:middle], whole), naive_root(leaves[middle:])]
    return [*naive_subproof(old - middle, leaves[middle:], False), naive_root(leaves[:middle])]


def tiles_of(leaves: Sequence[bytes]) -> Reader:
    rows = [list(leaves)]
    while len(rows[-1]) >= 256:
        row = rows[-1]
        whole = len(row) // 256 * 256
        rows.append([root_of(b"".join(row[at : at + 256])) for at in range(0, whole, 256)])

    def read(spans: Sequence[Span]) -> list[bytes]:
        for span in spans:
            assert span.first // 256 == (span.first + span.count - 1) // 256, "spans two tiles"
        return [b"".join(rows[span.level][span.first : span.first + span.count]) for span in spans]

    return read


READ = tiles_of(SOME)
sizes = st.one_of(
    st.integers(0, 1_200), st.sampled_from([1, 2, 255, 256, 257, 511, 512, 513, 768, 1_024, 1_025])
)


@pytest.mark.parametrize("size", range(9))
def test_the_public_test_tree_has_its_published_roots(size: int) -> None:
    leaves = [leaf_hash(leaf) for leaf in LEAVES[:size]]
    assert root_of(b"".join(leaves)).hex() == ROOTS[size]
    assert root_at(size=size, read=tiles_of(leaves)).hex() == ROOTS[size]


@given(size=sizes, draw=st.data())
@settings(max_examples=60, deadline=None)
def test_every_leaf_is_proved_as_the_naive_tree_proves_it(size: int, draw: st.DataObject) -> None:
    leaves, root = SOME[:size], naive_root(SOME[:size])
    assert root_at(size=size, read=READ) == root
    if not size:
        return
    index = draw.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index=index, size=size, read=READ)
    assert proof == naive_path(index, leaves)
    verify_inclusion(leaf=leaves[index], index=index, size=size, root=root, proof=proof)


@given(two=st.tuples(sizes, sizes).map(sorted))
@settings(max_examples=60, deadline=None)
def test_every_later_tree_is_proved_to_contain_every_earlier_one(two: list[int]) -> None:
    old, new = two
    proof = consistency_proof(old=old, new=new, read=READ)
    assert proof == (naive_subproof(old, SOME[:new], True) if old else [])
    verify_consistency(
        old=old,
        old_root=naive_root(SOME[:old]),
        new=new,
        new_root=naive_root(SOME[:new]),
        proof=proof,
    )


@given(two=st.tuples(st.integers(1, 300), st.integers(1, 300)).map(sorted), draw=st.data())
@settings(max_examples=60, deadline=None)
def test_no_proof_survives_a_change(two: list[int], draw: st.DataObject) -> None:
    old, new = two
    old_root, new_root = naive_root(SOME[:old]), naive_root(SOME[:new])
    proof = consistency_proof(old=old, new=new, read=READ)
    wrong = bytes(32)
    changed = [[*proof, wrong]]
    if proof:
        at = draw.draw(st.integers(0, len(proof) - 1))
        changed += [proof[:-1], [*proof[:at], wrong, *proof[at + 1 :]]]
    for one in changed:
        with pytest.raises(ProofInvalid):
            verify_consistency(old=old, old_root=old_root, new=new, new_root=new_root, proof=one)
    for roots in ((wrong, new_root), (old_root, wrong)):
        with pytest.raises(ProofInvalid):
            verify_consistency(old=old, old_root=roots[0], new=new, new_root=roots[1], proof=proof)
    index = draw.draw(st.integers(0, new - 1))
    path = inclusion_proof(index=index, size=new, read=READ)
    for given_path, leaf, place in (
        ([*path, wrong], SOME[index], index),
        (path, wrong, index),
        (path[:-1], SOME[index], index) if path else ([wrong], SOME[index], index),
        (path, SOME[index], new),
    ):
        with pytest.raises(ProofInvalid):
            verify_inclusion(leaf=leaf, index=place, size=new, root=new_root, proof=given_path)


def test_a_tree_cut_and_grown_again_contains_nothing_of_the_old_one() -> None:
    forked = [*SOME[:90], *SOME[500:700]]
    with pytest.raises(ProofInvalid):
        verify_consistency(
            old=100,
            old_root=naive_root(SOME[:100]),
            new=290,
            new_root=naive_root(forked),
            proof=consistency_proof(old=100, new=290, read=tiles_of(forked)),
        )


@given(cuts=st.lists(st.integers(0, 1_200), max_size=6))
@settings(max_examples=40, deadline=None)
def test_a_tree_grown_in_any_runs_has_the_same_root(cuts: list[int]) -> None:
    tree = Accumulator()
    assert tree.root() == EMPTY_ROOT
    for start, end in pairwise(sorted({0, *cuts, 1_200})):
        tree.add(b"".join(SOME[start:end]))
        assert (tree.size, tree.root()) == (end, naive_root(SOME[:end]))


def test_what_is_not_in_the_tree_has_no_proof() -> None:
    for index, size in ((-1, 5), (5, 5), (0, 0)):
        with pytest.raises(OutsideTree):
            inclusion_proof(index=index, size=size, read=READ)
    for old, new in ((6, 5), (-1, 5)):
        with pytest.raises(OutsideTree):
            consistency_proof(old=old, new=new, read=READ)
