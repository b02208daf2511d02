/*
 * That the strict model of a PCI function (models/pci.c, pci-msi.c) catches each violation it
 * names: every function below breaks one rule, after what must come before it by the rules.
 */
#include <kernel/io.h>
#include <kernel/mm.h>
#include <string.h>
#include "model.h"
#include "models/pci.h"
#include "support/rec.h"
#include "support/violation.h"

#define TABLE	0x40010000u
#define ROWS	4

static struct pci_function f, other;
static char *config, *table;

enum { LO, HI = 4, DATA = 8, CTRL = 12 };
enum { MSIX_ON = 0x8000, MSIX_MASKALL = 0x4000, MSI_ON = 1 };

static void *mapped(phys_addr_t phys, size_t size)
{
	void *p = ioremap(phys, size);

	assert_non_null(p);
	return p;
}

static void msix_flags(u16 v) { writew(v, config + f.msix_cap + 2); }
static void msi_flags(u16 v) { writew(v, config + f.msi_cap + 2); }
static void row(unsigned int n, unsigned int field, u32 v) { writel(v, table + 16 * n + field); }
static void msi(unsigned int reg, u32 v) { writel(v, config + f.msi_cap + reg); }

static void message(unsigned int n)
{
	row(n, LO, 0x28000000);
	row(n, HI, 0);
	row(n, DATA, n + 1);
}

static void msi_message(u16 data)
{
	msi(0x4, 0x28000000);
	msi(0x8, 0);
	writew(data, config + f.msi_cap + 0xc);
}

/* A device with both kinds, rows masked, its memory decoded. */
static void fresh(void)
{
	host_init(1);
	pci_model();
	memset(&f, 0, sizeof(f));
	memset(&other, 0, sizeof(other));
	f.devfn = 1 << 3;
	f.vendor = 0x1234;
	f.bar[0].size = other.bar[0].size = 0x1000;
	f.msix_rows = ROWS;
	f.has_msi = f.msi_maskable = true;
	f.msi_log2 = 2;
	other.devfn = 2 << 3;
	other.vendor = 0x1234;
	pci_model_add(&f);
	pci_model_add(&other);
	config = mapped(0x30000000 + (f.devfn << 12), 4096);
	table = mapped(TABLE, 0x1000);
	writel(TABLE, config + 0x10);
	writew(6, config + 4);
}

/* ---- By the rules --------------------------------------------------------------------------- */

static void bring_up(void)
{
	msix_flags(MSIX_ON | MSIX_MASKALL);
	message(0);
	row(0, CTRL, 1);
	msix_flags(MSIX_ON);
}

static void what_the_rules_allow(void **state)
{
	(void)state;
	fresh();
	bring_up();
	row(0, CTRL, 0);
	row(0, CTRL, 1);
	writeq(0x128000000, table + LO);	/* two dwords at once, while it is masked */
	row(0, DATA, 7);
	row(0, CTRL, 0);
	row(0, DATA, 7);			/* as it was */
	assert_int_equal(readq(table + LO), 0x128000000);
	msix_flags(0);
	msi_message(8);
	msi(0x10, 0xf);
	msi_flags(MSI_ON | 2 << 4);
	msi_message(12);			/* all masked */
	msi(0x10, 0xe);
	msi_flags(2 << 4);
	msi_message(16);			/* off */
	assert_string_equal(model_violations(), "");
}

/* A write to nowhere would abort the test: messages go to memory that a device may reach. */
static u32 *mailbox;

static void to_mailbox(unsigned int n, u32 data)
{
	u64 at = (u64)(uintptr_t)mailbox;

	row(n, LO, at);
	row(n, HI, at >> 32);
	row(n, DATA, data);
}

static void when_a_message_goes_out_waits_or_is_lost(void **state)
{
	(void)state;
	fresh();
	mailbox = kzalloc(64);
	msix_flags(MSIX_ON | MSIX_MASKALL);
	to_mailbox(0, 5);
	row(0, CTRL, 0);
	assert_false(pci_model_send(&f, 0));		/* the function is masked */
	assert_int_equal(readl(table + 0x800), 1);	/* and remembers */
	msix_flags(MSIX_ON);
	assert_int_equal(*mailbox, 5);
	assert_int_equal(readl(table + 0x800), 0);
	row(0, CTRL, 1);
	*mailbox = 0;
	assert_false(pci_model_send(&f, 0));
	to_mailbox(0, 6);
	row(0, CTRL, 0);
	assert_int_equal(*mailbox, 6);			/* what is written now */
	*mailbox = 0;
	writew(2, config + 4);				/* no bus master: lost */
	assert_false(pci_model_send(&f, 0));
	writew(6, config + 4);
	assert_int_equal(*mailbox, 0);
	assert_int_equal(f.sent, 2);
	msix_flags(0);
	assert_false(pci_model_send(&f, 0));
	assert_true(readw(config + 6) & 8);		/* would be INTx */
	kfree(mailbox);
	assert_string_equal(model_violations(), "");
}

