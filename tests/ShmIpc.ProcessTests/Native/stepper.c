/*
 * Lets one thread of another process execute so many machine instructions from a marked point on, and then kills that process.
 *
 *     stepper PID STEPS
 *
 * The thread is the one that has the process's id. It marks the beginning and the end by getpgid(-1234), which fails and costs nothing. Says
 * "attached" when it watches, or "refused" and why the kernel does not let it; then, once the process is dead and gone:
 *
 *     killed STEPS    after so many instructions behind the first marker
 *     ended STEPS     the second marker came first, after so many
 *
 * No other thread of the process is watched; a signal that reaches the thread is delivered. The process dies with this one.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MARKER = -1234 };

static pid_t victim;

static void fail(const char *what)
{
    fprintf(stderr, "stepper: %s: %s\n", what, strerror(errno));
    kill(victim, SIGKILL);
    exit(1);
}

/* Lets the thread go on by one request, and waits until it stops again. */
static int go_on(int request, int signal)
{
    int status;
    if (ptrace(request, victim, 0, signal) != 0) fail("ptrace");
    if (waitpid(victim, &status, __WALL) != victim) fail("waitpid");
    if (!WIFSTOPPED(status)) {
        fprintf(stderr, "stepper: the process ended by itself, status %d\n", status);
        exit(1);
    }
    return status;
}

/* The signal that the thread was about to receive, 0 for a stop that is ours. */
static int signal_of(int status)
{
    int signal = WSTOPSIG(status);
    return signal == SIGTRAP || signal == (SIGTRAP | 0x80) || status >> 16 != 0 ? 0 : signal;
}

/* True when the thread is about to make the system call that marks a point. */
static int is_before_marker(void)
{
    struct user_regs_struct registers;
    struct iovec place = { &registers, sizeof registers };
    if (ptrace(PTRACE_GETREGSET, victim, NT_PRSTATUS, &place) != 0) fail("PTRACE_GETREGSET");
#if defined(__x86_64__)
    if (registers.rax != SYS_getpgid || (int)registers.rdi != MARKER) return 0;
    return ((uint64_t)ptrace(PTRACE_PEEKTEXT, victim, registers.rip, 0) & 0xFFFF) == 0x050F;
#elif defined(__aarch64__)
    if (registers.regs[8] != SYS_getpgid || (int)registers.regs[0] != MARKER) return 0;
    return ((uint64_t)ptrace(PTRACE_PEEKTEXT, victim, registers.pc, 0) & 0xFFFFFFFF) == 0xD4000001;
#else
#error "no such machine"
#endif
}

/* Runs until the thread has returned from the first marker. */
static void find_marker(void)
{
    int signal = 0;
    for (;;) {
        int status = go_on(PTRACE_SYSCALL, signal);
        struct __ptrace_syscall_info call;
        signal = signal_of(status);
        if (WSTOPSIG(status) != (SIGTRAP | 0x80)) continue;
        if (ptrace(PTRACE_GET_SYSCALL_INFO, victim, sizeof call, &call) < 0) fail("PTRACE_GET_SYSCALL_INFO");
        if (call.op == PTRACE_SYSCALL_INFO_ENTRY && call.entry.nr == SYS_getpgid && (int)call.entry.args[0] == MARKER) {
            go_on(PTRACE_SYSCALL, 0);
            return;
        }
    }
}

int main(int count, char **arguments)
{
    if (count != 3) return 2;
    victim = (pid_t)strtol(arguments[1], NULL, 10);
    long steps = strtol(arguments[2], NULL, 10), step = 0;
    int status, signal = 0, has_ended = 0;
    if (ptrace(PTRACE_SEIZE, victim, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) != 0 || ptrace(PTRACE_INTERRUPT, victim, 0, 0) != 0) {
        printf("refused %s\n", strerror(errno));
        return 0;
    }
    if (waitpid(victim, &status, __WALL) != victim) fail("waitpid");
    printf("attached\n");
    fflush(stdout);

    find_marker();
    while (step < steps && !(has_ended = is_before_marker())) {
        signal = signal_of(go_on(PTRACE_SINGLESTEP, signal));
        step += signal == 0;
    }
    kill(victim, SIGKILL);
    while (waitpid(victim, &status, __WALL) == victim && WIFSTOPPED(status)) { }
    printf("%s %ld\n", has_ended ? "ended" : "killed", step);
    return 0;
}
