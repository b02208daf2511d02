/* PCI on a strict model of a bus: enumeration, BARs, capabilities; MSI-X, MSI, INTx: semantics O. */
#include <drivers/pci/pci.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "models/imsic.h"
#include "models/pci.h"
#include "support/board.h"
#include "support/random.h"
#include "support/rec.h"

#define TEST_VENDOR	0x1234

/* ---- A driver that only takes notes -------------------------------------------------------------- */

static unsigned int nr_probed, nr_removed;
static int probe_result;

static int test_probe(struct pci_dev *dev)
{
	(void)dev;
	nr_probed++;
	return probe_result;
}

static void test_remove(struct pci_dev *dev)
{
	(void)dev;
	nr_removed++;
}

static const struct pci_device_id test_ids[] = {
	{ TEST_VENDOR, PCI_ANY_ID, 0, 0 },
	{ 0, 0, 0, 0 },
};
static const struct pci_driver test_driver = {
	.name = "test", .id_table = test_ids, .probe = test_probe, .remove = test_remove,
};
PCI_DRIVER(test_driver);

/* ---- The bus of a test ----------------------------------------------------------------------------- */

static struct pci_function fn[6];
static unsigned int nr_fn;

static void models(void)
{
	pci_model();
	for (unsigned int i = 0; i < nr_fn; i++)
		pci_model_add(&fn[i]);
}

static struct pci_function *add(u8 slot, u8 function)
{
	struct pci_function *f = &fn[nr_fn++];

	f->devfn = slot << 3 | function;
	f->vendor = TEST_VENDOR;
	f->device = 0x1000 + nr_fn;
	f->class = 0xff0000;
	return f;
}

static struct pci_function *add_msix(u8 slot, unsigned int rows)
{
	struct pci_function *f = add(slot, 0);

	f->bar[1].size = 0x1000;
	f->msix_bar = 1;
	f->msix_rows = rows;
	f->pin = 1;
	return f;
}

static void boot(void)
{
	board_boot(BOARD_PCI, models);
}

static struct pci_dev *dev_of(const struct pci_function *f)
{
	struct pci_dev *dev;
	char bdf[16];

	snprintf(bdf, sizeof(bdf), "%02x:%02x.%u", f->bus, f->devfn >> 3, f->devfn & 7);
	devices_lock();
	dev = pci_find_dev(bdf);
	devices_unlock();
	assert_non_null(dev);
	return dev;
}

static int setup(void **state)
{
	(void)state;
	memset(fn, 0, sizeof(fn));
	nr_fn = nr_probed = nr_removed = 0;
	probe_result = 0;
	rec_ret = IRQ_HANDLED;
	rec_take();
	return 0;
}

#define P(fn)	cmocka_unit_test_setup(fn, setup)

/* ---- Enumeration ------------------------------------------------------------------------------------ */

static void functions_are_found_once_each(void **state)
{
	struct pci_dev *dev;
	unsigned int n = 0;

	(void)state;
	add(0, 0);
	add(3, 0)->header_type = 0x80;
	add(3, 5)->header_type = 0x80;
	add(31, 0);
	add(31, 2);			/* of a device that says it has only one */
	boot();
	devices_lock();
	for_each_pci_dev(dev)
		n++;
	devices_unlock();
	assert_int_equal(n, 4);
	assert_int_equal(nr_probed, 4);
	assert_int_equal(dev_of(&fn[2])->device, fn[2].device);
	assert_ptr_equal(dev_of(&fn[2])->driver, &test_driver);
}

static void failing_probe_is_named_and_the_device_kept_quiet(void **state)
{
	(void)state;
	add(2, 0);
	probe_result = -EIO;
	boot();
	assert_true(logged("EIO"));
	assert_null(dev_of(&fn[0])->driver);
	assert_int_equal(pci_model_get16(&fn[0], 4) & PCI_COMMAND_MASTER, 0);
}

static void probe_that_declines_says_nothing(void **state)
{
	(void)state;
	add(2, 0);
	probe_result = -ENODEV;
	boot();
	assert_false(logged("ENODEV"));
}

static u64 model_bar(const struct pci_function *f, unsigned int i)
{
	u64 v = pci_model_get32(f, 0x10 + 4 * i) & (f->bar[i].io ? ~3U : ~15U);

	return f->bar[i].mem64 ? v | (u64)pci_model_get32(f, 0x14 + 4 * i) << 32 : v;
}

static void bars_get_aligned_places_of_their_own(void **state)
{
	struct pci_function *a = add(1, 0), *b = add(2, 0);
	u64 start[8], end[8];
	unsigned int n = 0;

	(void)state;
	a->bar[0] = (struct pci_model_bar){ .size = 0x1000 };
	a->bar[1] = (struct pci_model_bar){ .size = 0x100000 };
	a->bar[2] = (struct pci_model_bar){ .size = 0x4000, .mem64 = true, .pref = true };
	a->bar[4] = (struct pci_model_bar){ .size = 0x20, .io = true };
	b->bar[0] = (struct pci_model_bar){ .size = 0x80000000, .mem64 = true, .pref = true };
	b->bar[2] = (struct pci_model_bar){ .size = 0x10 };
	b->bar[5] = (struct pci_model_bar){ .size = 0x100, .io = true };
	boot();
	for (unsigned int f = 0; f < 2; f++)
		for (unsigned int i = 0; i < 6; i++) {
			const struct pci_bar *bar = &dev_of(&fn[f])->bar[i];

			if (!fn[f].bar[i].size)
				continue;
			assert_true(bar->assigned);
			assert_int_equal(bar->size, fn[f].bar[i].size);
			assert_int_equal(bar->addr, model_bar(&fn[f], i));
			assert_int_equal(bar->addr % bar->size, 0);
			assert_int_not_equal(bar->addr, 0);
			start[n] = bar->addr;
			end[n++] = bar->addr + bar->size;
			for (unsigned int o = 0; o + 1 < n; o++)
				assert_true(start[n - 1] >= end[o] || end[n - 1] <= start[o]);
		}
	assert_int_equal(pci_model_get16(a, 4) & 3, 3);
	assert_non_null(pci_ioremap_bar(dev_of(a), 2));
	assert_null(pci_ioremap_bar(dev_of(a), 3));
	assert_null(pci_ioremap_bar(dev_of(a), 6));
}

