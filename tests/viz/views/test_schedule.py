"""The picture of a schedule says what the schedule says."""

import pytest

import rnn
import viz
from minigrad.folded import folded_adjoint
from minigrad.lower.pipeline import planned
from minigrad.lower.schedule import Nest
from viz.views.schedule import boxes, phases, placed


@pytest.fixture(params=["forward", "backward"])
def plan(cell, request):
    return planned(getattr(folded_adjoint(cell.folded()), request.param))


def test_every_scheduled_node_is_in_one_stage_in_the_order_of_the_schedule(plan):
    wanted = list(plan.static)
    for block in plan.blocks:
        wanted += [*block.batched, *block.looped] if isinstance(block, Nest) else [block]
    wanted += sorted(plan.summed)
    assert [k for stage in phases(plan) for k in stage.nodes] == wanted


def test_values_go_on_to_later_stages_and_loops_stay_in_theirs(plan):
    view = boxes(plan)
    column = {name: n for n, (_, names) in enumerate(placed(view, plan)) for name in names}
    assert set(column) == {block.id for block in view.blocks}
    assert all(column[a] <= column[b] for a, b in view.inside())
    looped = {k for b in plan.blocks if isinstance(b, Nest) for k in b.looped}
    for link in view.links:
        if link.delay and set(view[link.source].nodes) & looped:
            assert column[link.source] <= column[link.target]


def test_a_loop_is_framed_and_told_with_its_direction():
    for part, order in (("forward", "1 … T"), ("backward", "T … 1")):
        folded = getattr(folded_adjoint(rnn.LSTMCell(3, 5).folded()), part)
        scene = viz.draw(folded, "schedule").scene
        frames = [s for s in scene.shapes.values() if s.kind == "panel:loop"]
        assert [f.title for f in frames] == [f"loop over t = {order}"]
        for wire in scene.wires:
            if wire.delay:
                a, b = (scene.shapes[name] for name in (wire.source, wire.target))
                assert all(frames[0].distance((s.x, s.y)) < 0 for s in (a, b))


def test_a_schedule_is_drawn_with_the_passes_that_made_it():
    folded = rnn.LSTMCell(3, 5).folded()
    plain, merged = planned(folded, passes=()), planned(folded)
    assert viz.draw(merged).svg() == viz.draw(folded, "schedule").svg()
    counts = [
        sum(s.title.count("matmul") or s.lines[0][0].text == "@" for s in d.scene.shapes.values()
            if s.lines)
        for d in map(viz.draw, (plain, merged))
    ]  # fmt: skip
    assert counts[1] < counts[0] == 8


def test_a_schedule_has_no_gates_and_no_columns_of_steps():
    with pytest.raises(ValueError, match="a schedule is drawn with every operation, not with"):
        viz.draw(planned(rnn.RNNCell(3, 5).folded()), "unfolded")
    with pytest.raises(ValueError, match="level='gate'"):
        viz.draw(rnn.RNNCell(3, 5), "schedule", level="gate")
