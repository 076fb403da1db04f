import pytest

from trainables.metrics.stenosis import StenosisScores, extract_findings, stenosis_scores

LAD, PLAD, RCA, LM = (
    "left anterior descending artery",
    "proximal left anterior descending artery",
    "mid right coronary artery",
    "left main",
)
SEGMENTS = (LAD, PLAD, RCA, LM)


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("70% stenosis of the proximal left anterior descending artery", {PLAD: 70}),
        ("Mid right coronary artery with 90 % narrowing.", {RCA: 90}),
        (
            "70% stenosis of the left anterior descending artery and 90% stenosis of the mid right coronary artery.",
            {LAD: 70, RCA: 90},
        ),
        (
            "the left main is normal. 40 percent narrowing of the mid right\n coronary artery; no other lesion",
            {RCA: 40},
        ),
        ("left main 30%, mid right coronary artery 50%", {LM: 30, RCA: 50}),
        ("left main 30% mid right coronary artery 50%", {LM: 30, RCA: 50}),
        ("left main with 30% stenosis. left main with 80% stenosis.", {LM: 30}),
        ("left main 30% to 50%", {LM: 30}),
        ("left main 100% occluded", {LM: 100}),
        ("70% stenosis of the and mid right coronary artery", {}),
        ("stenosis of the left main", {}),
        ("70% stenosis of the circumflex", {}),
        ("left main 170%", {}),
        ("left main 70.5%", {}),
        ("left main 70", {}),
        ("left mainly 70%", {}),
        ("", {}),
    ],
)
def test_findings_of_a_report(text, findings):
    assert extract_findings(text, segments=SEGMENTS) == findings


def test_the_longest_name_is_taken():
    assert extract_findings("left main bifurcation 40%", segments=("left main", "left main bifurcation")) == {
        "left main bifurcation": 40
    }


def test_segments_are_taken_literally():
    assert extract_findings("axb 40%", segments=("a.b",)) == {}


def test_no_segments_are_refused():
    with pytest.raises(ValueError, match="no segment names"):
        extract_findings("left main 40%", segments=())


def test_scores_over_a_corpus():
    references = ["left main 30%, mid right coronary artery 50%", "left main 70%", "no lesion"]
    hypotheses = ["left main 30%, mid right coronary artery 70%", "mid right coronary artery 70%", "left main 20%"]
    assert stenosis_scores(references, hypotheses, segments=SEGMENTS) == StenosisScores(
        recall=1 / 3, precision=1 / 4, mean_absolute_error=10.0, num_references=3, num_hypotheses=4, num_common=2
    )


def test_what_cannot_be_computed_is_none():
    scores = stenosis_scores(["left main 30%"], [""], segments=SEGMENTS)
    assert (scores.recall, scores.precision, scores.mean_absolute_error) == (0.0, None, None)
    scores = stenosis_scores([""], ["left main 30%"], segments=SEGMENTS)
    assert (scores.recall, scores.precision, scores.mean_absolute_error) == (None, 0.0, None)
    assert stenosis_scores([], [], segments=SEGMENTS) == StenosisScores(None, None, None, 0, 0, 0)


def test_as_many_references_as_hypotheses():
    with pytest.raises(ValueError, match="shorter"):
        stenosis_scores(["left main 30%"], [], segments=SEGMENTS)