static void bar_that_fits_nowhere_is_named_and_the_rest_works(void **state)
{
	struct pci_function *big = add(1, 0), *small = add(2, 0);

	(void)state;
	big->bar[0] = (struct pci_model_bar){ .size = 0x80000000 };	/* 32 bits: 1 GiB is there */
	small->bar[0] = (struct pci_model_bar){ .size = 0x1000 };
	boot();
	assert_true(logged("00:01.0"));
	assert_false(dev_of(big)->bar[0].assigned);
	assert_int_equal(pci_model_get16(big, 4) & PCI_COMMAND_MEMORY, 0);
	assert_true(dev_of(small)->bar[0].assigned);
	assert_int_equal(nr_probed, 1);
	assert_int_not_equal(pci_enable_device(dev_of(big)), 0);
}

static void last_bar_that_claims_to_be_64_bits_wide(void **state)
{
	struct pci_function *f = add(1, 0);

	(void)state;
	f->bar[5] = (struct pci_model_bar){ .size = 0x1000 };
	f->config[0x24] = 4;
	boot();
	pci_model_put32(f, 0x24, 4);
	assert_non_null(dev_of(f));
}

static void s155_leftover_enables_are_cleared(void **state)
{
	struct pci_function *f = add(1, 0);
	u8 msix[10] = { 3, 0xc0 }, msi[12] = { 1 << 7 | 1 }, mask[12];
	u8 msix_at, msi_at;

	(void)state;
	memset(mask, 0xff, sizeof(mask));
	msix_at = pci_model_capability(f, 0x11, msix, 12, mask);
	msi_at = pci_model_capability(f, 0x05, msi, 14, mask);
	boot();
	assert_int_equal(pci_model_get16(f, msix_at + 2) & 0x8000, 0);
	assert_int_equal(pci_model_get16(f, msi_at + 2) & 1, 0);
}

/* ---- Capabilities ------------------------------------------------------------------------------------ */

static struct pci_function *with_caps(const u8 (*links)[2], unsigned int n, u8 first)
{
	struct pci_function *f = add(1, 0);

	f->config[6] = 1 << 4;
	f->config[0x34] = first;
	for (unsigned int i = 0; i < n; i++) {
		f->config[links[i][0]] = 0x09;
		f->config[links[i][0] + 1] = links[i][1];
	}
	return f;
}

static unsigned int count_caps(struct pci_dev *dev)
{
	unsigned int n = 0;

	for (u8 pos = pci_find_capability(dev, 0x09); pos;
	     pos = pci_find_next_capability(dev, pos, 0x09))
		assert_true(++n < 200);
	return n;
}

static void capability_list_in_order(void **state)
{
	static const u8 links[][2] = { { 0x80, 0x40 }, { 0x40, 0xfc }, { 0xfc, 0 } };

	(void)state;
	with_caps(links, 3, 0x80);
	boot();
	assert_int_equal(count_caps(dev_of(&fn[0])), 3);
	assert_int_equal(pci_find_capability(dev_of(&fn[0]), 0x11), 0);
}

static void capability_list_in_a_circle_ends(void **state)
{
	static const u8 links[][2] = { { 0x40, 0x50 }, { 0x50, 0x60 }, { 0x60, 0x50 } };

	(void)state;
	with_caps(links, 3, 0x40);
	boot();
	assert_true(logged("capability"));
	assert_int_equal(pci_find_capability(dev_of(&fn[0]), 0x11), 0);
	assert_false(logged("capability"));		/* said once */
}

static void capability_that_links_to_itself_or_nonsense_ends(void **state)
{
	static const u8 self[][2] = { { 0x40, 0x40 } };
	static const u8 header[][2] = { { 0x40, 0x10 } };
	static const u8 odd[][2] = { { 0x40, 0x52 } };

	(void)state;
	with_caps(self, 1, 0x40);
	with_caps(header, 1, 0x40)->devfn = 2 << 3;
	with_caps(odd, 1, 0x40)->devfn = 3 << 3;
	with_caps(self, 1, 0x04)->devfn = 4 << 3;
	boot();
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(pci_find_capability(dev_of(&fn[i]), 0x11), 0);
	assert_int_equal(nr_probed, 4);
}

/* ---- MSI-X -------------------------------------------------------------------------------------------- */

static void note_event(struct pci_function *f, const char *what)
{
	(void)f;
	rec("%s", what);
}

static struct pci_dev *ready(struct pci_function *f)
{
	struct pci_dev *dev = dev_of(f);

	assert_int_equal(pci_enable_device(dev), 0);
	pci_set_master(dev);
	f->on_event = note_event;
	rec_take();
	return dev;
}

/* The same, whose events nobody notes. */
static struct pci_dev *silent(struct pci_function *f)
{
	struct pci_dev *dev = ready(f);

	f->on_event = NULL;
	return dev;
}

/* NR vectors; the irq of the last, requested. */
static int requested(struct pci_dev *dev, unsigned int nr, unsigned int flags)
{
	int irq;

	assert_int_equal(pci_alloc_irq_vectors(dev, nr, nr, flags), nr);
	irq = pci_irq_vector(dev, nr - 1);
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), 0);
	return irq;
}

