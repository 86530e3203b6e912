/*
 * process.h - programs that a test starts, and that always end with it.
 *
 * Between the test and the program stands a guardian process with one end of a pipe: when the other end
 * closes, because of process_stop() or because the test has ended in whatever way, it ends the program.
 */
#ifndef SUPPORT_PROCESS_H
#define SUPPORT_PROCESS_H

struct process;

/* The path of a program, in PATH or where servers are kept; NULL when it is not installed.  To be freed. */
char *process_find(const char *name);

/* argv[0] is a path, NULL ends the list; what the program writes goes into the file output.  Ends the test
 * when there is no process. */
struct process *process_start(const char *const *argv, const char *output);

/* 0 when it has ended. */
int process_running(struct process *process);

/* Waits until a file holds a text ("": until it is there).  0, or -1 when the program has ended or the time
 * is over. */
int process_await(struct process *process, const char *path, const char *text, unsigned milliseconds);

/* SIGTERM, after two seconds SIGKILL. */
void process_stop(struct process *process);

/*
 * Ends a child of fork(); failed: its exit code.  Another program takes its place first, for a tool that
 * looks for leaks would count the copies of what is the parent's.
 */
_Noreturn void process_leave(int failed);

/* 1: on valgrind everything takes many times as long, threads take turns, and malloc is valgrind's own. */
int process_under_valgrind(void);

/* A port of loopback that was free a moment ago; a program may still find it taken. */
unsigned process_free_port(void);

#endif
