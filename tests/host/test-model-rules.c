/*
 * The strict models catch what they name: each function below breaks one rule of a controller as a
 * bad driver might. That the real drivers break none, each of their own tests shows.
 */
#include <asm/csr.h>
#include <kernel/io.h>
#include <kernel/smp.h>
#include "models/aplic-direct.h"
#include "models/pl061.h"
#include "models/plic.h"
#include "support/board.h"
#include "support/rec.h"
#include "support/violation.h"

static char *regs;			/* of the controller in question */

static void st(u64 offset, u32 v) { writel(v, regs + offset); }
static u32 ld(u64 offset) { return readl(regs + offset); }

/* ---- PLIC --------------------------------------------------------------------------------------- */

enum { P_PENDING = 0x1000, P_ENABLE = 0x2000, P_CONTEXT = 0x200000, P_CLAIM = 4, P_SOURCE = 40 };

static u64 p_enable(unsigned int cpu)
{
	return P_ENABLE + 0x80 * board_context(cpu) + P_SOURCE / 32 * 4;
}

static u64 p_context(unsigned int cpu)
{
	return P_CONTEXT + 0x1000 * board_context(cpu);
}

static void fresh_plic(void)
{
	board_boot(BOARD_PLIC, NULL);
	regs = ioremap(PLIC_BASE, PLIC_SIZE);
	arch_local_irq_disable();
}

/* Source P_SOURCE is enabled for CPU 0, has come and is claimed. */
static void p_claimed(void)
{
	st(4 * P_SOURCE, 1);
	st(p_enable(0), 1U << P_SOURCE % 32);
	plic_model_wire(P_SOURCE, true);
	assert_int_equal(ld(p_context(0) + P_CLAIM), P_SOURCE);
}

static void p_completes_nothing(void) { st(p_context(0) + P_CLAIM, 0); }
static void p_completes_beyond(void) { st(p_context(0) + P_CLAIM, PLIC_SOURCES + 1); }
static void p_completes_unclaimed(void)
{
	st(p_enable(0), 1U << P_SOURCE % 32);
	st(p_context(0) + P_CLAIM, P_SOURCE);
}
static void p_completes_twice(void)
{
	p_claimed();
	plic_model_wire(P_SOURCE, false);
	st(p_context(0) + P_CLAIM, P_SOURCE);
	assert_false(plic_model_claimed(P_SOURCE));
	st(p_context(0) + P_CLAIM, P_SOURCE);
}
static void p_completes_disabled(void)
{
	p_claimed();
	st(p_enable(0), 0);
	st(p_context(0) + P_CLAIM, P_SOURCE);
	assert_true(plic_model_claimed(P_SOURCE));
}
static void p_completes_elsewhere(void)
{
	p_claimed();
	st(p_enable(1), 1U << P_SOURCE % 32);
	st(p_context(1) + P_CLAIM, P_SOURCE);
	assert_true(plic_model_claimed(P_SOURCE));
}
static void p_claims_for_another(void) { ld(p_context(1) + P_CLAIM); }
static void p_threshold_of_another(void) { st(p_context(2), 0); }
static void p_context_of_firmware(void) { st(P_CONTEXT + P_CLAIM, 3); }
static void p_context_beyond(void) { ld(P_CONTEXT + 0x1000 * BOARD_CONTEXTS); }
static void p_behind_claim(void) { ld(p_context(0) + 8); }
static void p_interrupts_on(void)
{
	arch_local_irq_enable();
	ld(p_context(0) + P_CLAIM);
}
static void p_enables_zero(void) { st(P_ENABLE + 0x80 * board_context(0), 1); }
static void p_enables_for_firmware(void) { st(P_ENABLE, 2); }
static void p_enables_beyond(void) { st(P_ENABLE + 0x80 * board_context(0) + 12, 1); }
static void p_priority_of_zero(void) { st(0, 1); }
static void p_priority_too_great(void) { st(4 * P_SOURCE, 8); }
static void p_reads_hole(void) { ld(4 * PLIC_SOURCES + 4); }
static void p_writes_pending(void) { st(P_PENDING, 2); }
static void p_narrow_load(void) { readw(regs + 4); }
static void p_wide_store(void) { writeq(1, regs + 8); }