static void released(struct pci_dev *dev, int irq)
{
	free_irq(irq, NULL);
	pci_free_irq_vectors(dev);
}

static void s147_s156_msix_bring_up_order(void **state)
{
	struct pci_function *f = add_msix(1, 4);
	struct pci_dev *dev;

	(void)state;
	boot();
	f->row[0].ctrl = f->row[1].ctrl = f->row[2].ctrl = f->row[3].ctrl = 0;	/* firmware's */
	dev = ready(f);
	assert_int_equal(pci_alloc_irq_vectors(dev, 1, 2, PCI_IRQ_MSIX), 2);
	/* one write sets enable and mask; messages; INTx off; all four rows; function mask off */
	assert_rec("maskall msix-on message message intx-off mask mask mask mask unmaskall");
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(f->row[i].ctrl & 1, 1);
	assert_int_equal(f->row[0].lo >> 16, IMSIC_BASE >> 16);
	assert_true(f->row[0].lo != f->row[1].lo || f->row[0].data != f->row[1].data);
	assert_string_equal(pci_irq_mode(dev), "msix");
	pci_free_irq_vectors(dev);
	assert_string_equal(pci_irq_mode(dev), "none");
	assert_int_equal(pci_model_get16(f, f->msix_cap + 2) & 0x8000, 0);
	assert_int_equal(pci_model_get16(f, 4) & PCI_COMMAND_INTX_DISABLE, 0);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(f->row[i].ctrl & 1, 1);		/* S-156 */
}

static void s149_request_unmasks_and_messages_arrive(void **state)
{
	struct pci_function *f = add_msix(1, 4);
	struct pci_dev *dev;
	int irq;

	(void)state;
	boot();
	dev = ready(f);
	assert_int_equal(pci_alloc_irq_vectors(dev, 4, 4, PCI_IRQ_ALL_TYPES), 4);
	irq = pci_irq_vector(dev, 2);
	assert_int_equal(pci_irq_vector(dev, 4), -EINVAL);
	assert_int_equal(f->row[2].ctrl & 1, 1);
	pci_model_send(f, 2);			/* too early: waits */
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", "V2"), 0);
	assert_int_equal(f->row[2].ctrl & 1, 0);
	f->on_event = NULL;
	rec_take();
	host_run_deferred();
	assert_int_equal(irq_to_desc(irq)->tot_count, f->sent);
	rec_take();
	assert_true(pci_model_send(f, 2));
	host_run_deferred();
	assert_rec("V2");
	disable_irq(irq);
	assert_true(pci_model_send(f, 2));	/* lazily: still sent, then masked */
	host_run_deferred();
	assert_int_equal(f->row[2].ctrl & 1, 1);
	assert_false(pci_model_send(f, 2));
	assert_rec("");
	enable_irq(irq);
	host_run_deferred();
	assert_true(strlen(rec_take()) > 0);
	free_irq(irq, "V2");
	assert_int_equal(f->row[2].ctrl & 1, 1);
	pci_free_irq_vectors(dev);
}

static void s157_without_bus_mastering_nothing_arrives(void **state)
{
	struct pci_function *f = add_msix(1, 2);
	struct pci_dev *dev;
	int irq;

	(void)state;
	boot();
	dev = silent(f);
	irq = requested(dev, 1, PCI_IRQ_MSIX);
	pci_clear_master(dev);
	assert_false(pci_model_send(f, 0));
	host_run_deferred();
	assert_int_equal(irq_to_desc(irq)->tot_count, 0);
	released(dev, irq);
}

static void s148_messages_change_only_while_masked(void **state)
{
	struct pci_function *f = add_msix(1, 2);
	struct pci_dev *dev;
	u64 r = 7;
	int irq;

	(void)state;
	boot();
	dev = silent(f);
	irq = requested(dev, 1, PCI_IRQ_MSIX);
	for (int i = 0; i < 200; i++) {		/* the model objects to anything else */
		pci_model_send(f, 0);
		irq_set_affinity(irq, cpumask_of(host_random(&r) % BOARD_HARTS));
		pci_model_send(f, 0);
		if (host_random(&r) % 3)
			host_run_deferred();
	}
	host_run_deferred();
	irq_to_desc(irq)->tot_count = 0;
	pci_model_send(f, 0);
	host_run_deferred();
	assert_int_equal(irq_to_desc(irq)->tot_count, 1);
	released(dev, irq);
}

static void s139_s141_s142_s146_what_alloc_returns(void **state)
{
	struct pci_function *x = add_msix(1, 4), *none = add(2, 0);
	struct pci_dev *dev, *bare;

	(void)state;
	boot();
	dev = ready(x);
	bare = ready(none);
	assert_int_equal(pci_alloc_irq_vectors(dev, 1, 1, 0), -ENOSPC);
	assert_int_equal(pci_alloc_irq_vectors(dev, 3, 2, PCI_IRQ_MSIX), -ERANGE);
	assert_int_equal(pci_alloc_irq_vectors(dev, 5, 8, PCI_IRQ_MSIX), -ENOSPC);
	assert_int_equal(pci_alloc_irq_vectors(dev, 1, 8, PCI_IRQ_MSI), -EINVAL);
	assert_int_equal(pci_alloc_irq_vectors(bare, 1, 1, PCI_IRQ_ALL_TYPES), -EINVAL);
	assert_int_equal(pci_alloc_irq_vectors(dev, 2, 9, PCI_IRQ_ALL_TYPES), 4);
	assert_int_equal(pci_alloc_irq_vectors(dev, 1, 1, PCI_IRQ_MSIX), -EINVAL);
	assert_int_equal(pci_alloc_irq_vectors(dev, 1, 1, PCI_IRQ_ALL_TYPES), -EBUSY);
	pci_free_irq_vectors(dev);
	pci_free_irq_vectors(dev);
	dev->no_msi = true;
	assert_int_equal(pci_alloc_irq_vectors(dev, 1, 1, PCI_IRQ_MSIX), -EINVAL);
	dev->no_msi = false;
	dev->current_state = 3;
	assert_int_equal(pci_alloc_irq_vectors(dev, 1, 1, PCI_IRQ_MSIX), -EINVAL);
	dev->current_state = PCI_D0;
	dev->bus->no_msi = true;
	assert_int_equal(pci_alloc_irq_vectors(dev, 1, 1, PCI_IRQ_MSIX), -EINVAL);
	dev->bus->no_msi = false;
	dev->dev.msi.domain = NULL;
	assert_int_equal(pci_alloc_irq_vectors(dev, 1, 1, PCI_IRQ_MSIX), -ENOTSUPP);
}

