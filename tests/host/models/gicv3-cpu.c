/* The GICv3's CPU interfaces: system registers of the calling CPU [GIC3 12.2]. */
#include "models/gicv3-internals.h"

#define CTLR_CBPR	BIT(0)
#define CTLR_EOIMODE	BIT(1)
#define CTLR_ANSWERS	(5 - 1) << 8 | BIT(14) | BIT(15)	/* PRIbits, SEIS, A3V */

static struct line *line_of(struct redist *r, u32 intid)
{
	return intid < 32 ? &r->own[intid] : &gicv3.spi[intid];
}

static u32 acknowledge(struct redist *r)
{
	u32 intid = gicv3_best(r);

	if (host_irqs_on)
		gicv3_bad("ICC_IAR1_EL1 is read with interrupts on");
	if (intid == NOTHING)
		return NOTHING;
	if (r->nr_claims == MAX_CLAIMS) {
		gicv3_bad("claims INTID %u, but %u are not ended", intid, r->nr_claims);
		return NOTHING;
	}
	if (intid >= GICV3_LPI)
		gicv3_lpi_set_pending(r, intid, false);
	else
		line_of(r, intid)->state = (line_of(r, intid)->state & ~PENDING) | ACTIVE;
	r->claim[r->nr_claims].intid = intid;
	r->claim[r->nr_claims++].dropped = false;
	gicv3_note("ack(%d,%u)", gicv3_cpu_of(r), intid);
	return intid;
}

static void forget(struct redist *r, unsigned int i)
{
	memmove(&r->claim[i], &r->claim[i + 1], (--r->nr_claims - i) * sizeof(r->claim[0]));
}

/* Ends are in the opposite order of claims. [GIC3 4.8] */
static void end(struct redist *r, u32 intid)
{
	unsigned int i = r->nr_claims;

	while (i && r->claim[i - 1].dropped)
		i--;
	if (!i--) {
		gicv3_bad("CPU %u ends INTID %u, but has claimed nothing", smp_processor_id(),
			  intid);
		return;
	}
	if (r->claim[i].intid != intid) {
		gicv3_bad("CPU %u ends INTID %u, but has claimed %u", smp_processor_id(), intid,
			  r->claim[i].intid);
		return;
	}
	gicv3_note("eoi(%d,%u)", gicv3_cpu_of(r), intid);
	r->claim[i].dropped = true;
	if (r->eoimode1 && intid < GICV3_LPI)
		return;
	if (intid < GICV3_LPI)
		line_of(r, intid)->state &= ~ACTIVE;
	forget(r, i);
}

static void deactivate(struct redist *r, u32 intid)
{
	unsigned int i = 0;

	while (i < r->nr_claims && r->claim[i].intid != intid)
		i++;
	if (!r->eoimode1) {
		gicv3_bad("ICC_DIR_EL1 is written in EOI mode 0");
	} else if (intid >= GICV3_LPI) {
		gicv3_bad("LPI %u is deactivated, which has no active state", intid);
	} else if (i == r->nr_claims) {
		gicv3_bad("CPU %u deactivates INTID %u, which it has not claimed",
			  smp_processor_id(), intid);
	} else if (!r->claim[i].dropped) {
		gicv3_bad("INTID %u is deactivated before its priority has dropped", intid);
	} else {
		gicv3_note("dir(%d,%u)", gicv3_cpu_of(r), intid);
		line_of(r, intid)->state &= ~ACTIVE;
		forget(r, i);
	}
}

/* Those of a group of 16 that LIST names. Without a barrier it may overtake what it is about. */
static void send(struct redist *r, u64 v)
{
	u64 base = (v >> 48 & 0xff) << 32 | (v >> 32 & 0xff) << 16 | (v >> 16 & 0xff) << 8 |
		   (v >> 44 & 0xf) << 4;
	u32 intid = v >> 24 & 0xf;

	gicv3_need_zeros("ICC_SGI1R_EL1", v, 0x00fff1ff0fffffff);
	if (!r->has_dsb)
		gicv3_bad("SGI %u is sent without a DSB before it", intid);
	r->has_dsb = false;
	if (v >> 40 & 1) {
		gicv3_bad("SGI %u is sent to all the others, which may be off", intid);
		return;
	}
	for (unsigned int n = 0; n < 16; n++) {
		struct redist *to = gicv3_redist_of(base | n);

		if (!(v >> n & 1))
			continue;
		if (!to) {
			gicv3_bad("SGI %u is sent to %#lx, where no CPU is", intid,
				  (unsigned long)(base | n));
			continue;
		}
		to->own[intid].state |= PENDING;
		gicv3_note("sgi(%d,%u)", gicv3_cpu_of(to), intid);
	}
}

