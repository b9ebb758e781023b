/* Stands in for NVIDIA's driver, so that the REAL cuda-bindings can be called on a machine without a GPU: their conversion
 * of arguments and results, that is, since one GPU is played here in ordinary memory. Work runs when it is queued, and what
 * is captured runs when it is launched. alive() tells how many things are not freed.
 * cc -shared -fPIC -Wl,-soname,libcuda.so.1 -o libcuda.so.1 driver.c -ldl */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OK, INVALID_VALUE, INVALID_CONTEXT = 201, NOT_FOUND = 500, MOST_COPIES = 16 };
typedef unsigned long long Address;
typedef struct { void *to; const void *from; size_t size; } Copy;
typedef struct { Copy copies[MOST_COPIES]; int count, is_capturing; } Work; /* a stream, a graph, or one to launch */

static int context, things;
static __thread void *current;

int alive(void) { return things; }

static int made(void **place, void *thing) { things++; *place = thing; return OK; }
static int freed(void *thing) { things--; free(thing); return OK; }

int cuInit(unsigned flags) { return flags ? INVALID_VALUE : OK; }
int cuDriverGetVersion(int *version) { *version = 12080; return OK; }
int cuDeviceGetCount(int *count) { *count = 1; return OK; }
int cuDeviceGet(int *device, int ordinal) { *device = 0; return ordinal ? INVALID_VALUE : OK; }
int cuDeviceGetName(char *name, int length, int device) { snprintf(name, length, "NVIDIA Stand-in"); return OK; }
int cuDeviceGetAttribute(int *value, int attribute, int device)
{
    *value = attribute == 75 ? 8 : attribute == 76 ? 9 : -1; /* compute capability, major and minor */
    return OK;
}
int cuDevicePrimaryCtxRetain(void **place, int device) { return made(place, &context); }
int cuDevicePrimaryCtxRelease_v2(int device) { things--; return OK; }
int cuCtxSetCurrent(void *wanted) { current = wanted; return OK; }

int cuMemAllocHost_v2(void **place, size_t size)
{
    return !current ? INVALID_CONTEXT : size ? made(place, malloc(size)) : INVALID_VALUE;
}
int cuMemAlloc_v2(Address *place, size_t size) { return cuMemAllocHost_v2((void **)place, size); }
int cuMemFreeHost(void *memory) { return freed(memory); }
int cuMemFree_v2(Address memory) { return freed((void *)memory); }

int cuStreamCreate(void **place, unsigned flags)
{
    return flags == 1 ? made(place, calloc(1, sizeof(Work))) : INVALID_VALUE; /* 1: non-blocking */
}
int cuStreamDestroy_v2(void *stream) { return freed(stream); }
int cuStreamSynchronize(Work *stream) { return stream->is_capturing ? 900 : OK; }
int cuStreamBeginCapture_v2(Work *stream, int mode)
{
    stream->count = 0;
    stream->is_capturing = 1;
    return mode == 1 ? OK : INVALID_VALUE; /* 1: of this thread */
}
static int copied(void **place, const Work *work) { return made(place, memcpy(malloc(sizeof *work), work, sizeof *work)); }
int cuStreamEndCapture(Work *stream, void **graph) { stream->is_capturing = 0; return copied(graph, stream); }
int cuGraphInstantiateWithFlags(void **place, Work *graph, Address flags) { return copied(place, graph); }
int cuGraphDestroy(void *graph) { return freed(graph); }
int cuGraphExecDestroy(void *graph) { return freed(graph); }
int cuGraphLaunch(Work *graph, Work *stream)
{
    for (int i = 0; i < graph->count; i++) memcpy(graph->copies[i].to, graph->copies[i].from, graph->copies[i].size);
    return OK;
}
static int copy(void *to, const void *from, size_t size, Work *stream)
{
    if (stream->is_capturing) stream->copies[stream->count++] = (Copy){to, from, size};
    else memcpy(to, from, size);
    return OK;
}
int cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t size, Work *on) { return copy((void *)to, from, size, on); }
int cuMemcpyDtoHAsync_v2(void *to, Address from, size_t size, Work *on) { return copy(to, (void *)from, size, on); }

/* What the bindings find everything else by. A function that is not here is one that this driver is too old for. */
int cuGetProcAddress_v2(const char *name, void **place, int version, Address flags, int *status)
{
    char versioned[128];
    snprintf(versioned, sizeof versioned, "%s_v2", name);
    void *library = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_NOLOAD);
    if (!(*place = dlsym(library, versioned))) *place = dlsym(library, name);
    if (status) *status = *place ? 0 : 1;
    return *place ? OK : NOT_FOUND;
}