static void s147_table_outside_of_its_bar_is_refused(void **state)
{
	struct pci_function *f = add_msix(1, 4);
	struct pci_dev *dev;

	(void)state;
	boot();
	dev = ready(f);
	pci_model_put32(f, f->msix_cap + 4, 0x0ff8 | 1);
	assert_true(pci_alloc_irq_vectors(dev, 1, 4, PCI_IRQ_MSIX) < 0);
	pci_model_put32(f, f->msix_cap + 4, 2);			/* a BAR that it does not have */
	assert_true(pci_alloc_irq_vectors(dev, 1, 4, PCI_IRQ_MSIX) < 0);
	assert_int_equal(pci_model_get16(f, f->msix_cap + 2) & 0xc000, 0);
	assert_true(logged("00:01.0"));
}

static void s135_more_vectors_than_identities(void **state)
{
	int got = 0, n;

	(void)state;
	for (u8 slot = 1; slot <= 4; slot++)
		add_msix(slot, 64);
	boot();
	for (unsigned int cpu = 1; cpu < BOARD_HARTS; cpu++)
		cpumask_clear_cpu(cpu, &cpu_online_mask_);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(pci_alloc_irq_vectors(ready(&fn[i]), 64, 64, PCI_IRQ_MSIX), 64);
		got += 64;
	}
	host_printk();
	assert_int_equal(pci_alloc_irq_vectors(ready(&fn[3]), 64, 64, PCI_IRQ_MSIX), -ENOSPC);
	assert_true(logged("identity"));
	n = pci_alloc_irq_vectors(ready(&fn[3]), 1, 64, PCI_IRQ_MSIX);
	assert_int_equal(got + n, IMSIC_IDS - 1);
	for (unsigned int i = 0; i < 4; i++)
		pci_free_irq_vectors(dev_of(&fn[i]));
	for (unsigned int cpu = 1; cpu < BOARD_HARTS; cpu++)
		cpumask_set_cpu(cpu, &cpu_online_mask_);
}

static struct pci_dev *failing_dev;

static bool alloc_and_free(void *arg)
{
	int n = pci_alloc_irq_vectors(failing_dev, 3, 3, (unsigned long)arg);

	if (n > 0) {
		int ret = request_irq(pci_irq_vector(failing_dev, 1), rec_handler, 0, "t", NULL);

		if (!ret)
			free_irq(pci_irq_vector(failing_dev, 1), NULL);
		pci_free_irq_vectors(failing_dev);
		return !ret;
	}
	assert_string_equal(pci_irq_mode(failing_dev), "none");
	return false;
}

static void vectors_without_memory_leave_nothing(void **state)
{
	struct pci_function *f = add_msix(1, 4);

	(void)state;
	boot();
	failing_dev = silent(f);
	assert_true(alloc_and_free((void *)PCI_IRQ_MSIX));
	host_run_deferred();
	assert_true(fail_each(alloc_and_free, (void *)PCI_IRQ_MSIX) > 10);
	assert_int_equal(pci_model_get16(f, f->msix_cap + 2) & 0xc000, 0);
}

static void s125_spread_vectors_are_managed(void **state)
{
	struct pci_function *f = add_msix(1, 6);
	struct irq_affinity affd = { .pre_vectors = 1 };
	struct pci_dev *dev;
	unsigned long all = 0;

	(void)state;
	boot();
	dev = ready(f);
	assert_int_equal(pci_alloc_irq_vectors_affinity(dev, 2, 6, PCI_IRQ_MSIX | PCI_IRQ_AFFINITY,
							&affd), 5);
	for (unsigned int i = 1; i < 5; i++) {
		unsigned long bits = pci_irq_get_affinity(dev, i)->bits;
		struct irq_data *d = irq_get_irq_data(pci_irq_vector(dev, i));

		assert_true(irqd_affinity_is_managed(d));
		assert_int_equal(all & bits, 0);
		assert_true(irq_data_get_effective_affinity_mask(d)->bits & bits);
		all |= bits;
	}
	assert_int_equal(all, 0xf);
	assert_false(irqd_affinity_is_managed(irq_get_irq_data(pci_irq_vector(dev, 0))));
	assert_null(pci_irq_get_affinity(dev, 5));
	pci_free_irq_vectors(dev);
}

/* ---- MSI and INTx ---------------------------------------------------------------------------------------- */