static void plic_catches_what_it_names(void **state)
{
	static const struct violation cases[] = {
		VIOLATION(p_completes_nothing, "completion of source 0, which does not exist"),
		VIOLATION(p_completes_beyond, "completion of source 96, which does not exist"),
		VIOLATION(p_completes_unclaimed, "completion of source 40, which is not claimed"),
		VIOLATION(p_completes_twice, "completion of source 40, which is not claimed"),
		VIOLATION(p_completes_disabled, "completion of source 40, disabled in context"),
		VIOLATION(p_completes_elsewhere, "completion of source 40 in context"),
		VIOLATION(p_claims_for_another, "another hart's"),
		VIOLATION(p_threshold_of_another, "another hart's"),
		VIOLATION(p_context_of_firmware, "no register of an S-mode context"),
		VIOLATION(p_context_beyond, "no register of an S-mode context"),
		VIOLATION(p_behind_claim, "no register of an S-mode context"),
		VIOLATION(p_interrupts_on, "with interrupts on"),
		VIOLATION(p_enables_zero, "enable of source 0, which does not exist"),
		VIOLATION(p_enables_for_firmware, "is not an S-mode one"),
		VIOLATION(p_enables_beyond, "is not an S-mode one"),
		VIOLATION(p_priority_of_zero, "store at 0x0, no register"),
		VIOLATION(p_priority_too_great, "priority 8 of source 40, the greatest is 7"),
		VIOLATION(p_reads_hole, "load at 0x180, no register"),
		VIOLATION(p_writes_pending, "pending bits, which are read-only"),
		VIOLATION(p_narrow_load, "load of 2 bytes"),
		VIOLATION(p_wide_store, "store of 8 bytes"),
	};

	(void)state;
	assert_violations(cases, ARRAY_SIZE(cases), fresh_plic);
	arch_local_irq_enable();
}

/* ---- APLIC, both modes ---------------------------------------------------------------------------- */

enum { A_SOURCE = 20, A_MODE = 4 * A_SOURCE, A_SETIPNUM = 0x2000, A_CLRIPNUM = 0x1ddc,
       A_SETIENUM = 0x1edc, A_CLRIENUM = 0x1fdc, A_TARGET = 0x3000 + 4 * A_SOURCE,
       A_IDC = 0x4000, A_IDELIVERY = 0, A_IFORCE = 4, A_CLAIMI = 0x1c };
enum { A_EDGE = 4, A_LEVEL = 6 };

static u32 hart_index(unsigned int cpu)
{
	return board_context(cpu) / 2;
}

static void fresh_aplic(unsigned int parts)
{
	board_boot(parts, NULL);
	regs = ioremap(APLIC_BASE, 0x8000);
	arch_local_irq_disable();
}
static void fresh_direct(void) { fresh_aplic(BOARD_APLIC); }
static void fresh_msi(void) { fresh_aplic(0); }

static void a_zero_enabled(void) { st(A_SETIENUM, 0); }
static void a_zero_disabled(void) { st(A_CLRIENUM, 0); }
static void a_beyond_set_pending(void) { st(A_SETIPNUM, APLIC_SOURCES + 1); }
static void a_inactive_enabled(void) { st(A_SETIENUM, A_SOURCE); }
static void a_inactive_set_pending(void) { st(A_SETIPNUM, A_SOURCE); }
static void a_inactive_target(void) { st(A_TARGET, 1); }
static void a_mode_reserved(void) { st(A_MODE, 2); }
static void a_mode_delegated(void) { st(A_MODE, 0x400); }
static void a_mode_while_enabled(void)
{
	st(A_MODE, A_EDGE);
	st(A_TARGET, 1);
	st(A_SETIENUM, A_SOURCE);
	st(A_MODE, A_LEVEL);
}
static void a_enabled_before_target(void)
{
	st(A_MODE, A_EDGE);
	st(A_SETIENUM, A_SOURCE);
}
static void a_target_no_hart(void)
{
	st(A_MODE, A_EDGE);
	st(A_TARGET, BOARD_HARTS << 18 | 1);
}
static void a_target_guest(void)
{
	st(A_MODE, A_EDGE);
	st(A_TARGET, 1 << 12 | 1);
}
static void a_domaincfg_more(void) { st(0, 0x103); }
static void a_store_hole(void) { st(0x2ffc, 0); }
static void a_load_hole(void) { ld(0x2ffc); }
static void a_mode_beyond(void) { st(4 * APLIC_SOURCES + 4, 0); }
static void a_narrow(void) { readb(regs + 4); }
static void a_wide(void) { writeq(0, regs + 8); }

