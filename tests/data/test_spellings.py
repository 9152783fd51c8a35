import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbclf.data.spellings import edit_distance, near_words, same_words


class TestSpellings:
    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("IDH mutant", "idh-mutant"),
            ("IDH mutant", "IDH_mutant "),
            ("grade 2", "Grade  2"),
            ("1", "01"),
            # A ligature and full-width letters.
            ("ﬁbrosis", "fibrosis"),
            ("Ｉｌｌ", "ill"),
            ("1.0", "1"),
            ("grade 02", "grade-2"),
            ("IDH–mutant", "IDH mutant"),
            ("DR +", "dr+"),
        ],
    )
    def test_one_word_in_two_spellings(self, first, second):
        assert same_words([first, second, "another"]) == [tuple(sorted(sorted([first, second]), key=len))]

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("glaucoma", "glaucmoa"),
            ("glaucoma", "glacoma"),
            ("oligodendroglioma", "oligodendrogliomma"),
            ("oligodendroglioma", "oligodendogloima"),
            ("early glaucoma", "early-glaukoma"),
        ],
    )
    def test_misspelt_words(self, first, second):
        assert near_words([first, second]) == [tuple(sorted([first, second]))]

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("grade 2", "grade 3"),
            ("grade II", "grade III"),
            ("grade2", "grade3"),
            ("type a", "type b"),
            ("normal", "abnormal"),
            ("codeleted", "non-codeleted"),
            ("ill", "well"),
            ("astrocytoma", "glioblastoma"),
            ("DR+", "DR-"),
            ("glaucoma+", "glaucoma-"),
            ("glaucoma +", "glaucoma −"),
            ("1", "-1"),
            ("1.0", "10"),
            ("stage 1.05", "stage 1.5"),
            ("1/2", "12"),
            ("<50", ">50"),
            # Vowel signs are marks to Unicode, not letters.
            ("की", "कु"),
        ],
    )
    def test_words_that_are_two_classes(self, first, second):
        assert near_words([first, second]) == same_words([first, second]) == []

    @settings(max_examples=30, deadline=None)
    @given(st.text("abc", max_size=8), st.text("abc", max_size=8), st.integers(0, 7))
    def test_the_edit_distance_is_symmetric_bounded_and_1_for_one_edit(self, word, other, place):
        assert edit_distance(word, other) == edit_distance(other, word) <= max(len(word), len(other))
        assert edit_distance(word, word) == 0
        place = min(place, len(word))
        assert edit_distance(word, word[:place] + "x" + word[place:]) == 1