static void s143_s151_s156_msi(void **state)
{
	struct pci_function *f = add(1, 0);
	struct pci_dev *dev;
	int irq;

	(void)state;
	f->has_msi = f->msi_maskable = true;
	f->msi_log2 = 3;
	boot();
	dev = ready(f);
	assert_int_equal(pci_msi_vec_count(dev), 8);
	assert_int_equal(pci_alloc_irq_vectors(dev, 2, 8, PCI_IRQ_MSI), -ENOSPC);
	rec_take();
	assert_int_equal(pci_alloc_irq_vectors(dev, 1, 8, PCI_IRQ_MSI), 1);
	assert_rec("intx-off msi-on");
	assert_int_equal(pci_model_get16(f, f->msi_cap + 2) >> 4 & 7, 0);
	irq = pci_irq_vector(dev, 0);
	assert_int_equal(irq, dev->irq);
	assert_false(pci_model_send(f, 0));			/* masked until requested */
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), 0);
	host_run_deferred();
	rec_take();
	assert_true(pci_model_send(f, 0));
	host_run_deferred();
	assert_rec("H");
	released(dev, irq);
	assert_int_equal(pci_model_get16(f, f->msi_cap + 2) & 1, 0);
	assert_int_equal(pci_model_get32(f, f->msi_cap + 0x10), 0);	/* S-156 */
}

/* A controller that takes messages above 4 GiB, or not. */
static u32 high_half;

static void high_compose(struct irq_data *d, struct msi_msg *msg)
{
	*msg = (struct msi_msg){ .address_lo = 0x28000000, .address_hi = high_half,
				 .data = 0x40 + d->hwirq };
}

static int high_alloc(struct irq_domain *d, unsigned int irq, unsigned int nr, void *arg)
{
	static struct irq_chip chip = { .name = "high", .irq_compose_msi_msg = high_compose };

	(void)arg;
	for (unsigned int i = 0; i < nr; i++)
		irq_domain_set_info(d, irq + i, i, &chip, NULL, handle_edge_irq, NULL, "edge");
	return 0;
}

static void msi_of_32_bits_gets_no_half_of_an_address(void **state)
{
	static const struct irq_domain_ops ops = {
		.alloc = high_alloc, .free = irq_domain_free_irqs_common,
	};
	static const struct msi_parent_ops parent_ops = {
		.supported_flags = MSI_GENERIC_FLAGS_MASK | MSI_FLAG_MULTI_PCI_MSI,
		.init_dev_msi_info = msi_lib_init_dev_msi_info,
	};
	struct pci_function *f = add(1, 0);
	struct fwnode_handle *fwnode;
	struct irq_domain *high;
	struct pci_dev *dev;

	(void)state;
	f->has_msi = f->msi_32 = true;
	f->msi_log2 = 2;
	f->pin = 1;
	boot();
	dev = silent(f);
	fwnode = irq_domain_alloc_named_fwnode("high");
	high = irq_domain_create_hierarchy(NULL, IRQ_DOMAIN_FLAG_MSI_PARENT, 8, fwnode, &ops, NULL);
	high->msi_parent_ops = &parent_ops;
	dev->dev.msi.domain = high;
	for (int nr = 1; nr <= 4; nr *= 4) {
		high_half = 1;
		host_printk();
		assert_int_equal(pci_alloc_irq_vectors(dev, nr, nr, PCI_IRQ_MSI), -EIO);
		assert_true(logged("00:01.0: its MSI can write to 32-bit addresses only, not to "
				   "0x128000000, where high takes messages"));
		assert_int_equal(pci_model_get16(f, f->msi_cap + 2) & 1, 0);
		high_half = 0;
		assert_int_equal(pci_alloc_irq_vectors(dev, nr, nr, PCI_IRQ_MSI), nr);
		assert_int_equal(pci_model_get32(f, f->msi_cap + 4), 0x28000000);
		assert_int_equal(pci_model_get16(f, f->msi_cap + 8), 0x40);
		pci_free_irq_vectors(dev);
	}
	high_half = 1;
	assert_int_equal(pci_alloc_irq_vectors(dev, 1, 4, PCI_IRQ_ALL_TYPES), 1);
	assert_string_equal(pci_irq_mode(dev), "intx");
	pci_free_irq_vectors(dev);
	dev->dev.msi.domain = NULL;
	irq_domain_remove(high);
	irq_domain_free_fwnode(fwnode);
}

static irqreturn_t lower(int irq, void *dev_id)
{
	(void)irq;
	rec("L");
	pci_model_intx(dev_id, false);
	return IRQ_HANDLED;
}

static void s140_intx_by_the_interrupt_map(void **state)
{
	struct pci_dev *dev;

	(void)state;
	for (u8 slot = 1; slot <= 4; slot++)
		add(slot, 0)->pin = slot;
	boot();
	for (unsigned int i = 0; i < 4; i++) {
		int irq;

		dev = silent(&fn[i]);
		assert_int_equal(pci_alloc_irq_vectors(dev, 2, 2, PCI_IRQ_ALL_TYPES), -EINVAL);
		assert_int_equal(pci_alloc_irq_vectors(dev, 1, 4, PCI_IRQ_ALL_TYPES), 1);
		irq = pci_irq_vector(dev, 0);
		assert_int_equal(irqd_to_hwirq(irq_get_irq_data(irq)), 32 + (2 * i + 1) % 4);
		assert_int_equal(request_irq(irq, lower, IRQF_SHARED, "t", &fn[i]), 0);
		rec_take();
		pci_model_intx(&fn[i], true);
		host_run_deferred();
		assert_rec("L");
		assert_string_equal(pci_irq_mode(dev), "intx");
		free_irq(irq, &fn[i]);
		pci_free_irq_vectors(dev);
	}
}

/* ---- More rules of messages ----------------------------------------------------------------- */

