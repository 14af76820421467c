import itertools

from hypothesis import given
from hypothesis import strategies as st

from viz.columns.layered import GAP, layered


@st.composite
def graphs(draw):
    n = draw(st.integers(1, 12))
    edges = draw(
        st.lists(
            st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda e: e[0] < e[1])
        )
        if n > 1
        else st.just([])
    )
    widths = draw(st.lists(st.floats(4, 60), min_size=n, max_size=n))
    return n, tuple(edges), tuple(widths)


@given(graphs())
def test_edges_run_upwards_and_boxes_of_a_rank_keep_their_distance(graph):
    n, edges, widths = graph
    layout = layered(widths, widths, edges)
    assert all(layout.rank[a] < layout.rank[b] for a, b in edges)
    for a, b in itertools.combinations(range(n), 2):
        if layout.rank[a] == layout.rank[b]:
            assert abs(layout.x[a] - layout.x[b]) >= widths[a] + widths[b] + GAP - 1e-6


@given(graphs())
def test_passing_edges_stay_clear_of_the_boxes_of_a_rank(graph):
    n, edges, widths = graph
    layout = layered(widths, widths, edges)
    for (a, _), bends in layout.bends.items():
        for level, x in enumerate(bends, layout.rank[a] + 1):
            for k in range(n):
                if layout.rank[k] == level:
                    assert abs(layout.x[k] - x) > widths[k]


def test_a_chain_is_a_vertical_line():
    layout = layered((9.0,) * 5, (9.0,) * 5, tuple(itertools.pairwise(range(5))))
    assert len(set(layout.x)) == 1