/* ---- Against them: MSI-X -------------------------------------------------------------------- */

static void low_changed(void) { bring_up(); row(0, CTRL, 0); row(0, LO, 0x28001000); }
static void high_changed(void) { bring_up(); row(0, CTRL, 0); row(0, HI, 1); }
static void data_changed(void) { bring_up(); row(0, CTRL, 0); row(0, DATA, 9); }
static void qword_torn(void) { bring_up(); row(0, CTRL, 0); writeq(0x28001000, table + LO); }
static void changed_before_enable(void) { message(0); row(0, CTRL, 0); row(0, DATA, 9); }
static void row_without_message(void) { bring_up(); row(1, CTRL, 0); }
static void row_with_half_a_message(void) { bring_up(); row(1, LO, 0x28000000); row(1, CTRL, 0); }
static void row_taken_back(void)
{
	bring_up();
	row(0, LO, 0);
	row(0, HI, 0);
	row(0, DATA, 0);
	row(0, CTRL, 0);
}
static void function_without_message(void)
{
	msix_flags(MSIX_ON | MSIX_MASKALL);
	row(2, CTRL, 0);
	msix_flags(MSIX_ON);
}
static void enabled_unmasked(void) { msix_flags(MSIX_ON); }
static void enabled_twice_over(void)
{
	bring_up();
	msi_message(4);
	msi_flags(MSI_ON);
}
static void msix_beside_msi(void)
{
	msi_message(4);
	msi_flags(MSI_ON);
	msix_flags(MSIX_ON | MSIX_MASKALL);
}
static void odd_address(void) { row(0, LO, 0x28000002); }
static void byte_of_the_table(void) { writeb(1, table + CTRL); }
static void half_of_the_table(void) { writew(1, table + DATA); }
static void byte_read(void) { readb(table + CTRL); }
static void control_wide(void) { writeq(1UL << 32 | 5, table + DATA); }
static void control_reserved(void) { row(0, CTRL, 0x10001); }
static void pending_written(void) { writel(1, table + 0x800); }
static void written_asleep(void) { f.asleep = true; row(0, CTRL, 1); }
static void msix_reserved(void) { msix_flags(0x0800); }

static void each_violation_of_msix_is_caught(void **state)
{
	static const struct violation v[] = {
		VIOLATION(low_changed, "message of row 0 changed while it is unmasked"),
		VIOLATION(high_changed, "message of row 0 changed while it is unmasked"),
		VIOLATION(data_changed, "message of row 0 changed while it is unmasked"),
		VIOLATION(qword_torn, "message of row 0 changed while it is unmasked"),
		VIOLATION(changed_before_enable, "message of row 0 changed while it is unmasked"),
		VIOLATION(row_without_message, "row 1 unmasked before its message"),
		VIOLATION(row_with_half_a_message, "row 1 unmasked before its message"),
		VIOLATION(row_taken_back, "row 0 unmasked before its message"),
		VIOLATION(function_without_message, "row 2 unmasked before its message"),
		VIOLATION(enabled_unmasked, "MSI-X enabled without the function mask"),
		VIOLATION(enabled_twice_over, "MSI and MSI-X both enabled"),
		VIOLATION(msix_beside_msi, "MSI and MSI-X both enabled"),
		VIOLATION(odd_address, "row 0: address 0x28000002 is not aligned"),
		VIOLATION(byte_of_the_table, "MSI-X table written by 1 bytes"),
		VIOLATION(half_of_the_table, "MSI-X table written by 2 bytes"),
		VIOLATION(byte_read, "MSI-X structures read by 1 bytes"),
		VIOLATION(control_wide, "row 0: data and vector control in one write"),
		VIOLATION(control_reserved, "row 0: reserved bits of vector control"),
		VIOLATION(pending_written, "pending bits written"),
		VIOLATION(written_asleep, "written while it sleeps"),
		VIOLATION(msix_reserved, "reserved bits of the register"),
	};

	(void)state;
	assert_violations(v, ARRAY_SIZE(v), fresh);
}