static void s132_messages_of_a_device_that_sleeps_wait_in_the_cache(void **state)
{
	struct pci_function *f = add_msix(1, 2);
	struct pci_dev *dev;
	struct msi_msg msg;
	u32 lo;
	int irq;

	(void)state;
	boot();
	dev = silent(f);
	irq = requested(dev, 2, PCI_IRQ_MSIX);
	lo = f->row[1].lo;
	dev->current_state = 3;
	f->asleep = true;		/* the model objects to every write */
	assert_int_equal(irq_set_affinity(irq, cpumask_of(
		(cpumask_first(irq_get_effective_affinity_mask(irq)) + 1) % BOARD_HARTS)), 0);
	get_cached_msi_msg(irq, &msg);
	assert_true(msg.address_lo != lo && msg.address_lo >> 16 == lo >> 16);
	assert_int_equal(f->row[1].lo, lo);
	dev->current_state = PCI_D0;
	f->asleep = false;
	released(dev, irq);
}

static void s139_one_kind_after_the_other(void **state)
{
	struct pci_function *f = add_msix(1, 4), *pin = add(2, 0);
	struct msix_entry rows[] = { { 0, 3 }, { 0, 1 } };
	struct pci_dev *dev;

	(void)state;
	f->has_msi = true;
	pin->pin = 1;
	boot();
	dev = ready(f);
	assert_int_equal(pci_alloc_irq_vectors(dev, 1, 1, PCI_IRQ_ALL_TYPES), 1);
	assert_string_equal(pci_irq_mode(dev), "msix");
	assert_int_equal(pci_enable_msi(dev), -EINVAL);		/* S-142 */
	pci_free_irq_vectors(dev);
	assert_int_equal(pci_alloc_irq_vectors(dev, 1, 1, PCI_IRQ_MSI | PCI_IRQ_INTX), 1);
	assert_string_equal(pci_irq_mode(dev), "msi");
	assert_int_equal(pci_alloc_irq_vectors(dev, 1, 1, PCI_IRQ_MSIX), -EINVAL);
	assert_int_equal(pci_alloc_irq_vectors(dev, 1, 1, PCI_IRQ_MSI), -EINVAL);
	assert_true(logged("warning"));
	pci_free_irq_vectors(dev);
	assert_int_equal(pci_enable_msi(dev), 0);
	pci_disable_msi(dev);
	/* Both kinds fail: the last one's error. */
	assert_int_equal(pci_alloc_irq_vectors(dev, 5, 5, PCI_IRQ_MSIX | PCI_IRQ_MSI), -ENOSPC);
	assert_int_equal(pci_alloc_irq_vectors(dev, 2, 1, PCI_IRQ_MSIX), -ERANGE);
	/* Rows of the driver's choice. */
	assert_int_equal(pci_enable_msix_range(dev, rows, 1, 2), 2);
	assert_int_equal(rows[0].vector, pci_irq_vector(dev, 3));
	assert_int_equal(rows[1].vector, pci_irq_vector(dev, 1));
	assert_int_equal(pci_irq_vector(dev, 0), -EINVAL);
	pci_disable_msix(dev);
	rows[1].entry = 3;
	assert_int_equal(pci_enable_msix_range(dev, rows, 2, 2), -EINVAL);
	rows[1].entry = 4;
	assert_int_equal(pci_enable_msix_range(dev, rows, 2, 2), -EINVAL);
	dev = ready(pin);
	assert_int_equal(pci_alloc_irq_vectors(dev, 1, 1, PCI_IRQ_MSI), -EINVAL);
	assert_int_equal(pci_alloc_irq_vectors(dev, 1, 2, PCI_IRQ_ALL_TYPES), 1);
	assert_ptr_equal(pci_irq_get_affinity(dev, 0), cpu_possible_mask);
	pci_free_irq_vectors(dev);
}

static void s144_affinity_with_and_without_the_flag(void **state)
{
	struct irq_affinity affd = { .pre_vectors = 1 };
	struct pci_function *f = add_msix(1, 3);
	struct pci_dev *dev;

	(void)state;
	boot();
	dev = ready(f);
	host_printk();
	assert_int_equal(pci_alloc_irq_vectors_affinity(dev, 3, 3, PCI_IRQ_MSIX, &affd), 3);
	assert_true(logged("warning"));
	assert_false(irqd_affinity_is_managed(irq_get_irq_data(pci_irq_vector(dev, 2))));
	assert_null(pci_irq_get_affinity(dev, 2));
	pci_free_irq_vectors(dev);
	host_printk();
	assert_int_equal(pci_alloc_irq_vectors(dev, 3, 3, PCI_IRQ_MSIX | PCI_IRQ_AFFINITY), 3);
	assert_false(logged("warning"));
	for (unsigned int i = 0; i < 3; i++)
		assert_true(irqd_affinity_is_managed(irq_get_irq_data(pci_irq_vector(dev, i))));
	assert_int_equal(pci_irq_get_affinity(dev, 0)->bits, 0x3);
	pci_free_irq_vectors(dev);
}

/* What the parent's mask was when the row was told. */
static struct irq_data *watched;

static void note_parent(struct pci_function *f, const char *what)
{
	struct irq_data *up = watched->parent_data;
	bool masked;

	(void)f;
	assert_int_equal(up->chip->irq_get_irqchip_state(up, IRQCHIP_STATE_MASKED, &masked), 0);
	rec("%s(%s)", what, masked ? "parent masked" : "parent open");
}

