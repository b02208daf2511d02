import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import session  # noqa: E402

ROWS = [row for row in session.machines.rows() if os.environ.get('ARCH') in (None, '', row.arch)]


def pytest_addoption(parser):
    parser.addoption('--golden', action='store_true', help='rewrite tests/gdb/golden from what gdb says now')


def pytest_generate_tests(metafunc):
    if 'answer' in metafunc.fixturenames:
        metafunc.parametrize('row', ROWS, scope='module', ids=['%s-%s' % (r.arch, r.machine) for r in ROWS])
