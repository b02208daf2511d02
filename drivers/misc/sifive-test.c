/*
 * The SiFive test finisher, QEMU virt's way to end with an exit status: one register of 32 bits.
 *
 *   bits 15:0   0x5555 ends with status 0, 0x3333 with the status in bits 31:16
 *
 * Also 0x7777, a reset, which is not used. (QEMU: hw/misc/sifive_test.c; there is no manual)
 */
#include <kernel/driver.h>
#include <kernel/io.h>

#define FINISHER_FAIL	0x3333
#define FINISHER_PASS	0x5555

static void *finisher;

static void sifive_test_exit(int status)
{
	writel(status ? (u32)status << 16 | FINISHER_FAIL : FINISHER_PASS, finisher);
}

static int sifive_test_probe(struct platform_device *pdev)
{
	finisher = of_iomap(pdev->node, 0);
	if (!finisher)
		return -EINVAL;
	machine_exit_register(sifive_test_exit);
	return 0;
}

static const struct of_driver sifive_test_driver = {
	.name = "sifive-test",
	.compatible = (const char *const[]){ "sifive,test1", "sifive,test0", NULL },
	.stage = PROBE_FIRST,
	.probe = sifive_test_probe,
};
OF_DRIVER(sifive_test_driver);
