"""Shared layers count once, to the byte, whatever images share."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_image_manager.accounting.forest import Forest
from jupyter_image_manager.models import Layer

# Few different layers, so that images have beginnings in common, also with and without digests.
LAYERS = st.builds(
    lambda number, size, known: Layer(f"RUN {number}", size, f"sha256:{number}-{size}" if known else ""),
    st.integers(0, 2),
    st.sampled_from([0, 7, 100]),
    st.booleans(),
)
CONTENTS = st.dictionaries(st.sampled_from("abcdefg"), st.lists(LAYERS, max_size=4), max_size=6)


@given(CONTENTS)
def test_parts_add_up_to_what_is_held(contents: dict[str, list[Layer]]) -> None:
    forest = Forest(contents)
    shares = forest.shares()
    assert sum(shares.values()) == forest.union(contents)
    for owner, layers in contents.items():
        assert forest.size(owner) == sum(layer.size for layer in layers)
        unique = forest.size(owner) - forest.shared(owner)
        assert unique == forest.frees([owner]) == forest.union(contents) - forest.union(set(contents) - {owner})
        assert unique <= shares[owner] <= forest.size(owner)


@given(CONTENTS, st.sets(st.sampled_from("abcdefg")))
def test_parts_of_some_add_up_to_what_these_hold(contents: dict[str, list[Layer]], some: set[str]) -> None:
    forest = Forest(contents)
    some &= set(contents)
    assert sum(forest.shares(some).values()) == forest.union(some)
    assert forest.frees(some) == forest.union(contents) - forest.union(set(contents) - some)


@given(CONTENTS, st.sets(st.sampled_from("abcdefg")), st.integers(0, 3))
def test_no_other_choice_frees_more(contents: dict[str, list[Layer]], allowed: set[str], most: int) -> None:
    forest = Forest(contents)
    chosen, frees = forest.best(allowed, most)
    assert set(chosen) <= allowed & set(contents) and len(set(chosen)) == len(chosen) <= most
    assert frees == forest.frees(chosen)
    here = sorted(allowed & set(contents))
    tries = [forest.frees(some) for count in range(most + 1) for some in combinations(here, count)]
    assert frees == max(tries)


def test_the_same_layer_on_another_one_takes_its_room_again() -> None:
    pip = Layer("RUN pip install", 50, "sha256:pip")
    forest = Forest({"a": [Layer("base", 10, "sha256:1"), pip], "b": [Layer("base", 10, "sha256:2"), pip]})
    assert forest.union(["a", "b"]) == 120
    assert forest.shared("a") == 0


def test_without_a_digest_the_same_instruction_counts_as_the_same() -> None:
    forest = Forest({"a": [Layer("base", 10, "sha256:1")], "b": [Layer("base", 10)], "c": [Layer("base", 11)]})
    assert forest.frees(["a"]) == 0
    assert forest.frees(["c"]) == 11


def test_an_image_that_is_there_twice_is_freed_with_both() -> None:
    layers = [Layer("base", 10, "sha256:1"), Layer("RUN", 5, "sha256:2")]
    forest = Forest({"a": layers, "b": layers, "c": layers[:1]})
    assert forest.best("ab", 1) == ((), 0)
    assert forest.best("ab", 2) == (("a", "b"), 5)
    assert forest.best("abc", 3) == (("a", "b", "c"), 15)


def test_long_images_are_no_trouble() -> None:
    long = {str(n): [Layer("RUN", 1, f"sha256:{n if i > 100 else 0}-{i}") for i in range(127)] for n in range(50)}
    forest = Forest(long)
    assert sum(forest.shares().values()) == forest.union(long) == 101 + 50 * 26
    assert forest.best(set(long), 3)[1] == 3 * 26
