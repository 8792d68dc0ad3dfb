/* A plug-in for qemu-aarch64 that counts the guest instructions which the thread that runs a benchmark
 * executes between two marks. A mark is an lseek to the offset MARK + n (n 0: begin, 1: end), as
 * kiln.benches.Main -m makes them. At each end it prints to standard error
 *
 *   instructions <those of that thread> <those of all threads>
 *
 * Counts are exact but for blocks that a signal leaves in the middle. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <qemu-plugin.h>

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

enum { THREADS = 1024, LSEEK = 62 };
static const int64_t MARK = INT64_C(0x4b494c4e00); /* KILN, shifted by 8 */

/* Each on its own cache line: only its thread writes it. */
static struct { _Alignas(64) uint64_t count; } executed[THREADS];
static uint64_t own, all;

static uint64_t sum(void) {
  uint64_t s = 0;
  for (int i = 0; i < THREADS; i++) s += __atomic_load_n(&executed[i].count, __ATOMIC_RELAXED);
  return s;
}

static void block_runs(unsigned int vcpu, void *instructions) {
  if (vcpu >= THREADS) {
    fprintf(stderr, "count-instructions: more than %d threads\n", THREADS);
    abort();
  }
  executed[vcpu].count += (uintptr_t)instructions;
}

static void block_is_translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
  (void)id;
  void *instructions = (void *)(uintptr_t)qemu_plugin_tb_n_insns(tb);
  qemu_plugin_register_vcpu_tb_exec_cb(tb, block_runs, QEMU_PLUGIN_CB_NO_REGS, instructions);
}

static void system_call(qemu_plugin_id_t id, unsigned int vcpu, int64_t number, uint64_t a1, uint64_t a2,
                        uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8) {
  (void)id, (void)a1, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
  if (number != LSEEK) return;
  if ((int64_t)a2 == MARK) {
    own = executed[vcpu].count;
    all = sum();
  } else if ((int64_t)a2 == MARK + 1) {
    fprintf(stderr, "instructions %llu %llu\n", (unsigned long long)(executed[vcpu].count - own),
            (unsigned long long)(sum() - all));
  }
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv) {
  (void)info, (void)argc, (void)argv;
  qemu_plugin_register_vcpu_tb_trans_cb(id, block_is_translated);
  qemu_plugin_register_vcpu_syscall_cb(id, system_call);
  return 0;
}