#define APLIC_RULES								\
	VIOLATION(a_zero_enabled, "source 0"),					\
	VIOLATION(a_zero_disabled, "source 0"),					\
	VIOLATION(a_beyond_set_pending, "source 97"),				\
	VIOLATION(a_inactive_enabled, "inactive"),				\
	VIOLATION(a_inactive_set_pending, "inactive"),				\
	VIOLATION(a_inactive_target, "inactive"),				\
	VIOLATION(a_mode_reserved, "mode 0x2 does not exist"),			\
	VIOLATION(a_mode_delegated, "mode 0x400 does not exist"),		\
	VIOLATION(a_mode_while_enabled, "mode of source 20 changed while it is enabled"), \
	VIOLATION(a_enabled_before_target, "enabled before its target is set"),	\
	VIOLATION(a_target_no_hart, "target 0x100001 is no"),			\
	VIOLATION(a_target_guest, "target 0x1001 is no"),			\
	VIOLATION(a_domaincfg_more, "domaincfg 0x103"),				\
	VIOLATION(a_store_hole, "store at 0x2ffc, no register"),		\
	VIOLATION(a_load_hole, "load at 0x2ffc, no register"),			\
	VIOLATION(a_mode_beyond, "store at 0x184, no register"),		\
	VIOLATION(a_narrow, "load of 1 bytes"),					\
	VIOLATION(a_wide, "store of 8 bytes")

static void d_priority_zero(void)
{
	st(A_MODE, A_EDGE);
	st(A_TARGET, 1 << 18);
}
static void d_level_set_pending(void)
{
	st(A_MODE, A_LEVEL);
	st(A_SETIPNUM, A_SOURCE);
}
static void d_level_cleared(void)
{
	st(A_MODE, A_LEVEL);
	st(A_CLRIPNUM, A_SOURCE);
}
static void d_claim_of_another(void) { ld(A_IDC + 32 * hart_index(1) + A_CLAIMI); }
static void d_delivery_of_another(void) { st(A_IDC + 32 * hart_index(2) + A_IDELIVERY, 1); }
static void d_idc_beyond(void) { st(A_IDC + 32 * BOARD_HARTS, 1); }
static void d_delivery_two(void) { st(A_IDC + 32 * hart_index(0) + A_IDELIVERY, 2); }
static void d_force_two(void) { st(A_IDC + 32 * hart_index(0) + A_IFORCE, 2); }
static void d_writes_claimi(void) { st(A_IDC + 32 * hart_index(0) + A_CLAIMI, 0); }
static void d_reads_idc_hole(void) { ld(A_IDC + 32 * hart_index(0) + 0x10); }
static void d_interrupts_on(void)
{
	arch_local_irq_enable();
	ld(A_IDC + 32 * hart_index(0) + A_CLAIMI);
}

static void aplic_direct_catches_what_it_names(void **state)
{
	static const struct violation cases[] = {
		APLIC_RULES,
		VIOLATION(d_priority_zero, "source 20 gets priority 0"),
		VIOLATION(d_level_set_pending, "pending bit of level 20 written by software"),
		VIOLATION(d_level_cleared, "pending bit of level 20 written by software"),
		VIOLATION(d_claim_of_another, "another hart's"),
		VIOLATION(d_delivery_of_another, "another hart's"),
		VIOLATION(d_idc_beyond, "IDC 4, there are 4"),
		VIOLATION(d_delivery_two, "not 0 or 1"),
		VIOLATION(d_force_two, "not 0 or 1"),
		VIOLATION(d_writes_claimi, "no register"),
		VIOLATION(d_reads_idc_hole, "no register"),
		VIOLATION(d_interrupts_on, "with interrupts on"),
	};

	(void)state;
	assert_violations(cases, ARRAY_SIZE(cases), fresh_direct);
	arch_local_irq_enable();
}

