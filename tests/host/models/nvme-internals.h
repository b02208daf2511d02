/* Between nvme.c and nvme-commands.c. */
#ifndef TESTS_HOST_MODELS_NVME_INTERNALS_H
#define TESTS_HOST_MODELS_NVME_INTERNALS_H

#include "models/nvme.h"

/* Memory that it may reach now. */
void *nm_dma(struct nvme_model *m, u64 addr, size_t len);
/* An entry into the completion queue of QID, and its interrupt. */
void nm_post(struct nvme_model *m, u16 qid, u16 cid, u16 status, u32 result);
void nm_execute(struct nvme_model *m, u16 qid, const struct nm_command *cmd);

#endif
