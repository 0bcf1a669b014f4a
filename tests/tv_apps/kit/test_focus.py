from hypothesis import given
from hypothesis import strategies as st

from tv_apps.kit.focus import Box, Target, faults_of, graph_of

GRID = [Target(f"t{n}", Box(74 + n % 3 * 256, 106 + n // 3 * 146, 240, 130)) for n in range(12)]


def test_grid_leads_to_the_neighbour_and_does_not_wrap() -> None:
    """In a grid each arrow leads to the next box; at the edge it leads nowhere."""
    graph = graph_of(GRID)
    assert graph["t4"] == {"u": "t1", "d": "t7", "l": "t3", "r": "t5"}
    assert graph["t0"] == {"d": "t3", "r": "t1"}


def test_box_that_is_not_in_line_is_still_reached() -> None:
    """A lone wide button below two columns is reached from both, and leads back up."""
    graph = graph_of(
        [Target("a", Box(74, 100, 300, 100)), Target("b", Box(800, 100, 300, 100)), Target("c", Box(400, 400, 300, 80))]
    )
    assert graph["a"]["d"] == "c" and graph["b"]["d"] == "c" and graph["c"]["u"] in {"a", "b"}


@given(st.integers(1, 4), st.integers(1, 3))
def test_every_grid_is_reachable_and_free_of_traps(rows: int, columns: int) -> None:
    """Whatever the grid, every box is reached from the first and leads back to it."""
    targets = [
        Target(f"t{r}{c}", Box(74 + c * 300, 106 + r * 140, 280, 120)) for r in range(rows) for c in range(columns)
    ]
    assert faults_of(graph_of(targets), "t00") == []
