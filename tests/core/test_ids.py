"""Ids are never repeated, whatever happens between two runs."""

import pytest

from aegis.core.ids import LAST_ID, UniqueIds


def test_a_new_run_repeats_no_id(tmp_path):
    path = tmp_path / "ids.json"
    first = UniqueIds(path)
    given = [*first.take(3), *first.take(2)]
    assert given == [1, 2, 3, 4, 5]
    # No goodbye, as after kill -9: what matters is on disk before an id is handed out.
    assert min(UniqueIds(path).take(1)) > max(given)


def test_crossing_a_reserved_block(tmp_path):
    path = tmp_path / "ids.json"
    ids = UniqueIds(path)
    seen = [i for _ in range(10) for i in ids.take(1000).tolist()]
    assert len(set(seen)) == 10_000
    assert min(UniqueIds(path).take(1)) > max(seen)


def test_without_a_file_every_run_is_the_same():
    assert UniqueIds().take(2).tolist() == UniqueIds().take(2).tolist() == [1, 2]


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"next_id": "many"}', '{"next_id": null}'])
def test_a_damaged_file_is_refused_and_kept(tmp_path, content):
    path = tmp_path / "ids.json"
    path.write_text(content)
    with pytest.raises(ValueError, match="not an id file"):
        UniqueIds(path)
    assert path.read_text() == content


def test_the_end_is_an_error_and_not_a_repetition(tmp_path):
    path = tmp_path / "ids.json"
    path.write_text(f'{{"next_id": {LAST_ID}}}')
    ids = UniqueIds(path)
    assert ids.take(1).tolist() == [LAST_ID]
    with pytest.raises(OverflowError, match="used up"):
        ids.take(1)
