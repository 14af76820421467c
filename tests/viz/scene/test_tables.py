"""A style of one's own: what it changes, and what is told of a table that is none."""

import pytest

import rnn
import viz
from viz.scene.styles import STYLES
from viz.scene.tables import made, read

TABLE = """
base = "dark"
ground = "none"
[looks.hidden]
fill = "#102030"
dash = "4 2"
[words]
unfold = "entfalten"
"Layer {}: {}" = "Schicht {}: {}"
"""


def test_a_table_in_python_and_in_a_file_are_one_style(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(TABLE)
    style = read(file)
    assert style.look("hidden").fill == "#102030"
    assert style.look("hidden").line == STYLES["dark"].look("hidden").line
    svgs = {
        viz.draw(rnn.RNNCell(3, 5), style=given).svg()
        for given in (str(file), file, style, {
            "base": "dark", "ground": "none",
            "looks": {"hidden": {"fill": "#102030", "dash": "4 2"}},
            "words": {"unfold": "entfalten"},
        })
    }  # fmt: skip
    assert len(svgs) == 1
    (svg,) = svgs
    assert "entfalten" in svg
    assert 'stroke-dasharray="4 2"' in svg
    assert "<rect" not in svg.partition("<g")[0]


def test_every_word_of_a_picture_can_be_said_otherwise():
    figures = viz.figures
    for drawing in (
        viz.draw(rnn.LSTMCell(3, 5), "folded", level="op"), figures.modelling_tasks(),
        figures.memory_cell(rnn.LSTMCell(3, 5)), figures.stages(rnn.LSTMCell(1, 1),
        rnn.LSTMCell(1, 1).init(0), [1.0]), viz.draw(rnn.RNNCell(3, 5), steps="t"),
    ):  # fmt: skip
        assert drawing.words
        table = dict.fromkeys(drawing.words, "…")
        said = viz.Drawing(_in(drawing.scene, made({"words": table})))
        assert said.words == []
        assert len(said.scene.texts) == len(drawing.scene.texts)


def _in(scene, style):
    scene.style = style
    return scene


def test_words_with_gaps_keep_what_changes():
    told = {"Stage {}: the percent of {} to remember": "Stufe {}: was von {} bleibt"}
    style = made({"words": told})
    assert style.say("Stage 1: the percent of C to remember") == "Stufe 1: was von C bleibt"
    assert style.say("Stage 1") == "Stage 1"


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"colour": "red"}, "no entry 'colour'; there are base, looks"),
        ({"base": "neon"}, "no base 'neon'; there are print, seed"),
        ({"looks": {"hiden": {}}}, "no kind 'hiden'; there are input, hidden"),
        ({"looks": {"hidden": "red"}}, "looks.hidden is a table of fill, line, dash and pen"),
        ({"looks": {"hidden": {"fill": 'red"/><script>'}}}, "must be a colour such as '#1F4E9C'"),
        ({"looks": {"hidden": {"dash": "4 x"}}}, "must be lengths as '4 2'"),
        ({"looks": {"hidden": {"pen": -1}}}, "must be 0 to 20 points"),
        ({"inks": {"blood": "#AA0000"}}, "no ink 'blood'"),
        ({"inks": {"ink": "none"}}, "inks.ink must be a colour"),
        ({"faces": {"word": "Arial; }"}}, "faces.word must be a family of fonts"),
        ({"carries": []}, "carries must be a list of colours"),
        ({"words": {"a": 1}}, "words.a must be text"),
        ({"words": 3}, "words must be a table"),
    ],
)
def test_mistakes_in_a_table_are_told(table, told):
    with pytest.raises(ValueError, match=told.replace("(", r"\(")):
        viz.draw(rnn.RNNCell(3, 5), style=table)


def test_a_file_that_is_no_style_is_named(tmp_path):
    for text in ("base = ", 'base = "neon"', "\x00"):
        (tmp_path / "mine.toml").write_text(text)
        with pytest.raises(ValueError, match=r"mine\.toml"):
            read(tmp_path / "mine.toml")
    with pytest.raises(OSError, match="cannot read"):
        viz.draw(rnn.RNNCell(3, 5), style=str(tmp_path / "none.toml"))
