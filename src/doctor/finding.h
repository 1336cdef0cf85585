/* How checks tell what they have found. */
#pragma once
#include "doctor/doctor.h"

/* The checks of one request. */
typedef struct Round {
  const DoctorRequest *request;
  size_t todo;
} Round;

/* Tells a finding; a format may not hold more than a line. */
void tell_ok(Round *round, const char *what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void tell(Round *round, Verdict verdict, const char *what, const char *advice, const char *format,
          ...) __attribute__((format(printf, 5, 6)));
/* The last line of a text that is not empty, in plain letters, into out[size]; returns out. */
const char *last_line(const char *text, char *out, size_t size);
/* The number behind `key` and a space at a line's beginning, or `fallback`. */
double number_after(const char *text, const char *key, double fallback);
/* The rest of the line behind `key` and a space, into out[size]; "" where there is none. */
const char *words_after(const char *text, const char *key, char *out, size_t size);

/* The checks, by file. */
void check_machine(Round *round);  /* machine.c: kernels, cores, memory, shared memory, network */
Status check_launch(Round *round); /* launch.c: MPI launch and binding */
Status check_files(Round *round);  /* files.c */
Status check_python(Round *round); /* python.c */