static void s150_order_of_masks_and_the_read_that_flushes(void **state)
{
	struct pci_function *f = add_msix(1, 2);
	unsigned long reads;
	struct pci_dev *dev;
	int irq;

	(void)state;
	boot();
	dev = ready(f);
	assert_int_equal(pci_alloc_irq_vectors(dev, 1, 1, PCI_IRQ_MSIX), 1);
	irq = pci_irq_vector(dev, 0);
	irq_set_status_flags(irq, IRQ_DISABLE_UNLAZY);
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), 0);
	watched = irq_get_irq_data(irq);
	f->on_event = note_parent;
	rec_take();
	reads = f->reads;
	disable_irq(irq);
	assert_rec("mask(parent open)");
	assert_int_equal(f->reads, reads + 1);
	note_parent(f, "now");
	assert_rec("now(parent masked)");
	enable_irq(irq);
	assert_rec("unmask(parent open)");
	assert_int_equal(f->reads, reads + 1);
	f->on_event = NULL;
	released(dev, irq);
}

/* ---- A parent that gives blocks ------------------------------------------------------------- */

static struct irq_domain *blocks;
static irq_hw_number_t next_block;
static bool no_block;

static int block_affinity(struct irq_data *d, const struct cpumask *mask, bool force)
{
	(void)force;
	irq_data_update_effective_affinity(d, mask);
	return IRQ_SET_MASK_OK;
}
static void block_compose(struct irq_data *d, struct msi_msg *msg)
{
	u32 cpu = cpumask_first(irq_data_get_effective_affinity_mask(d)) % BOARD_HARTS;

	*msg = (struct msi_msg){ 0x50000000 + 0x1000 * cpu, 0, d->hwirq };
}
static void block_nothing(struct irq_data *d) { (void)d; }

static const struct irq_chip block_chip = {
	.name = "block", .irq_mask = block_nothing, .irq_unmask = block_nothing,
	.irq_ack = block_nothing, .irq_set_affinity = block_affinity,
	.irq_compose_msi_msg = block_compose,
};

static int block_alloc(struct irq_domain *d, unsigned int virq, unsigned int nr, void *arg)
{
	irq_hw_number_t first = ALIGN_UP(next_block, 8UL);

	(void)arg;
	if (no_block && nr > 1)
		return -ENOSPC;
	for (unsigned int i = 0; i < nr; i++)
		irq_domain_set_info(d, virq + i, first + i, &block_chip, NULL, handle_edge_irq,
				    NULL, "edge");
	next_block = first + nr;
	return 0;
}

static const struct irq_domain_ops block_ops = {
	.alloc = block_alloc, .free = irq_domain_free_irqs_common,
};
static bool block_init(struct device *dev, struct irq_domain *d, struct irq_domain *real,
		       struct msi_domain_info *info)
{
	if (!msi_lib_init_dev_msi_info(dev, d, real, info))
		return false;
	info->chip->irq_ack = irq_chip_ack_parent;
	return true;
}
static const struct msi_parent_ops block_parent = {
	.supported_flags = MSI_GENERIC_FLAGS_MASK | MSI_FLAG_MULTI_PCI_MSI,
	.required_flags = MSI_FLAG_USE_DEF_CHIP_OPS,
	.init_dev_msi_info = block_init,
};

static struct pci_dev *with_blocks(bool maskable)
{
	struct pci_function *f = add(1, 0);
	struct pci_dev *dev;

	f->has_msi = true;
	f->msi_maskable = maskable;
	f->msi_log2 = 3;
	boot();
	dev = ready(f);
	next_block = 8;
	no_block = false;
	blocks = irq_domain_create_hierarchy(NULL, IRQ_DOMAIN_FLAG_MSI_PARENT, 0, NULL, &block_ops,
					     NULL);
	blocks->msi_parent_ops = &block_parent;
	dev->dev.msi.domain = blocks;
	return dev;
}

static void without_blocks(struct pci_dev *dev)
{
	pci_free_irq_vectors(dev);
	dev->dev.msi.domain = NULL;
	irq_domain_remove(blocks);
}

static void s152_s153_a_block_of_messages(void **state)
{
	struct pci_dev *dev = with_blocks(true);
	struct pci_function *f = &fn[0];
	u8 cap = f->msi_cap;
	u32 lo;
	int irq;

	(void)state;
	assert_int_equal(pci_alloc_irq_vectors(dev, 3, 3, PCI_IRQ_MSI), 3);
	assert_int_equal(pci_model_get16(f, cap + 2) >> 4 & 7, 2);	/* log2 of 4 */
	assert_int_equal(pci_model_get16(f, cap + 0xc) % 4, 0);
	irq = pci_irq_vector(dev, 0);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(pci_irq_vector(dev, i), irq + i);
		assert_ptr_equal(irq_get_msi_desc(irq + i), msi_desc_at(&dev->dev, 0));
	}
	assert_int_equal(pci_irq_vector(dev, 3), -EINVAL);
	assert_int_equal(msi_desc_at(&dev->dev, 0)->nvec_used, 3);
	assert_null(msi_desc_at(&dev->dev, 1));
	assert_int_equal(pci_model_get32(f, cap + 0x10), 0xff);
	assert_int_equal(request_irq(irq + 1, rec_handler, 0, "t", NULL), 0);
	assert_int_equal(pci_model_get32(f, cap + 0x10), 0xfd);	/* bit irq - base */
	lo = pci_model_get32(f, cap + 4);
	assert_int_equal(irq_set_affinity(irq + 1, cpumask_of(2)), 0);
	assert_int_equal(pci_model_get32(f, cap + 4), lo);	/* only the first writes */
	assert_int_equal(irq_set_affinity(irq, cpumask_of(2)), 0);
	assert_int_equal(pci_model_get32(f, cap + 4), 0x50002000);
	assert_int_equal(pci_model_get32(f, cap + 0x10), 0xfd);
	free_irq(irq + 1, NULL);
	without_blocks(dev);
}

