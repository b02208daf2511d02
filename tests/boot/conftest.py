import os
import random
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine  # noqa: E402
from machine import machines  # noqa: E402

ROWS = [row for row in machines.rows() if os.environ.get('ARCH') in (None, '', row.arch)]


def pytest_configure(config):
    config.addinivalue_line('markers', 'rows(where=f): only on machines of which f(row) is true')


def pytest_generate_tests(metafunc):
    """A test that takes `row` runs on every machine there is, one marked rows(where=f) on each of
    which f(row) is true; with BOOTARGS in its file with these as well, as with BOOTARGS= in the
    environment."""
    if 'row' in metafunc.fixturenames:
        wanted = [mark.kwargs['where'] for mark in metafunc.definition.iter_markers('rows')]
        rows = [row for row in ROWS if all(want(row) for want in wanted)]
        for more in (getattr(metafunc.module, 'BOOTARGS', ''), os.environ.get('BOOTARGS', '')):
            rows = [row._replace(bootargs=(row.bootargs + ' ' + more).strip()) for row in rows]
        metafunc.parametrize('row', rows, ids=['%s-%s' % (row.arch, row.machine) for row in rows])


def pytest_collection_modifyitems(items):
    """With several workers, mixed, in the same way by each: one is given neighbours by the hundred,
    and those that wait for seconds of a guest's clock are neighbours."""
    if 'PYTEST_XDIST_WORKER' in os.environ:
        random.Random(0).shuffle(items)


@pytest.fixture
def dice(request):
    """Random numbers; the seed is printed, and SEED= repeats a run."""
    seed = int(os.environ.get('SEED') or random.randrange(1 << 32))
    print('SEED=%d' % seed)
    return random.Random('%d %s' % (seed, request.node.name))


@pytest.fixture
def disk(tmp_path):
    """A disk of 1 MiB as tools/run makes it."""
    return machine.disk_image(tmp_path / 'disk.img', 2048)


def pytest_terminal_summary(terminalreporter):
    """Tests that prove a statement (tests/statements) by name, as tests/runall wants to see them."""
    for outcome, mark in (('passed', 'ok'), ('failed', 'not ok'), ('error', 'not ok')):
        for report in terminalreporter.stats.get(outcome, []):
            name = report.nodeid.rpartition('::')[2].partition('[')[0]
            if re.search(r'_s\d{3}_', name):
                terminalreporter.write_line('%s - %s' % (mark, name))
