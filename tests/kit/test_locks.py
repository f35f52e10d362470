"""Work that one process at a time does."""

from threading import Event, Thread

import pytest
from django.db import connection

from kit.django.locks import only_one


@pytest.mark.django_db(transaction=True)
def test_one_gets_the_work_and_the_other_goes_on() -> None:
    got, done = Event(), Event()
    answers: list[bool] = []

    def other() -> None:
        with only_one("sweep") as mine:
            answers.append(mine)
            got.set()
            done.wait(10)
        connection.close()

    thread = Thread(target=other)
    thread.start()
    assert got.wait(10)
    with only_one("sweep") as mine, only_one("something else") as free:
        answers += [mine, free]
    done.set()
    thread.join(10)
    with only_one("sweep") as mine:
        answers.append(mine)
    assert answers == [True, False, True, True]


@pytest.mark.django_db
def test_a_failure_frees_it() -> None:
    with pytest.raises(RuntimeError), only_one("sweep"):
        raise RuntimeError
    with only_one("sweep") as mine:
        assert mine
