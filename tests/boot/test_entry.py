"""aarch64's ways in and out: exception levels, CPU models, image formats, firmware without a status."""

import os

import machine
import pytest

pytestmark = pytest.mark.rows(where=lambda row: row.arch == 'aarch64')
WORK = 'cpus --json; blk stress 100; irq check --json; %s'
LEVELS = {'el1': [], 'el2': ['-M', 'virtualization=on']}
MODELS = {'max': [], 'max-without-pmu': ['-cpu', 'max,pmu=off'], 'a72': ['-cpu', 'cortex-a72']}


def image(row, name):
    return os.path.join(os.path.dirname(machine.kernel(row)), name)


def boot(row, monkeypatch, kernel, **options):
    """As machine.run(), with another image."""
    machine.deadline(1)                 # measured with the usual image
    monkeypatch.setenv('KERNEL', image(row, kernel))
    return machine.run(row, **options)


@pytest.mark.parametrize('kernel', ['kernel.elf', 'Image'])
@pytest.mark.parametrize('model', MODELS)
@pytest.mark.parametrize('level', LEVELS)
def test_entry(row, level, model, kernel, disk, monkeypatch):
    result = boot(row, monkeypatch, kernel, cmd=WORK % 'poweroff',
                  disks=[disk], extra=LEVELS[level] + MODELS[model])
    assert all(cpu['online'] for cpu in result.documents[0])
    assert result.documents[-1]['ok']


@pytest.mark.parametrize('level', LEVELS)
def test_cpus_leave_and_come_back(row, level, disk, monkeypatch):
    """PSCI by either conduit: HVC from EL1, SMC from EL2."""
    result = boot(row, monkeypatch, 'kernel.elf', disks=[disk],
                  cmd='cpu offline 2; cpu online 2; ' + WORK % 'poweroff', extra=LEVELS[level])
    assert all(cpu['online'] for cpu in result.documents[0])


def test_without_semihosting(row):
    """No boot argument, so PSCI: the machine ends, though without a status."""
    result = machine.run(row._replace(bootargs=row.bootargs.replace('semihosting', '')), 'panic')
    assert 'panic: asked for' in result.output


def test_semihosting_that_is_not_there(row):
    """Announced but not enabled: the instruction traps, and the next way out is taken."""
    where = row.args.index('-semihosting-config')
    row = row._replace(args=row.args[:where] + row.args[where + 2:])
    result = machine.run(row, 'poweroff', status=None)
    assert 'panic: undefined instruction' in result.output and 'arch_exit' in result.output
