/* Errors at a root port without a slot, on the model of a bus: drivers/pci/port.c, aer.c, caps.c. */
#include <drivers/pci/pci.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <stdio.h>
#include <string.h>
#include "models/pci.h"
#include "support/board.h"
#include "support/rec.h"

#define CAP		0x100
#define ROOT_STATUS	(CAP + PCI_ERR_ROOT_STATUS)
#define ROOT_COMMAND	(CAP + PCI_ERR_ROOT_COMMAND)
#define COR_STATUS	(CAP + PCI_ERR_COR_STATUS)

static struct pci_function port;

/* In slot 2; what the list of extended capabilities says is up to the test. */
static int setup(void **state)
{
	static const u8 express[0x22] = { PCI_EXP_TYPE_ROOT_PORT << 4 };
	static const u8 writable[0x22] = { [PCI_EXP_DEVCTL - 2] = 0xff };

	(void)state;
	port = (struct pci_function){
		.devfn = 2 << 3, .vendor = 0x8086, .device = 0x3420, .class = 0x060400,
		.header_type = PCI_HEADER_TYPE_BRIDGE, .has_msi = true,
	};
	pci_model_capability(&port, PCI_CAP_ID_EXP, express, sizeof(express) + 2, writable);
	pci_model_put32(&port, CAP, PCI_EXT_CAP_ID_ERR | 1 << 16);
	memset(port.writable + ROOT_COMMAND, 0xff, 4);
	memset(port.writable + PCI_BRIDGE_CONTROL, 0xff, 2);
	return 0;
}

static void models(void)
{
	pci_model();
	pci_model_add(&port);
}

static void boot(void)
{
	board_boot(BOARD_PCI, models);
	host_run_deferred();
	host_printk();
}

static u32 get(unsigned int where) { return pci_model_get32(&port, where); }

static struct pci_dev *dev(void)
{
	devices_lock();
	struct pci_dev *found = pci_find_dev("00:02.0");

	devices_unlock();
	assert_non_null(found);
	return found;
}

/* A correctable error of BDF arrives, and the port interrupts if it may. */
static void error_of(u16 bdf)
{
	pci_model_put32(&port, CAP + PCI_ERR_ROOT_ERR_SRC, bdf);
	pci_model_put32(&port, ROOT_STATUS, PCI_ERR_ROOT_COR_RCV);
	if (get(ROOT_COMMAND))
		pci_model_send(&port, 0);
	host_run_deferred();
}

static void errors_are_named_counted_and_listened_to_again(void **state)
{
	(void)state;
	boot();
	assert_int_equal(get(ROOT_COMMAND), 7);
	assert_int_equal(pci_model_get16(&port, dev()->pcie_cap + PCI_EXP_DEVCTL), 7);
	assert_true(pci_model_get16(&port, PCI_BRIDGE_CONTROL) & PCI_BRIDGE_CTL_SERR);
	pci_model_put32(&port, COR_STATUS, 1 << 7 | 1 << 12);
	pci_model_put32(&port, CAP + PCI_ERR_COR_MASK, 1 << 12);
	error_of(2 << 3);
	assert_string_equal(host_printk(), "warning: 00:02.0: correctable error: bad DLLP (bit 7)\n");
	assert_int_equal(dev()->errors[PCI_CORRECTABLE], 1);
	assert_int_equal(get(ROOT_COMMAND), 7);
}

static void source_that_is_gone_is_named(void **state)
{
	(void)state;
	boot();
	error_of(1 << 8 | 3 << 3 | 1);
	assert_non_null(strstr(host_printk(), "00:02.0: correctable error of 01:03.1"));
	assert_int_equal(dev()->errors[PCI_CORRECTABLE], 0);
}

/* The line is quiet while the errors of a second are too many, then it speaks again. */
static void flood_costs_ten_reports_a_second(void **state)
{
	(void)state;
	boot();
	pci_model_put32(&port, COR_STATUS, 1);
	for (int second = 1; second <= 3; second++) {
		for (int i = 0; i < 100; i++)
			error_of(2 << 3);
		assert_int_equal(dev()->errors[PCI_CORRECTABLE], 10 * second);
		assert_int_equal(get(ROOT_COMMAND), 0);
		pci_model_put32(&port, COR_STATUS, second < 3);
		host_advance(NSEC_PER_SEC);
		host_run_deferred();
	}
	assert_int_equal(get(ROOT_COMMAND), 7);
}

static void check_list_ends(u32 head, const char *says)
{
	setup(NULL);
	pci_model_put32(&port, CAP, head);
	board_boot(BOARD_PCI, models);
	if (says)
		assert_non_null(strstr(host_printk(), says));
	assert_int_equal(pci_find_ext_capability(dev(), PCI_EXT_CAP_ID_ERR), 0);
	assert_null(strstr(host_printk(), "link"));		/* said once */
	assert_int_equal(get(ROOT_COMMAND), 0);
}

static void damaged_list_of_extended_capabilities_ends(void **state)
{
	(void)state;
	check_list_ends(0x10000002 | 1 << 16, "circle");
	check_list_ends(0x10200002 | 1 << 16, "0x102");
	check_list_ends(0x04000002 | 1 << 16, "0x40");
	check_list_ends(0, NULL);
	check_list_ends(~0U, NULL);
}

static void without_memory_the_port_has_no_driver(void **state)
{
	long live = -1;

	(void)state;
	for (int n = 1; n < 40; n++) {
		struct pci_dev *found;

		boot();
		found = dev();
		assert_non_null(found->driver);
		devices_lock();
		found->driver->remove(found);
		assert_int_equal(get(ROOT_COMMAND), 0);
		if (live < 0)
			live = host_bytes_live();
		assert_int_equal(host_bytes_live(), live);
		host_fail_after(n);
		if (found->driver->probe(found) == 0) {
			host_fail_after(-1);
			devices_unlock();
			return;
		}
		host_fail_after(-1);
		assert_int_equal(host_bytes_live(), live);
		assert_int_equal(found->nr_vectors, 0);
		devices_unlock();
	}
	fail();
}

#define P(fn)	cmocka_unit_test_setup(fn, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		P(errors_are_named_counted_and_listened_to_again),
		P(source_that_is_gone_is_named),
		P(flood_costs_ten_reports_a_second),
		P(damaged_list_of_extended_capabilities_ends),
		P(without_memory_the_port_has_no_driver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