/* ---- Registers ------------------------------------------------------------------------------ */

static u64 reg_read(struct redist *r, const char *name)
{
	if (!strcmp(name, "ICC_IAR1_EL1"))
		return acknowledge(r);
	if (!strcmp(name, "ICC_CTLR_EL1"))
		return CTLR_ANSWERS | (r->eoimode1 ? CTLR_EOIMODE : 0);
	if (!strcmp(name, "ICC_PMR_EL1"))
		return r->pmr;
	if (!strcmp(name, "ICC_IGRPEN1_EL1"))
		return r->on;
	if (!strcmp(name, "ICC_HPPIR1_EL1"))
		return gicv3_best(r);
	gicv3_bad("there is no %s to read", name);
	return 0;
}

static void turn(struct redist *r, bool on)
{
	r->on = on;
	if (on)
		csr_set(CSR_SIE, BIT(IRQ_S_EXT));
}

static void reg_write(struct redist *r, const char *name, u64 v)
{
	if (!strcmp(name, "ICC_EOIR1_EL1")) {
		end(r, v);
	} else if (!strcmp(name, "ICC_DIR_EL1")) {
		deactivate(r, v);
	} else if (!strcmp(name, "ICC_SGI1R_EL1")) {
		send(r, v);
	} else if (!strcmp(name, "ICC_PMR_EL1")) {
		gicv3_need_zeros(name, v, 0xff);
		r->pmr = v & 0xf8;
	} else if (!strcmp(name, "ICC_BPR1_EL1")) {
		gicv3_need_zeros(name, v, 7);
	} else if (!strcmp(name, "ICC_CTLR_EL1")) {
		gicv3_need_zeros(name, v, CTLR_CBPR | CTLR_EOIMODE | 0x40 | 0xcff00);
		r->eoimode1 = v & CTLR_EOIMODE;
	} else if (!strcmp(name, "ICC_IGRPEN1_EL1")) {
		gicv3_need_zeros(name, v, 1);
		turn(r, v);
	} else if (!strcmp(name, "ICC_AP1R0_EL1")) {	/* as it was read, or 0 */
		gicv3_need_zeros(name, v, 0);
		r->nr_claims = 0;
	} else {	/* AP1R1 to 3 come with 6 and 7 bits of priority */
		gicv3_bad("there is no %s to write", name);
	}
}

static u64 access_sre(struct redist *r, bool write, u64 v)
{
	if (!write)
		return r->sre;
	gicv3_need_zeros("ICC_SRE_EL1", v, 7);
	if (r->sre && !(v & 1)) {
		gicv3_bad("ICC_SRE_EL1.SRE goes from 1 to 0, which is UNPREDICTABLE");
		return 0;
	}
	r->sre_is_fresh = !r->sre;
	r->sre = !gicv3.setup.no_sre;
	return 0;
}

static bool is_barrier(struct redist *r, const char *name)
{
	if (!strcmp(name, "isb"))
		r->sre_is_fresh = false;
	else if (!strcmp(name, "dsb"))
		r->has_dsb = true;
	else
		return false;
	return true;
}

static bool is_accessible(const struct redist *r, const char *name)
{
	if (!r->sre)
		gicv3_bad("%s is accessed while ICC_SRE_EL1.SRE is 0", name);
	else if (r->sre_is_fresh)
		gicv3_bad("%s is accessed without an ISB after ICC_SRE_EL1", name);
	else if (r->asleep)
		gicv3_bad("%s is accessed while the redistributor is asleep", name);
	else
		return true;
	return false;
}

static u64 sysreg(void *priv, unsigned int cpu, const char *name, bool write, u64 v)
{
	struct redist *r = gicv3_redist_of(cpus[cpu].hwid);

	(void)priv;
	if (!r || is_barrier(r, name))
		return 0;
	gicv3_lock();
	if (!strcmp(name, "ICC_SRE_EL1"))
		v = access_sre(r, write, v);
	else if (!is_accessible(r, name))
		v = 0;
	else if (write)
		reg_write(r, name, v);
	else
		v = reg_read(r, name);
	gicv3_update();
	gicv3_unlock();
	return v;
}

void gicv3_cpu_model(void)
{
	host_sysreg_claim(sysreg, NULL);
}
