/*
 * blk stress: many reads in flight from every CPU, each checked against what a first, quiet pass
 * over the disk has seen. Under `irq shuffle` the disk's interrupts move meanwhile.
 *
 *	survey: a hash of each sector, in chunks spread over the disk
 *	worker on each CPU: DEPTH requests, each  random range -> submit -> done() -> check -> again
 *
 * done() only hands the request back to its worker, and notices one that completes twice.
 */
#include <kernel/cmd-blk.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/shell.h>

#define CHUNK		8		/* sectors that are read together in the survey */
#define MAX_CHUNKS	2048
#define DEPTH		8		/* requests in flight on a CPU */
#define MAX_SAID	5		/* errors printed in full */
#define WORDS		(SECTOR_SIZE / sizeof(u64))

struct stress {
	struct block_device *b;
	u64 *hash;			/* of each surveyed sector */
	u64 want, seed, chunks, stride;	/* chunk n begins at n * stride */
	/* atomic */
	u64 started, reads, errors, sectors;
	u32 running;			/* workers */
	bool stop;
};

struct job {
	struct blk_request req;
	struct worker *worker;
	u32 in_flight;			/* atomic */
	u64 chunk;
	u32 first;			/* sector of the chunk */
	u64 begun;
	struct list_head link;		/* in worker->back */
	u64 data[CHUNK * WORDS];
};

struct worker {
	struct stress *stress;
	struct thread *thread;
	u64 random;
	u32 in_flight;
	spinlock_t lock;
	struct list_head back;		/* jobs that are done, under the lock */
	struct job job[DEPTH];
};

/* xorshift64*: any state but 0. */
static u64 next_random(u64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dULL;
}

static u64 hash_sector(const u64 *word)
{
	u64 hash = 0;

	for (unsigned int i = 0; i < WORDS; i++)
		hash = (hash ^ word[i]) * 0x9e3779b97f4a7c15ULL;
	return hash;
}

