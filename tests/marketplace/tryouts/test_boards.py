"""The groups of a tryout's tasks are one thing, on the page and for programs."""

from marketplace.api.tryouts import TasksAskedSerializer
from marketplace.pages import tryout_view
from marketplace.tryouts import boards
from marketplace.tryouts.boards import Marked, Said


def marked(*words: tuple[Said, ...]) -> list[Marked]:
    return [Marked(task_id=place, position=place, said=said) for place, said in enumerate(words)]


def positions(of: list[Marked]) -> dict[str, list[int]]:
    found = boards.groups_of(of)
    return {name: [one.position for one in rows] for name, rows in found.items()}


def test_a_task_is_where_all_fail_only_if_every_agent_was_judged_and_failed() -> None:
    tasks = marked(
        ("right", "right"), ("right", "fault"), ("wrong", "fault"), ("wrong", "open"), ("nobody",)
    )
    assert positions(tasks) == {
        "all": [0, 1, 2, 3, 4],
        "differ": [1, 2],
        "fails": [1, 2, 3],
        "none": [2],
    }


def test_a_task_nobody_was_given_is_not_one_all_failed() -> None:
    assert positions(marked(()))["none"] == []


def test_programs_may_ask_for_every_group_a_page_shows() -> None:
    assert tuple(tryout_view.GROUPS) == boards.GROUPS
    for group in boards.GROUPS:
        assert TasksAskedSerializer(data={"only": group}).is_valid()
    assert not TasksAskedSerializer(data={"only": "some"}).is_valid()