/* ---- MSI ------------------------------------------------------------------------------------ */

static void msi_up(void) { msi_message(4); msi_flags(MSI_ON | 1 << 4); }
static void msi_address_changed(void) { msi_up(); msi(0x4, 0x28001000); }
static void msi_upper_changed(void) { msi_up(); msi(0x8, 1); }
static void msi_data_changed(void) { msi_up(); writew(6, config + f.msi_cap + 0xc); }
static void msi_one_unmasked(void) { msi_up(); msi(0x10, 0x7); msi(0x4, 0x28001000); }
static void msi_without_message(void) { msi_flags(MSI_ON); }
static void msi_half(void) { msi(0x4, 0x28000000); msi(0x8, 0); msi_flags(MSI_ON); }
static void msi_too_many(void) { msi_flags(3 << 4); }
static void msi_count_changed(void) { msi_up(); msi_flags(MSI_ON); }
static void msi_data_unaligned(void) { msi_message(6); msi_flags(MSI_ON | 2 << 4); }
static void msi_reserved(void) { msi_flags(0x0200); }
static void msi_mask_reserved(void) { msi(0x10, 0x1f); }

static void each_violation_of_msi_is_caught(void **state)
{
	static const struct violation v[] = {
		VIOLATION(msi_address_changed, "MSI message changed while it may be sent"),
		VIOLATION(msi_upper_changed, "MSI message changed while it may be sent"),
		VIOLATION(msi_data_changed, "MSI message changed while it may be sent"),
		VIOLATION(msi_one_unmasked, "MSI message changed while it may be sent"),
		VIOLATION(msi_without_message, "MSI enabled before its message is programmed"),
		VIOLATION(msi_half, "MSI enabled before its message is programmed"),
		VIOLATION(msi_too_many, "more messages enabled than it has: 2^3"),
		VIOLATION(msi_count_changed, "number of messages changed while MSI is enabled"),
		VIOLATION(msi_data_unaligned, "data 0x6 is not aligned for 4 messages"),
		VIOLATION(msi_reserved, "reserved bits of the register"),
		VIOLATION(msi_mask_reserved, "reserved bits of the register"),
	};

	(void)state;
	assert_violations(v, ARRAY_SIZE(v), fresh);
}

/* ---- The function and its BARs -------------------------------------------------------------- */

static void bar_moved_under_way(void) { writel(TABLE + 0x1000, config + 0x10); }
static void bar_by_halves(void) { writew(4, config + 4); writew(0, config + 0x10); }
static void config_wide(void) { writeq(0, config + 0x40); }
static void command_reserved(void) { writew(0x0806, config + 4); }
static void nobody_there(void) { writel(0, mapped(0x50000000, 4)); }
static void nobody_to_read(void) { readl(mapped(0x50000000, 4)); }
static void two_there(void)
{
	char *theirs = mapped(0x30000000 + (other.devfn << 12), 4096);

	writel(TABLE, theirs + 0x10);
	writew(2, theirs + 4);
	readl(table);
}

static void each_violation_of_the_bus_is_caught(void **state)
{
	static const struct violation v[] = {
		VIOLATION(bar_moved_under_way, "BAR 0 of 01.0 written while it is decoded"),
		VIOLATION(bar_by_halves, "BAR written by 2 bytes"),
		VIOLATION(config_wide, "configuration space written by 8 bytes"),
		VIOLATION(command_reserved, "reserved bits of the register at 0x4"),
		VIOLATION(nobody_there, "nothing answers at 0x50000000"),
		VIOLATION(nobody_to_read, "nothing answers at 0x50000000"),
		VIOLATION(two_there, "two BARs answer at 0x40010000"),
	};

	(void)state;
	assert_violations(v, ARRAY_SIZE(v), fresh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_rules_allow),
		cmocka_unit_test(when_a_message_goes_out_waits_or_is_lost),
		cmocka_unit_test(each_violation_of_msix_is_caught),
		cmocka_unit_test(each_violation_of_msi_is_caught),
		cmocka_unit_test(each_violation_of_the_bus_is_caught),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
