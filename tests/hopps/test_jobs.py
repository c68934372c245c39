"""The job worker inside the web process."""

from huey import MemoryHuey

from hopps.jobs import EmbeddedWorker


def test_an_idle_worker_takes_a_job_within_half_a_second() -> None:
    threads = [thread for thread, _ in EmbeddedWorker(MemoryHuey("idle", immediate=False)).worker_threads]
    assert threads
    assert all(0 < thread.max_delay <= 0.5 for thread in threads)
