/* The FMI 2.0 co-simulation interface of the small charger (fmi-standard.org, FMI 2.0.4, sections 2.1 and 4.2).
   Written out here, so that nothing but a C compiler is needed to build it. */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "charger.h"

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

typedef enum { fmi2OK, fmi2Warning, fmi2Discard, fmi2Error, fmi2Fatal, fmi2Pending } fmi2Status;
typedef unsigned int reference;
typedef void (*log_call)(void *environment, const char *name, int status, const char *category, const char *, ...);

typedef struct {
    log_call logger;
    void *(*allocate)(size_t count, size_t size);
    void (*free)(void *);
    void (*step_finished)(void *environment, int status);
    void *environment;
} callbacks;

typedef struct {
    charger charger;
    callbacks call;
    char name[32];
} instance;

static const char *const GUID = "{6f0a5c4e-3f61-4f0e-9a57-6b1c0d6a7e21}";

static fmi2Status failed(const instance *it, const char *words)
{
    it->call.logger(it->call.environment, it->name, fmi2Error, "logStatusError", words);
    return fmi2Error;
}

EXPORT const char *fmi2GetTypesPlatform(void) { return "default"; }
EXPORT const char *fmi2GetVersion(void) { return "2.0"; }

EXPORT void *fmi2Instantiate(const char *name, int type, const char *guid, const char *resources,
                             const callbacks *call, int visible, int logging)
{
    instance *it;
    (void)resources, (void)visible, (void)logging;
    if (type != 1 || strcmp(guid, GUID) != 0)
        return NULL;
    it = call->allocate(1, sizeof *it);
    if (it != NULL) {
        it->call = *call;
        strncpy(it->name, name, sizeof it->name - 1);
        charger_begin(&it->charger);
    }
    return it;
}

EXPORT void fmi2FreeInstance(void *c)
{
    if (c != NULL)
        ((instance *)c)->call.free(c);
}

EXPORT fmi2Status fmi2SetupExperiment(void *c, int tolerant, double tolerance, double start, int stops, double stop)
{
    (void)tolerant, (void)tolerance, (void)stops, (void)stop;
    ((instance *)c)->charger.now = ((instance *)c)->charger.since = start;
    return fmi2OK;
}

EXPORT fmi2Status fmi2EnterInitializationMode(void *c) { return (void)c, fmi2OK; }
EXPORT fmi2Status fmi2ExitInitializationMode(void *c) { return (void)c, fmi2OK; }
EXPORT fmi2Status fmi2Terminate(void *c) { return (void)c, fmi2OK; }

EXPORT fmi2Status fmi2Reset(void *c)
{
    charger_begin(&((instance *)c)->charger);
    return fmi2OK;
}

EXPORT fmi2Status fmi2SetDebugLogging(void *c, int on, size_t count, const char *const categories[])
{
    return (void)c, (void)on, (void)count, (void)categories, fmi2OK;
}

#define GET(TYPE, CTYPE, FIELD, COUNT)                                                                      \
    EXPORT fmi2Status fmi2Get##TYPE(void *c, const reference at[], size_t count, CTYPE values[])            \
    {                                                                                                       \
        size_t n;                                                                                           \
        for (n = 0; n < count; n++) {                                                                       \
            if (at[n] >= COUNT)                                                                             \
                return failed(c, "no such variable");                                                       \
            values[n] = ((instance *)c)->charger.FIELD[at[n]];                                              \
        }                                                                                                   \
        return fmi2OK;                                                                                      \
    }

#define SET(TYPE, CTYPE, FIELD, COUNT)                                                                      \
    EXPORT fmi2Status fmi2Set##TYPE(void *c, const reference at[], size_t count, const CTYPE values[])      \
    {                                                                                                       \
        size_t n;                                                                                           \
        for (n = 0; n < count; n++) {                                                                       \
            if (at[n] >= COUNT)                                                                             \
                return failed(c, "no such variable");                                                       \
            ((instance *)c)->charger.FIELD[at[n]] = values[n];                                              \
        }                                                                                                   \
        return fmi2OK;                                                                                      \
    }

GET(Real, double, r, REALS)
GET(Integer, int, i, INTEGERS)
GET(Boolean, int, b, BOOLEANS)
GET(String, const char *, s, STRINGS)
SET(Real, double, r, REALS)
SET(Integer, int, i, INTEGERS)
SET(Boolean, int, b, BOOLEANS)

EXPORT fmi2Status fmi2SetString(void *c, const reference at[], size_t count, const char *const values[])
{
    (void)at, (void)values;
    return count == 0 ? fmi2OK : failed(c, "it takes no text");
}

EXPORT fmi2Status fmi2DoStep(void *c, double at, double step, int no_return)
{
    (void)no_return;
    if (!(step > 0.0))
        return failed(c, "a step must be longer than nothing");
    charger_look(&((instance *)c)->charger, at + step, step);
    return fmi2OK;
}

/* What it cannot do, as its modelDescription.xml says. */

#define CANNOT(NAME, ...) EXPORT fmi2Status NAME(void *c, __VA_ARGS__) { return failed(c, #NAME ": it cannot"); }

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wunused-parameter"
#endif

CANNOT(fmi2GetFMUstate, void **state)
CANNOT(fmi2SetFMUstate, void *state)
CANNOT(fmi2FreeFMUstate, void **state)
CANNOT(fmi2SerializedFMUstateSize, void *state, size_t *size)
CANNOT(fmi2SerializeFMUstate, void *state, char bytes[], size_t size)
CANNOT(fmi2DeSerializeFMUstate, const char bytes[], size_t size, void **state)
CANNOT(fmi2GetDirectionalDerivative, const reference of[], size_t ofs, const reference by[], size_t bys,
       const double change[], double derivative[])
CANNOT(fmi2SetRealInputDerivatives, const reference at[], size_t count, const int order[], const double values[])
CANNOT(fmi2GetRealOutputDerivatives, const reference at[], size_t count, const int order[], double values[])
CANNOT(fmi2GetStatus, int kind, int *value)
CANNOT(fmi2GetRealStatus, int kind, double *value)
CANNOT(fmi2GetIntegerStatus, int kind, int *value)
CANNOT(fmi2GetBooleanStatus, int kind, int *value)
CANNOT(fmi2GetStringStatus, int kind, const char **value)

EXPORT fmi2Status fmi2CancelStep(void *c) { return failed(c, "fmi2CancelStep: it cannot"); }