static void m_identity_beyond(void)
{
	st(A_MODE, A_EDGE);
	st(A_TARGET, IMSIC_IDS + 1);
}
static void m_identity_zero_while_enabled(void)
{
	st(A_MODE, A_EDGE);
	st(A_TARGET, 1);
	st(A_SETIENUM, A_SOURCE);
	st(A_TARGET, 0);
}
static void m_inactive_cleared(void) { st(A_CLRIPNUM, A_SOURCE); }

static void aplic_msi_catches_what_it_names(void **state)
{
	static const struct violation cases[] = {
		APLIC_RULES,
		VIOLATION(m_identity_beyond, "target 0x100 is no identity of a hart"),
		VIOLATION(m_identity_zero_while_enabled, "identity 0 while it is enabled"),
		VIOLATION(m_inactive_cleared, "source 20 is inactive, to clear pending"),
	};

	(void)state;
	assert_violations(cases, ARRAY_SIZE(cases), fresh_msi);
	arch_local_irq_enable();
}

/* ---- IMSIC ---------------------------------------------------------------------------------------- */

enum { EIDELIVERY = 0x70, EITHRESHOLD = 0x72, EIP0 = 0x80, EIE0 = 0xc0 };

static void sireg(unsigned long select, unsigned long v)
{
	csr_write(CSR_SISELECT, select);
	csr_write(CSR_SIREG, v);
}

static void fresh_imsic(void)
{
	board_boot(0, NULL);
	regs = ioremap(IMSIC_BASE, 0x1000 * BOARD_HARTS);
	arch_local_irq_disable();
}

static void i_identity_zero(void) { st(0, 0); }
static void i_identity_beyond(void) { st(0x1000, IMSIC_IDS + 1); }
static void i_wrong_place(void) { st(8, 5); }
static void i_big_endian(void) { st(4, 5 << 24); }
static void i_narrow(void) { writew(5, regs); }
static void i_device_narrow(void) { host_bus_write(IMSIC_BASE, 5, 2); }
static void i_wide_load(void) { readq(regs); }
static void i_odd(void) { sireg(EIE0 + 1, 0); }
static void i_beyond(void) { sireg(EIP0 + 8, 0); }
static void i_nothing(void) { sireg(0x71, 0); }
static void i_enables_zero(void) { sireg(EIE0, 3); }
static void i_zero_pending(void) { sireg(EIP0, 1); }
static void i_threshold(void) { sireg(EITHRESHOLD, IMSIC_IDS + 1); }
static void i_passes_wires(void) { sireg(EIDELIVERY, 0x40000000); }
static void i_interrupts_on(void)
{
	arch_local_irq_enable();
	csr_swap(CSR_STOPEI, 0);
}

/* As the hardware comes from firmware. */
static void i_delivery_before_threshold(void)
{
	imsic_model(BOARD_HARTS, board_files);
	sireg(EIDELIVERY, 1);
}
static void i_delivery_before_enables(void)
{
	imsic_model(BOARD_HARTS, board_files);
	sireg(EITHRESHOLD, 0);
	for (unsigned long word = 0; word < 3; word++)
		sireg(EIE0 + 2 * word, 0);
	sireg(EIDELIVERY, 1);
}

