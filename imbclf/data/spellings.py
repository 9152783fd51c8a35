"""Which words are one word written in two ways."""

import re
import unicodedata
from collections import defaultdict
from decimal import Decimal
from itertools import combinations

# Comparing each word with each takes too long beyond, and so many words are no classes.
MOST_WORDS = 300
_SHORTEST_MISSPELT = 5
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")
_GAP = re.compile(r"[\s_.,;:/\\()\[\]'\"-]+")
_ROMAN = re.compile(r"[ivx]+")


def plain(word):
    """What the spellings of one word share: equal for words that differ in nothing that tells classes apart.

    Case, Unicode's forms, spaces, underscores, hyphens, points and leading zeros are taken away, and a number counts by
    its value. What may tell two classes apart stays: a sign at the beginning or the end, `+`, `<`, `>`, and a gap
    between two digits.

    Example:

    >>> plain("IDH-Mutant") == plain("idh mutant "), plain("grade_02") == plain("Grade 2"), plain("1.0") == plain("1")
    (True, True, True)
    >>> plain("DR+") == plain("DR-"), plain("1.0") == plain("10"), plain("stage 1.5") == plain("stage 15")
    (False, False, False)
    """
    text = _folded(word)
    if _NUMBER.fullmatch(text):
        return str(Decimal(text).normalize())
    text = re.sub(r"(?<![\d.,])0+(?=\d)", "", text)

    def gap(match):
        before, after = text[: match.start()][-1:], text[match.end() :][:1]
        if before.isdigit() and after.isdigit():
            return " "
        return "-" if "-" in match[0] and not (before and after) else ""

    return _GAP.sub(gap, text)


def same_words(words):
    """Groups of words that are one word in several spellings: those that `plain` makes equal.

    Example:

    >>> same_words(["IDH-mutant", "idh mutant", "IDH wildtype", "1", "01"])
    [('1', '01'), ('IDH-mutant', 'idh mutant')]
    """
    groups = defaultdict(list)
    for word in sorted(set(words)):
        groups[plain(word)].append(word)
    return sorted(tuple(sorted(group, key=len)) for group in groups.values() if len(group) > 1)


def near_words(words):
    """Pairs of words that may be one word and its misspelling.

    They have equally many parts, and the parts that differ have at least 5 letters each and differ by one letter that
    is added, missing, wrong or swapped with its neighbour (by two such steps from 9 letters on). Numbers, also Roman
    ones, are never misspelt: grade 2 and grade 3 are two classes. So are a word and its negation.

    Example:

    >>> near_words(["glaucoma", "glaucmoa", "normal", "abnormal", "grade 2", "grade 3"])
    [('glaucmoa', 'glaucoma')]
    """
    parts_of = {word: _parts(word) for word in sorted(set(words))}
    if len(parts_of) > MOST_WORDS:
        return []
    return [
        (first, second)
        for first, second in combinations(parts_of, 2)
        if parts_of[first] != parts_of[second] and _are_near(parts_of[first], parts_of[second])
    ]


def _folded(word):
    """A word without case and in one of Unicode's forms, its hyphens and minus signs all the same."""
    return re.sub("[‐-―−]", "-", unicodedata.normalize("NFKC", word).casefold()).strip()


def _parts(word):
    """Parts of a word, folded: `"IDH-Mutant 02"` becomes `["idh", "mutant", "2"]`."""
    parts = [part for part in _GAP.split(_folded(word)) if part]
    return [part.lstrip("0") or "0" if part.isdecimal() else part for part in parts]


def _are_near(first, second):
    if len(first) != len(second):
        return False
    different = [(one, other) for one, other in zip(first, second) if one != other]
    return all(
        min(len(one), len(other)) >= _SHORTEST_MISSPELT
        and (one + other).isalpha()
        and not (_ROMAN.fullmatch(one) and _ROMAN.fullmatch(other))
        and edit_distance(one, other) <= (2 if min(len(one), len(other)) >= 9 else 1)
        for one, other in different
    )


def edit_distance(first, second):
    """Fewest letters to add, take away, replace, or swap with their neighbour (optimal string alignment).

    Example:

    >>> edit_distance("astrocytoma", "astrocitoma"), edit_distance("glaucoma", "glaucmoa"), edit_distance("", "abc")
    (1, 1, 3)
    """
    before, row = [], list(range(len(second) + 1))
    for i, letter in enumerate(first, start=1):
        two_before, before, row = before, row, [i]
        for j, other in enumerate(second, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == second[j - 2] and first[i - 2] == other:
                cost = min(cost, two_before[j - 2] + 1)
            row.append(cost)
    return row[-1]