static void s135_s143_a_block_that_is_not_to_be_had(void **state)
{
	struct pci_dev *dev = with_blocks(true);
	struct pci_function *f = &fn[0];

	(void)state;
	no_block = true;
	assert_int_equal(pci_alloc_irq_vectors(dev, 2, 8, PCI_IRQ_MSI), -ENOSPC);
	/* S-151: unmasked again, freed, not enabled */
	assert_int_equal(pci_model_get32(f, f->msi_cap + 0x10), 0);
	assert_int_equal(pci_model_get16(f, f->msi_cap + 2) & 1, 0);
	assert_string_equal(pci_irq_mode(dev), "none");
	assert_int_equal(pci_alloc_irq_vectors(dev, 1, 8, PCI_IRQ_MSI), 1);
	without_blocks(dev);
}

static void send_while_off(struct pci_function *f, const char *what)
{
	if (strcmp(what, "msi-off"))
		return;
	rec("wants");
	assert_false(pci_model_send(f, 0));
}

static void z3_msi_without_mask_bits_is_off_while_its_message_changes(void **state)
{
	struct pci_function *f = add(1, 0);
	struct pci_dev *dev;
	int irq;

	(void)state;
	f->has_msi = true;
	f->pin = 1;
	boot();
	dev = ready(f);
	irq = requested(dev, 1, PCI_IRQ_MSI);
	host_run_deferred();
	rec_take();
	f->on_event = send_while_off;
	for (unsigned int n = 1; n <= 2 * BOARD_HARTS; n++) {
		assert_int_equal(irq_set_affinity(irq, cpumask_of(n % BOARD_HARTS)), 0);
		host_run_deferred();
		assert_rec("wants H");		/* not lost */
		pci_model_intx(f, false);
	}
	f->on_event = NULL;
	released(dev, irq);
	pci_model_intx(f, false);
}

/* ---- At random ------------------------------------------------------------------------------ */

static void say(void *arg, const char *text)
{
	(void)arg;
	print_error("irq_check: %s\n", text);
}

struct user {
	struct pci_dev *dev;
	unsigned int n;
	bool requested[8];
};

static void free_all(struct user *u)
{
	for (unsigned int i = 0; i < u->n; i++)
		if (u->requested[i])
			free_irq(pci_irq_vector(u->dev, i), u);
	memset(u->requested, 0, sizeof(u->requested));
	pci_free_irq_vectors(u->dev);
	u->n = 0;
}

static void random_step(struct user *u, struct pci_function *f, u64 *r)
{
	unsigned int i = u->n ? host_random(r) % u->n : 0, flags = PCI_IRQ_ALL_TYPES;
	int irq = u->n ? pci_irq_vector(u->dev, i) : 0, n;

	if (!u->n) {
		flags |= host_random(r) % 2 ? PCI_IRQ_AFFINITY : 0;
		n = pci_alloc_irq_vectors(u->dev, 1, 8, flags);
		u->n = max(n, 0);
	} else if (host_random(r) % 12 == 0) {
		free_all(u);
	} else if (!u->requested[i]) {
		u->requested[i] = !request_irq(irq, rec_handler, IRQF_SHARED, "t", u);
	} else if (host_random(r) % 2) {
		irq_set_affinity(irq, cpumask_of(host_random(r) % BOARD_HARTS));
	} else {
		disable_irq(irq);
		if (f->msix_rows)
			pci_model_send(f, i);
		enable_irq(irq);
	}
}

static void s148_s149_vectors_at_random(void **state)
{
	u64 r = random_seed();
	struct user users[3] = { 0 };

	(void)state;
	add_msix(1, 8);
	add_msix(2, 3);
	add(3, 0)->has_msi = true;
	boot();
	for (unsigned int i = 0; i < 3; i++) {
		users[i].dev = silent(&fn[i]);
	}
	for (unsigned int step = 0; step < 1500; step++) {
		unsigned int i = host_random(&r) % 3;

		host_fail_after(host_random(&r) % 4 ? -1 : (long)(host_random(&r) % 12 + 1));
		random_step(&users[i], &fn[i], &r);
		host_fail_after(-1);
		host_run_deferred();
		rec_take();
		assert_int_equal(irq_check(say, NULL), 0);
	}
	for (unsigned int i = 0; i < 3; i++)
		free_all(&users[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		P(functions_are_found_once_each),
		P(failing_probe_is_named_and_the_device_kept_quiet),
		P(probe_that_declines_says_nothing),
		P(bars_get_aligned_places_of_their_own),
		P(bar_that_fits_nowhere_is_named_and_the_rest_works),
		P(last_bar_that_claims_to_be_64_bits_wide),
		P(s155_leftover_enables_are_cleared),
		P(capability_list_in_order),
		P(capability_list_in_a_circle_ends),
		P(capability_that_links_to_itself_or_nonsense_ends),
		P(s147_s156_msix_bring_up_order),
		P(s149_request_unmasks_and_messages_arrive),
		P(s157_without_bus_mastering_nothing_arrives),
		P(s148_messages_change_only_while_masked),
		P(s139_s141_s142_s146_what_alloc_returns),
		P(s147_table_outside_of_its_bar_is_refused),
		P(s135_more_vectors_than_identities),
		P(vectors_without_memory_leave_nothing),
		P(s125_spread_vectors_are_managed),
		P(s143_s151_s156_msi),
		P(msi_of_32_bits_gets_no_half_of_an_address),
		P(s140_intx_by_the_interrupt_map),
		P(s132_messages_of_a_device_that_sleeps_wait_in_the_cache),
		P(s139_one_kind_after_the_other),
		P(s144_affinity_with_and_without_the_flag),
		P(s150_order_of_masks_and_the_read_that_flushes),
		P(s152_s153_a_block_of_messages),
		P(s135_s143_a_block_that_is_not_to_be_had),
		P(z3_msi_without_mask_bits_is_off_while_its_message_changes),
		P(s148_s149_vectors_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