static void imsic_catches_what_it_names(void **state)
{
	static const struct violation cases[] = {
		VIOLATION(i_identity_zero, "store of identity 0"),
		VIOLATION(i_identity_beyond, "store of identity 256, not 1 to 255"),
		VIOLATION(i_wrong_place, "store of 4 bytes at offset 0x8"),
		VIOLATION(i_big_endian, "store of 4 bytes at offset 0x4"),
		VIOLATION(i_narrow, "store of 2 bytes"),
		VIOLATION(i_device_narrow, "store of 2 bytes"),
		VIOLATION(i_wide_load, "load of 8 bytes"),
		VIOLATION(i_odd, "illegal instruction, sireg with siselect 0xc1"),
		VIOLATION(i_beyond, "illegal instruction, sireg with siselect 0x88"),
		VIOLATION(i_nothing, "illegal instruction, sireg with siselect 0x71"),
		VIOLATION(i_enables_zero, "identity 0 set in eie"),
		VIOLATION(i_zero_pending, "identity 0 set in eip"),
		VIOLATION(i_threshold, "eithreshold 256"),
		VIOLATION(i_passes_wires, "eidelivery 0x40000000"),
		VIOLATION(i_interrupts_on, "with interrupts on"),
		VIOLATION(i_delivery_before_threshold, "delivery before eithreshold was written"),
		VIOLATION(i_delivery_before_enables, "delivery before word 3 of eie was written"),
	};

	(void)state;
	assert_violations(cases, ARRAY_SIZE(cases), fresh_imsic);
	arch_local_irq_enable();
}

/* ---- PL061 ---------------------------------------------------------------------------------------- */

enum { GPIODIR = 0x400, GPIOIS = 0x404, GPIOIBE = 0x408, GPIOIEV = 0x40c, GPIOIE = 0x410,
       GPIOMIS = 0x418, GPIOIC = 0x41c };

static void no_wire(bool level) { (void)level; }

static void fresh_pl061(void)
{
	host_init(1);
	pl061_model(false, no_wire);
	regs = ioremap(PL061_BASE, 0x1000);
	st(GPIOIE, 0);
}

static void g_level_while_on(void) { st(GPIOIE, 1); st(GPIOIS, 1); }
static void g_both_while_on(void) { st(GPIOIE, 2); st(GPIOIBE, 2); }
static void g_polarity_while_on(void) { st(GPIOIE, 4); st(GPIOIEV, 4); }
static void g_on_before_cleared(void) { st(GPIOIEV, 8); st(GPIOIE, 8); }
static void g_output_on(void) { st(GPIODIR, 16); st(GPIOIE, 16); }
static void g_output_driven(void) { st(GPIODIR, 16); pl061_model_line(4, true); }
static void g_nine_lines(void) { st(GPIOIC, 0x100); }
static void g_writes_status(void) { st(GPIOMIS, 1); }
static void g_reads_clear(void) { ld(GPIOIC); }
static void g_writes_data(void) { st(4, 1); }
static void g_hole(void) { ld(0x424); }
static void g_narrow_load(void) { readb(regs + GPIOMIS); }
static void g_narrow_store(void) { writeb(1, regs + GPIOIC); }

static void pl061_catches_what_it_names(void **state)
{
	static const struct violation cases[] = {
		VIOLATION(g_level_while_on, "lines 0x1 changed while they interrupt"),
		VIOLATION(g_both_while_on, "lines 0x2 changed while they interrupt"),
		VIOLATION(g_polarity_while_on, "lines 0x4 changed while they interrupt"),
		VIOLATION(g_on_before_cleared, "lines 0x8 enabled with an event that only"),
		VIOLATION(g_output_on, "lines 0x10 enabled, which are outputs"),
		VIOLATION(g_output_driven, "line 4 is an output and driven"),
		VIOLATION(g_nine_lines, "there are eight lines"),
		VIOLATION(g_writes_status, "store at 0x418, no register to write"),
		VIOLATION(g_reads_clear, "load at 0x41c, no register to read"),
		VIOLATION(g_writes_data, "store at 0x4, no register to write"),
		VIOLATION(g_hole, "load at 0x424, no register to read"),
		VIOLATION(g_narrow_load, "load of 1 bytes"),
		VIOLATION(g_narrow_store, "store of 1 bytes"),
	};

	(void)state;
	assert_violations(cases, ARRAY_SIZE(cases), fresh_pl061);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plic_catches_what_it_names),
		cmocka_unit_test(aplic_direct_catches_what_it_names),
		cmocka_unit_test(aplic_msi_catches_what_it_names),
		cmocka_unit_test(imsic_catches_what_it_names),
		cmocka_unit_test(pl061_catches_what_it_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
