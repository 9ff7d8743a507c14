"""A run's log is read as written, also files of the first version."""

from __future__ import annotations

import math

from transxnet.training.log import Log, Row, read_log


def test_rows_are_read_as_written(tmp_path):
    log = Log(tmp_path / "log.csv")
    log.append(Row(50, 0.5, 1e-3, 5.21234, 61.4))
    log.append(Row(100, 1.0, 5e-4, 4.9, 120.0, held_out_top1=0.12345))
    assert read_log(log.path) == [Row(50, 0.5, 1e-3, 5.2123, 61.0), Row(100, 1.0, 5e-4, 4.9, 120.0, 0.1235)]
    assert log.path.read_text(encoding="utf-8").splitlines()[0] == "step,epoch,rate,loss,seconds,held_out_top1"


def test_missing_log_is_empty(tmp_path):
    assert read_log(tmp_path / "log.csv") == []
    Log(tmp_path / "log.csv").truncate(5)
    assert not (tmp_path / "log.csv").exists()


def test_rows_after_a_step_are_removed(tmp_path):
    log = Log(tmp_path / "log.csv")
    for step in (50, 100, 150):
        log.append(Row(step, step / 100, 1e-3, 5.0, 1.0))
    log.truncate(100)
    assert [row.step for row in read_log(log.path)] == [50, 100]
    log.append(Row(120, 1.2, 1e-3, 5.0, 1.0))
    assert [row.step for row in read_log(log.path)] == [50, 100, 120]


def test_first_version_had_fewer_columns(tmp_path):
    (tmp_path / "log.csv").write_text("step,epoch,loss,seconds\n50,0.064,2.95,692\n", encoding="utf-8")
    (row,) = read_log(tmp_path / "log.csv")
    assert (row.step, row.loss, row.held_out_top1, math.isnan(row.rate)) == (50, 2.95, None, True)


def test_log_of_the_first_version_is_continued(tmp_path):
    log = Log(tmp_path / "log.csv")
    log.path.write_text("step,epoch,loss,seconds\n50,0.064,2.95,692\n100,0.128,2.9,1300\n", encoding="utf-8")
    log.truncate(50)
    log.append(Row(100, 0.128, 1e-3, 2.8, 1400.0))
    assert [(row.step, row.loss, row.seconds) for row in read_log(log.path)] == [(50, 2.95, 692.0), (100, 2.8, 1400.0)]


def test_incomplete_line_is_skipped(tmp_path):
    log = Log(tmp_path / "log.csv")
    log.append(Row(50, 0.5, 1e-3, 5.2, 61.0))
    with log.path.open("a", encoding="utf-8") as file:
        file.write("100,1.0")
    assert [row.step for row in read_log(log.path)] == [50]
    log.truncate(100)
    log.append(Row(100, 1.0, 1e-3, 5.1, 120.0))
    assert [row.step for row in read_log(log.path)] == [50, 100]