static u64 add(u64 *counter, u64 n)
{
	return __atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

static void count_error(struct stress *s, const char *what, const struct blk_request *req)
{
	if (add(&s->errors, 1) < MAX_SAID)
		pr_err("stress: disk %u (%s), %u sectors at %llu: %s", s->b->disk, s->b->bus_name,
		       req->nsectors, (unsigned long long)req->lba, what);
}

/* ---- The survey ----------------------------------------------------------------------------- */

static int survey(struct stress *s)
{
	u64 *buf = kmalloc(CHUNK * SECTOR_SIZE);
	int err = buf ? 0 : -ENOMEM;

	for (u64 n = 0; n < s->chunks && !err; n++) {
		err = blk_read(s->b, n * s->stride, buf, CHUNK);
		for (unsigned int i = 0; i < CHUNK; i++)
			s->hash[n * CHUNK + i] = hash_sector(&buf[i * WORDS]);
		if (!err && console_interrupted())
			err = -EINTR;
	}
	kfree(buf);
	return err;
}

/* ---- Workers -------------------------------------------------------------------------------- */

/* Any context. */
static void job_done(struct blk_request *req)
{
	struct job *job = req->arg;
	struct worker *w = job->worker;
	unsigned long flags;

	if (!__atomic_exchange_n(&job->in_flight, false, __ATOMIC_ACQ_REL)) {
		count_error(w->stress, "completed twice", req);
		return;
	}
	flags = spin_lock_irqsave(&w->lock);
	list_add_tail(&job->link, &w->back);
	thread_wake(w->thread);
	spin_unlock_irqrestore(&w->lock, flags);
}

static void submit_job(struct worker *w, struct job *job)
{
	struct stress *s = w->stress;

	job->chunk = next_random(&w->random) % s->chunks;
	job->first = next_random(&w->random) % CHUNK;
	job->req = (struct blk_request){
		.op = BLK_READ,
		.lba = job->chunk * s->stride + job->first,
		.nsectors = 1 + next_random(&w->random) % (CHUNK - job->first),
		.buf = job->data, .done = job_done, .arg = job,
	};
	job->begun = ktime_get_ns();
	__atomic_store_n(&job->in_flight, true, __ATOMIC_RELEASE);
	w->in_flight++;
	s->b->ops->submit(s->b, &job->req);
}

static void check_job(struct worker *w, struct job *job)
{
	struct stress *s = w->stress;
	const u64 *want = &s->hash[job->chunk * CHUNK + job->first];

	w->in_flight--;
	if (job->req.status) {
		count_error(s, errname(job->req.status), &job->req);
		__atomic_store_n(&s->stop, true, __ATOMIC_RELAXED);
		return;
	}
	for (u32 i = 0; i < job->req.nsectors; i++) {
		if (hash_sector(&job->data[i * WORDS]) != want[i]) {
			count_error(s, "wrong data", &job->req);
			break;
		}
	}
	add(&s->reads, 1);
	add(&s->sectors, job->req.nsectors);
}

static struct job *take_back(struct worker *w)
{
	unsigned long flags = spin_lock_irqsave(&w->lock);
	struct job *job = NULL;

	if (!list_empty(&w->back)) {
		job = list_first_entry(&w->back, struct job, link);
		list_del_init(&job->link);
	}
	spin_unlock_irqrestore(&w->lock, flags);
	return job;
}

/* The oldest request has been out for too long: the disk is gone. */
static void check_timeout(struct worker *w)
{
	for (unsigned int i = 0; i < DEPTH; i++) {
		struct job *job = &w->job[i];

		if (__atomic_load_n(&job->in_flight, __ATOMIC_ACQUIRE) &&
		    ktime_get_ns() - job->begun > BLK_TIMEOUT_NS) {
			blk_timed_out(w->stress->b, &job->req);
			return;
		}
	}
}

static bool may_start(struct stress *s)
{
	return !__atomic_load_n(&s->stop, __ATOMIC_RELAXED) && add(&s->started, 1) < s->want;
}

static int worker_main(void *arg)
{
	struct worker *w = arg;
	struct stress *s = w->stress;

	w->thread = current_thread();
	for (unsigned int i = 0; i < DEPTH && may_start(s); i++)
		submit_job(w, &w->job[i]);
	while (w->in_flight) {
		struct job *job = take_back(w);

		if (!job) {
			if (!thread_block(ktime_get_ns() + BLK_TIMEOUT_NS))
				check_timeout(w);
			continue;
		}
		check_job(w, job);
		if (may_start(s))
			submit_job(w, job);
	}
	__atomic_fetch_sub(&s->running, 1, __ATOMIC_RELEASE);
	return 0;
}

static struct worker *start_worker(struct stress *s, unsigned int cpu)
{
	struct worker *w = kzalloc(sizeof(*w));

	if (!w)
		return NULL;
	w->stress = s;
	w->random = (s->seed + (cpu + 1) * 0x9e3779b97f4a7c15ULL) | 1;
	INIT_LIST_HEAD(&w->back);
	for (unsigned int i = 0; i < DEPTH; i++)
		w->job[i].worker = w;
	__atomic_fetch_add(&s->running, 1, __ATOMIC_RELAXED);
	if (thread_create("blk-stress", worker_main, w, PRIO_NORMAL, cpu))
		return w;
	__atomic_fetch_sub(&s->running, 1, __ATOMIC_RELAXED);
	kfree(w);
	return NULL;
}

/* ---- The command ---------------------------------------------------------------------------- */

static int report(const struct stress *s)
{
	struct json *j = shell_json();
	unsigned long long bytes = s->sectors * SECTOR_SIZE;

	if (!shell_wants_json()) {
		shell_printf("%llu reads, %llu bytes, %llu errors (seed %llu)\n",
			     (unsigned long long)s->reads, bytes, (unsigned long long)s->errors,
			     (unsigned long long)s->seed);
	} else {
		json_open(j, "{");
		json_key(j, "reads"), json_uint(j, s->reads);
		json_key(j, "errors"), json_uint(j, s->errors);
		json_key(j, "bytes"), json_uint(j, bytes);
		json_key(j, "seed"), json_uint(j, s->seed);
		json_close(j, "}");
	}
	return s->errors ? -EIO : 0;
}

static void wait_for_workers(struct stress *s)
{
	while (__atomic_load_n(&s->running, __ATOMIC_ACQUIRE)) {
		if (console_interrupted())
			__atomic_store_n(&s->stop, true, __ATOMIC_RELAXED);
		msleep(1);
	}
}

static int run(struct stress *s, const struct cpumask *on)
{
	struct worker *worker[NR_CPUS] = { NULL };
	unsigned int cpu;
	int err = survey(s);

	if (err == -EINTR)
		return err;
	if (err)
		return shell_error(err, "no survey of disk %u (%s)", s->b->disk, errname(err));
	for_each_cpu(cpu, on)
		worker[cpu] = start_worker(s, cpu);
	wait_for_workers(s);
	for_each_cpu(cpu, on)
		kfree(worker[cpu]);
	if (s->stop && !s->errors)
		return shell_error(-EINTR, "interrupted after %llu reads",
				   (unsigned long long)s->reads);
	return report(s);
}

int blk_stress(struct block_device *b, u64 reads, u64 seed, const struct cpumask *on)
{
	u64 chunks = min(blk_sectors(b) / CHUNK, (u64)MAX_CHUNKS);
	struct stress s = { .b = b, .chunks = chunks, .want = reads, .seed = seed };
	int err;

	if (!chunks)
		return shell_error(-EINVAL, "disk %u is smaller than %d sectors", b->disk, CHUNK);
	s.stride = blk_sectors(b) / chunks;
	s.hash = kcalloc(chunks * CHUNK, sizeof(*s.hash));
	if (!s.hash)
		return -ENOMEM;
	err = run(&s, on);
	kfree(s.hash);
	return err;
}
